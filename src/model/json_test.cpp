#include "model/json.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "base/random.hpp"
#include "base/text.hpp"

namespace skerry::model {
namespace {

std::string canonical(std::string_view text) {
    const auto made = canonical_json(text);
    return made ? *made : "refused: " + made.error().message;
}

// RFC 8785, 3.2.2.
TEST(Json, the_example_of_rfc_8785) {
    EXPECT_EQ(canonical(R"({
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    })"),
              R"({"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"})");
}

// RFC 8785, 3.2.3: by UTF-16 code units, so that a smiley (D83D DE00) comes before a Hebrew letter (FB33).
TEST(Json, the_order_of_names_of_rfc_8785) {
    EXPECT_EQ(canonical(R"({"\u20ac": 5, "\r": 1, "\ufb33": 7, "1": 2, "\ud83d\ude00": 6, "\u0080": 3, "\u00f6": 4})"),
              "{\"\\r\":1,\"1\":2,\"\u0080\":3,\"ö\":4,\"€\":5,\"😀\":6,\"\ufb33\":7}");
}

// RFC 8785, appendix B.
TEST(Json, the_numbers_of_rfc_8785) {
    const std::pair<std::uint64_t, std::string_view> samples[] = {
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
    };
    for (const auto& [bits, text] : samples) {
        std::string out;
        append_json_number(out, std::bit_cast<double>(bits));
        EXPECT_EQ(out, text);
        EXPECT_EQ(canonical(text), text);
    }
}

TEST(Json, canonical_text_is_its_own_canonical_form) {
    for (const char* text : {"1e20", "1E20", "123456789012345680000", "1e21", "-1e20", "[1e15,1e16,1e17,1e18,1e19]", R"({"b":{"d":1,"c":[{}]},"a":[]})"}) {
        const std::string once = canonical(text);
        EXPECT_EQ(canonical(once), once) << text;
    }
    EXPECT_EQ(canonical("9007199254740993"), "refused: JSON, at byte 16: an integer beyond 2^53 would change; write it as a string");
    EXPECT_EQ(canonical("-9007199254740992"), "-9007199254740992");
}

TEST(Json, case_G4_every_double_comes_back_from_its_text) {
    const std::uint64_t seed = SystemRandom().u64();
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    for (int round = 0; round < 50'000; ++round) {
        const double v = std::bit_cast<double>(random.next());
        if (!std::isfinite(v) || v == 0) continue;
        std::string text;
        append_json_number(text, v);
        EXPECT_TRUE(is_json_number(text)) << text;
        const auto back = parse_double(text);
        ASSERT_TRUE(back) << text;
        ASSERT_EQ(std::bit_cast<std::uint64_t>(*back), std::bit_cast<std::uint64_t>(v)) << text;
        ASSERT_EQ(canonical(text), text);
    }
}

TEST(Json, case_G6_what_is_no_unicode_text_is_refused_by_name) {
    for (const char* text : {R"("\ud800")", R"("\udc00")", R"("\ud800\ud800")", R"("\ud800\u0041")", R"("\ud800x")", R"({"\udead":1})"})
        EXPECT_NE(canonical(text).find("a lone surrogate is no character"), std::string::npos) << text;
    EXPECT_EQ(canonical(R"("\ud83d\ude00")"), "\"😀\"");
    EXPECT_EQ(canonical(R"("\u0000")"), "refused: JSON, at byte 7: a NUL character is not allowed");
    for (const std::string_view bytes : {"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "\xef\xbb"})
        EXPECT_NE(canonical(bytes).find("UTF-8"), std::string::npos);
    EXPECT_NE(canonical(std::string_view("\"a\0b\"", 5)).find("NUL"), std::string::npos);
    EXPECT_NE(canonical("\xef\xbb\xbf{}").find("no value begins"), std::string::npos) << "a byte order mark";
}

TEST(Json, case_G7_G9_names_are_bytes_and_none_is_special) {
    EXPECT_EQ(canonical(R"({"__proto__":1,"constructor":2,"":3,"a b":4,"\"":5})"), R"({"":3,"\"":5,"__proto__":1,"a b":4,"constructor":2})");
    EXPECT_EQ(canonical("{\"\u00e9\":1,\"e\u0301\":2}"), "{\"e\u0301\":2,\"\u00e9\":1}");
    EXPECT_NE(canonical(R"({"a":1,"\u0061":2})").find("twice"), std::string::npos);
    EXPECT_EQ(canonical("{\"a\":1,\"a\\r\":2,\"a \":3,\"A\":4}"), "{\"A\":4,\"a\":1,\"a\\r\":2,\"a \":3}");
}

TEST(Json, nesting_ends_where_it_says) {
    const auto nested = [](int depth) { return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']'); };
    EXPECT_EQ(canonical(nested(kJsonDepthMax)), nested(kJsonDepthMax));
    EXPECT_NE(canonical(nested(kJsonDepthMax + 2)).find("too deep"), std::string::npos);
    EXPECT_NE(canonical(std::string(1'000'000, '[')).find("too deep"), std::string::npos);
}

}  // namespace
}  // namespace skerry::model
