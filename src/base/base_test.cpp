#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "base/bytes.hpp"
#include "base/error_table.hpp"
#include "base/hash.hpp"
#include "base/random.hpp"
#include "base/text.hpp"

namespace skerry {
namespace {

TEST(Bytes, numbers_come_back_as_they_went) {
    for (const std::uint64_t v : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, std::uint64_t{16383},
                                  std::uint64_t{1} << 53, UINT64_MAX}) {
        Bytes out;
        Writer(out).varint(v);
        Reader in(out);
        EXPECT_EQ(in.varint(), v);
        EXPECT_TRUE(in.at_end());
    }
    for (const std::int64_t v : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN, INT64_MAX}) {
        Bytes out;
        Writer(out).zigzag(v);
        Reader in(out);
        EXPECT_EQ(in.zigzag(), v);
    }
}

TEST(Bytes, a_varint_has_one_form) {
    Reader overlong(BytesView("\x80\x00", 2));
    overlong.varint();
    EXPECT_FALSE(overlong.ok());
    Reader too_large(BytesView("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
    too_large.varint();
    EXPECT_FALSE(too_large.ok());
}

TEST(Bytes, a_length_beyond_the_end_fails_without_allocating) {
    Bytes out;
    Writer w(out);
    w.varint(UINT64_MAX >> 1);
    Reader in(out);
    EXPECT_TRUE(in.bytes().empty());
    EXPECT_FALSE(in.ok());
    EXPECT_EQ(in.u32(), 0u);
}

TEST(Text, utf8_is_checked_strictly) {
    EXPECT_TRUE(is_clean_text("plain, Grüße, 你好, \xf0\x9f\x98\x80"));
    EXPECT_FALSE(is_clean_text(std::string_view("a\0b", 3)));
    EXPECT_FALSE(is_clean_text("\xed\xa0\x80"));      // a lone surrogate
    EXPECT_FALSE(is_clean_text("\xc0\xaf"));          // overlong
    EXPECT_FALSE(is_clean_text("\xf4\x90\x80\x80"));  // above U+10FFFF
    EXPECT_FALSE(is_clean_text("\xe2\x82"));          // cut short
}

TEST(Text, a_uuid_v7_is_canonical_and_in_time_order) {
    SeededRandom random(1);
    const std::string early = uuid_v7(Micros{1'700'000'000'000'000}, random);
    const std::string late = uuid_v7(Micros{1'700'000'000'001'000}, random);
    EXPECT_TRUE(is_canonical_uuid(early));
    EXPECT_LT(early, late);
    EXPECT_EQ(early[14], '7');
    EXPECT_FALSE(is_canonical_uuid("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"));
    for (std::size_t at = 0; at < early.size(); ++at) {
        for (const char c : {'g', 'A', '/', ':', '`', '\0', '\xe1', early[at] == '-' ? 'a' : '-'}) {
            std::string wrong = early;
            wrong[at] = c;
            EXPECT_FALSE(is_canonical_uuid(wrong)) << at << " " << c;
        }
    }
    EXPECT_FALSE(is_canonical_uuid(early + "0"));
    EXPECT_FALSE(is_canonical_uuid(""));
}

TEST(Text, timestamps_are_iso_8601) {
    EXPECT_EQ(timestamp_text(Micros{0}), "1970-01-01T00:00:00.000000Z");
    EXPECT_EQ(timestamp_text(Micros{1'709'210'096'000'007}), "2024-02-29T12:34:56.000007Z");
    EXPECT_EQ(timestamp_text(Micros{-1}), "1969-12-31T23:59:59.999999Z");
}

TEST(Text, hex_and_base64url) {
    EXPECT_EQ(hex("\x01\xff"), "01ff");
    EXPECT_EQ(unhex("01ff"), "\x01\xff");
    EXPECT_FALSE(unhex("0g"));
    EXPECT_EQ(base64url("\xfb\xff\xfe"), "-__-");
    EXPECT_EQ(base64url("a"), "YQ");
    EXPECT_EQ(with_commas(1234567), "1,234,567");
}

// RFC 4648, section 10, and what is not its one spelling.
TEST(Text, base64_is_that_of_rfc_4648) {
    const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : vectors) {
        EXPECT_EQ(base64(bytes), text);
        EXPECT_EQ(unbase64(text), Bytes(bytes));
    }
    for (const char* bad : {"Zg", "Zg=", "Zh==", "Zm9=", "Zg==\n", "Z===", "====", "Zm9v Zm9", "Zm_v", "Z=g="}) EXPECT_FALSE(unbase64(bad)) << bad;
}

TEST(Text, doubles_are_read_to_the_nearest_and_end_in_zero_or_infinity) {
    const double infinity = std::numeric_limits<double>::infinity();
    const std::pair<std::string_view, double> samples[] = {
        {"0", 0.0}, {"1.5", 1.5}, {"-2e3", -2000.0}, {"5e-324", 5e-324}, {"1e-400", 0.0}, {"-1e-400", 0.0}, {"1e400", infinity}, {"-1e400", -infinity},
        {"9007199254740993", 9007199254740992.0}, {"1.7976931348623157e308", std::numeric_limits<double>::max()}};
    for (const auto& [text, value] : samples) EXPECT_EQ(parse_double(text), value) << text;
    EXPECT_EQ(parse_double("0." + std::string(400, '0') + "1"), 0.0);
    EXPECT_EQ(parse_double("1" + std::string(400, '0')), infinity);
    EXPECT_EQ(parse_double("-1" + std::string(400, '0') + ".5"), -infinity);
    for (const char* bad : {"", "x", "1x", "1e"}) EXPECT_FALSE(parse_double(bad)) << bad;
}

TEST(Text, names_and_texts_are_quoted_for_sql) {
    EXPECT_EQ(quote_name("a\"b"), "\"a\"\"b\"");
    EXPECT_EQ(quote_text("it's"), "'it''s'");
    EXPECT_EQ(quote_text(""), "''");
}

TEST(Errors, every_code_has_one_name_a_cause_and_a_remedy) {
    std::set<std::string_view> names;
    std::set<Code> codes;
    for (const auto& entry : error_table()) {
        EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
        EXPECT_TRUE(codes.insert(entry.code).second) << entry.name;
        EXPECT_FALSE(entry.cause.empty());
        EXPECT_FALSE(entry.remedy.empty());
        EXPECT_EQ(code_from_number(static_cast<std::uint16_t>(entry.code)), entry.code);
    }
}

TEST(Random, a_seed_gives_one_stream) {
    SeededRandom a(7);
    SeededRandom b(7);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(a.u64(), b.u64());
    for (int i = 0; i < 1000; ++i) EXPECT_LT(a.below(3), 3u);
}

TEST(Hash, is_fixed_for_ever) {
    EXPECT_EQ(hash64("skerry"), hash64("skerry"));
    EXPECT_EQ(hex(view_of(hash128(""))), "99aa06d3014798d86001c324468d497f");
}

}  // namespace
}  // namespace skerry
