// What each type takes, refuses and keeps, through every form a value has here: canonical, stored, JSON, typed in.
#include "model/value.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/random.hpp"

namespace skerry::model {
namespace {

Attribute of(Type type) {
    Attribute a{"a", type};
    a.precision = kPrecisionMax;
    a.scale = 2;
    if (type == Type::kEnum) a.values = {"open", "", "null", "été"};
    return a;
}

const Entity& entity() {
    static const Entity e{"e", {"id", Type::kText}};
    return e;
}

Value through_bytes(const Value& value) {
    Bytes bytes;
    Writer out(bytes);
    put_value(out, value);
    Reader in(bytes);
    Value back = get_value(in);
    EXPECT_TRUE(in.at_end());
    return back;
}

void expect_kept(Type type, const Value& value) {
    const Attribute a = of(type);
    SCOPED_TRACE(std::string(type_name(type)) + " " + to_text(value));
    EXPECT_TRUE(check_value(entity(), a, value));
    EXPECT_EQ(through_bytes(value), value);
    const auto again = canonical(entity(), a, value);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, value);
    std::string json;
    append_json(json, a, value);
    const auto from_json = value_from_json(entity(), a, json);
    ASSERT_TRUE(from_json) << json << ": " << describe(from_json.error());
    EXPECT_EQ(*from_json, value) << json;
    if (const auto* v = std::get_if<double>(&value)) {
        EXPECT_EQ(std::bit_cast<std::uint64_t>(std::get<double>(*from_json)), std::bit_cast<std::uint64_t>(*v));
        EXPECT_EQ(std::bit_cast<std::uint64_t>(std::get<double>(through_bytes(value))), std::bit_cast<std::uint64_t>(*v));
    }
}

Code refusal(Type type, const Value& value) {
    const auto checked = check_value(entity(), of(type), value);
    EXPECT_FALSE(checked) << type_name(type) << " took " << to_text(value).substr(0, 100);
    return checked ? Code::kInternal : checked.error().code;
}

Code json_refusal(Type type, std::string_view json) {
    const auto made = value_from_json(entity(), of(type), json);
    EXPECT_FALSE(made) << type_name(type) << " took " << json;
    return made ? Code::kInternal : made.error().code;
}

constexpr Type kTypes[] = {Type::kUuid, Type::kText, Type::kInt,       Type::kReal, Type::kDecimal, Type::kBool,
                           Type::kDate, Type::kEnum, Type::kTimestamp, Type::kJson, Type::kBlob,    Type::kSet};

TEST(Values, case_G1_integers_are_exact_to_both_ends) {
    for (const std::int64_t n : {INT64_MIN, INT64_MIN + 1, std::int64_t{-9007199254740993}, std::int64_t{-1}, std::int64_t{0}, std::int64_t{9007199254740991},
                                 std::int64_t{9007199254740992}, std::int64_t{9007199254740993}, INT64_MAX - 1, INT64_MAX})
        expect_kept(Type::kInt, n);
    std::string json;
    append_json(json, of(Type::kInt), std::int64_t{9007199254740993});
    EXPECT_EQ(json, "\"9007199254740993\"");
    // Others may write it as a number: its digits count, not what a double makes of them.
    EXPECT_EQ(*value_from_json(entity(), of(Type::kInt), " 9007199254740993 "), Value{std::int64_t{9007199254740993}});
    for (const char* text : {"9223372036854775808", "-9223372036854775809", "1.0", "4.9999999999999999999", "1e2", "\"\"", "\" 1\"", "\"0x10\"", "\"+1\"", "true", "[1]"})
        EXPECT_EQ(json_refusal(Type::kInt, text), Code::kValueInvalid) << text;
}

TEST(Values, case_G3_numbers_that_are_none_are_refused_and_minus_zero_is_zero) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    for (const double v : {std::numeric_limits<double>::quiet_NaN(), kInfinity, -kInfinity, -0.0}) EXPECT_EQ(refusal(Type::kReal, v), Code::kValueInvalid);
    const auto zero = canonical(entity(), of(Type::kReal), -0.0);
    ASSERT_TRUE(zero);
    EXPECT_FALSE(std::signbit(std::get<double>(*zero)));
    EXPECT_FALSE(std::signbit(std::get<double>(*value_from_json(entity(), of(Type::kReal), "-0"))));
    for (const double v : {5e-324, -5e-324, 2.2250738585072009e-308, std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest(), 1152921504606846976.0,
                           9007199254740993.0, 1e20, 0.1 + 0.2})
        expect_kept(Type::kReal, v);
    for (const char* text : {"NaN", "Infinity", "1e400", "\"1\"", "true"}) EXPECT_EQ(json_refusal(Type::kReal, text), Code::kValueInvalid) << text;
}

TEST(Values, case_G4_any_double_is_bit_equal_everywhere) {
    const std::uint64_t seed = SystemRandom().u64();
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    for (int round = 0; round < 5000; ++round) {
        const double v = std::bit_cast<double>(random.next());
        if (std::isfinite(v) && v != 0) expect_kept(Type::kReal, v);
        if (HasFailure()) return;
    }
}

TEST(Values, case_G5_G6_text_is_utf8_without_nul) {
    for (const std::string_view bad : {std::string_view("a\0b", 3), std::string_view("\0", 1), std::string_view("\xff"), std::string_view("\xc0\xaf"), std::string_view("\xed\xa0\x80"),
                                       std::string_view("\xf5\x80\x80\x80"), std::string_view("\xe2\x82")}) {
        EXPECT_EQ(refusal(Type::kText, std::string(bad)), Code::kValueInvalid);
        EXPECT_EQ(check_key(entity(), bad).error().code, Code::kValueInvalid);
    }
    expect_kept(Type::kBlob, Blob{0, 0, 255, 0});
    EXPECT_EQ(json_refusal(Type::kText, R"("\u0000")"), Code::kValueInvalid);
    EXPECT_EQ(json_refusal(Type::kText, R"("\ud83d")"), Code::kValueInvalid);
}

TEST(Values, case_G7_G8_G9_keys_and_texts_are_opaque_bytes) {
    const std::string texts[] = {"\u00e9", "e\u0301", "a", "A", "a ", " a", "a\r", "a\r\n", "\t", "__proto__", "constructor", "from", "'; DROP TABLE x; --", "\"", "\u2028", "\ufeff", "\u202e", "null", "NULL", "0"};
    std::set<std::uint64_t> hashes;
    for (const std::string& text : texts) {
        EXPECT_TRUE(check_key(entity(), text)) << text;
        expect_kept(Type::kText, text);
        hashes.insert(value_hash(text));
    }
    EXPECT_EQ(hashes.size(), std::size(texts));
    EXPECT_EQ(check_key(entity(), "").error().code, Code::kValueInvalid);
    EXPECT_EQ(check_key(entity(), std::string(kKeyBytesMax + 1, 'k')).error().code, Code::kRowTooBig);
    EXPECT_TRUE(check_key(entity(), std::string(kKeyBytesMax, 'k')));
}

TEST(Values, case_G10_null_empty_and_the_word_null_stay_apart) {
    std::set<std::uint64_t> hashes;
    for (const Value& value : {Value{Null{}}, Value{std::string()}, Value{std::string("null")}, Value{std::string("NULL")}, Value{Blob{}}, Value{std::int64_t{0}}}) {
        hashes.insert(value_hash(value));
        EXPECT_EQ(through_bytes(value), value);
    }
    EXPECT_EQ(hashes.size(), 6u);
    for (const Type type : kTypes) expect_kept(type, Null{});
    for (const Type type : {Type::kText, Type::kEnum})
        for (const char* text : {"", "null"}) expect_kept(type, std::string(text));
    EXPECT_EQ(*value_from_text(entity(), of(Type::kText), "null"), Value{Null{}});
    EXPECT_EQ(*value_from_text(entity(), of(Type::kText), "\"null\""), Value{std::string("null")});
    EXPECT_EQ(*value_from_text(entity(), of(Type::kText), ""), Value{std::string()});
    // JSON has one null, so a json attribute has one too.
    EXPECT_EQ(*canonical(entity(), of(Type::kJson), std::string(" null ")), Value{Null{}});
    EXPECT_EQ(refusal(Type::kJson, std::string("null")), Code::kValueInvalid);
    expect_kept(Type::kJson, std::string("\"null\""));
    expect_kept(Type::kJson, std::string("[null]"));
}

TEST(Values, case_G13_sizes_end_where_they_say) {
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}, kValueBytesMax}) expect_kept(Type::kText, std::string(n, 'x'));
    EXPECT_EQ(refusal(Type::kText, std::string(kValueBytesMax + 1, 'x')), Code::kRowTooBig);
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}, kBlobBytesMax}) expect_kept(Type::kBlob, Blob(n, 0));
    EXPECT_EQ(refusal(Type::kBlob, Blob(kBlobBytesMax + 1, 0)), Code::kRowTooBig);
    Entity wide{"wide", {"id", Type::kText}};
    for (int i = 0; i < 3; ++i) wide.attributes.push_back({"t" + std::to_string(i), Type::kText});
    EXPECT_EQ(check_row(wide, "k", Row(3, std::string(kValueBytesMax, 'x'))).error().code, Code::kRowTooBig);
    EXPECT_TRUE(check_row(wide, "k", {std::string(kValueBytesMax, 'x'), std::string(kValueBytesMax, 'x'), Null{}}));
}

TEST(Values, case_G14_a_value_of_another_type_is_refused) {
    const Value kinds[] = {std::int64_t{5}, 0.5, std::string("x"), Blob{1}};
    const auto fits = [](Type type) -> std::size_t {
        switch (type) {
            case Type::kInt: case Type::kBool: case Type::kDecimal: return 0;
            case Type::kReal: return 1;
            case Type::kBlob: return 3;
            default: return 2;
        }
    };
    for (const Type type : kTypes)
        for (std::size_t i = 0; i < 4; ++i)
            if (i != fits(type)) { EXPECT_EQ(refusal(type, kinds[i]), Code::kValueInvalid); }
    EXPECT_EQ(refusal(Type::kBool, std::int64_t{2}), Code::kValueInvalid);
    EXPECT_EQ(refusal(Type::kEnum, std::string("closed")), Code::kValueInvalid);
}

TEST(Values, case_G15_each_type_through_every_form) {
    for (const char* text : {"018f3a5e-0000-7000-8000-000000000001", "00000000-0000-0000-0000-000000000000"}) expect_kept(Type::kUuid, std::string(text));
    for (const char* text : {"018F3A5E-0000-7000-8000-000000000001", "", "{018f3a5e-0000-7000-8000-000000000001}", "018f3a5e00007000800000000000000 1"})
        EXPECT_EQ(refusal(Type::kUuid, std::string(text)), Code::kValueInvalid);
    for (const char* text : {"0000-01-01", "9999-12-31", "2024-02-29", "2000-02-29", "1900-02-28"}) expect_kept(Type::kDate, std::string(text));
    for (const char* text : {"2023-02-29", "1900-02-29", "2026-13-01", "2026-00-01", "2026-04-31", "26-01-01", "2026-1-1", "2026/01/01", "10000-01-01", "-001-01-01", "2026-01-01T00:00:00Z"})
        EXPECT_EQ(refusal(Type::kDate, std::string(text)), Code::kValueInvalid);
    for (const char* text : {"2026-11-21T10:30:00.000000Z", "0000-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"}) expect_kept(Type::kTimestamp, std::string(text));
    for (const char* text : {"2026-11-21T10:30:00Z", "2026-11-21T24:00:00.000000Z", "2026-11-21T23:59:60.000000Z", "2026-11-21T10:30:00.000000+00:00", "2026-11-21 10:30:00.000000Z"})
        EXPECT_EQ(refusal(Type::kTimestamp, std::string(text)), Code::kValueInvalid);
    for (const std::int64_t n : {0, 1}) expect_kept(Type::kBool, n);
    for (const char* text : {"open", "été"}) expect_kept(Type::kEnum, std::string(text));
    for (const char* text : {"[]", "[\"\",\"a\",\"é\"]", "[\"B\",\"a\"]", "[\"\\n\",\"\\\"\"]"}) expect_kept(Type::kSet, std::string(text));
    for (const char* text : {"[\"a\",\"a\"]", "[\"b\",\"a\"]", "[1]", "{}", "[ ]", "[\"a\", \"b\"]", "", "[\"\\u0061\"]"}) EXPECT_EQ(refusal(Type::kSet, std::string(text)), Code::kValueInvalid);
    EXPECT_EQ(*canonical(entity(), of(Type::kSet), std::string("[ \"b\", \"a\", \"\\u0061\" ]")), Value{std::string("[\"a\",\"b\"]")});
    for (const char* text : {"{}", "[]", "\"\"", "0", "true", R"({"":{"a":[1,2.5,-3e-7]}})"}) expect_kept(Type::kJson, std::string(text));
    EXPECT_EQ(*canonical(entity(), of(Type::kJson), std::string("{\"b\": 1.0, \"a\": 1E2}")), Value{std::string("{\"a\":100,\"b\":1}")});
    for (const char* text : {"\"AP8=\"", "\"\""}) EXPECT_TRUE(value_from_json(entity(), of(Type::kBlob), text));
    for (const char* text : {"\"AP8\"", "\"AP9=\"", "\"A-8=\"", "\"A=8=\"", "\"====\"", "1", "[0]"}) EXPECT_EQ(json_refusal(Type::kBlob, text), Code::kValueInvalid) << text;
}

TEST(Values, decimals_are_exact_to_the_digit) {
    const Attribute a = of(Type::kDecimal);
    const std::pair<const char*, std::int64_t> same[] = {{"12.34", 1234}, {"-0.05", -5}, {"0.00", 0}, {"7.00", 700}, {"-9999999999999999.99", -999999999999999999}, {"9999999999999999.99", 999999999999999999}};
    for (const auto& [text, scaled] : same) {
        EXPECT_EQ(decimal_text(a, scaled), text);
        EXPECT_EQ(*decimal_from_text(entity(), a, text), scaled);
        // As a number too: a double would make 9999999999999999.99 into 10000000000000000.
        EXPECT_EQ(*value_from_json(entity(), a, text), Value{scaled});
        expect_kept(Type::kDecimal, scaled);
    }
    EXPECT_EQ(*decimal_from_text(entity(), a, "7"), 700);
    EXPECT_EQ(*decimal_from_text(entity(), a, "7.5"), 750);
    EXPECT_EQ(*decimal_from_text(entity(), a, "7.5000000000000000000000"), 750);
    EXPECT_EQ(*decimal_from_text(entity(), a, "-0"), 0);
    for (const char* text : {"", "-", ".", "7.", "7.555", "1e3", "+7", " 7", "7,5", "0x7", "--7", "7.5.5", "10000000000000000.00", "99999999999999999999999999999999999999", "NaN"})
        EXPECT_FALSE(decimal_from_text(entity(), a, text)) << text;
    for (const char* json : {"7.555", "1e3", "9999999999999999.991", "true", "[7]"}) EXPECT_EQ(json_refusal(Type::kDecimal, json), Code::kValueInvalid) << json;
    EXPECT_EQ(refusal(Type::kDecimal, std::int64_t{1000000000000000000}), Code::kValueInvalid);
    EXPECT_EQ(refusal(Type::kDecimal, std::int64_t{INT64_MIN}), Code::kValueInvalid);
    Attribute whole = a;
    whole.scale = 0;
    EXPECT_EQ(decimal_text(whole, -12), "-12");
    EXPECT_EQ(*decimal_from_text(entity(), whole, "-12.0"), -12);
    Attribute fraction = a;
    fraction.scale = kPrecisionMax;
    EXPECT_EQ(decimal_text(fraction, 5), "0.000000000000000005");
    EXPECT_EQ(*decimal_from_text(entity(), fraction, "-0.000000000000000005"), -5);
    EXPECT_FALSE(decimal_from_text(entity(), fraction, "1"));
}

TEST(Values, case_G12_numbers_and_times_at_the_edge_are_exact_or_refused) {
    const Attribute decimal = of(Type::kDecimal);
    EXPECT_EQ(decimal_from_text(entity(), decimal, "9999999999999999.99"), std::int64_t{999'999'999'999'999'999});
    EXPECT_EQ(decimal_from_text(entity(), decimal, "12345678901234567890123456789012345678901234567890").error().code, Code::kValueInvalid);
    EXPECT_EQ(decimal_from_text(entity(), decimal, "1.005").error().code, Code::kValueInvalid);  // would be rounded
    Entity wide = entity();
    wide.attributes = {decimal};
    wide.attributes[0].precision = 50;
    const Model model{"m", 1, {wide}};
    EXPECT_EQ(check(model).error().code, Code::kModelInvalid);
    for (const char* good : {"0001-01-01", "9999-12-31", "2024-02-29"})
        EXPECT_TRUE(check_value(entity(), of(Type::kDate), std::string(good))) << good;
    for (const char* bad : {"10000-01-01", "-0001-01-01", "2023-02-29", "infinity", "2026-1-1"})
        EXPECT_EQ(check_value(entity(), of(Type::kDate), std::string(bad)).error().code, Code::kValueInvalid) << bad;
    for (const char* bad : {"infinity", "2026-11-21T24:00:00.000000Z", "2026-11-21T10:00:60.000000Z", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00.000000+01"})
        EXPECT_EQ(check_value(entity(), of(Type::kTimestamp), std::string(bad)).error().code, Code::kValueInvalid) << bad;
}

TEST(Values, generated_decimals_come_back_from_their_text) {
    const std::uint64_t seed = SystemRandom().u64();
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    for (int round = 0; round < 5000; ++round) {
        Attribute a = of(Type::kDecimal);
        a.precision = static_cast<std::uint8_t>(1 + random.below(kPrecisionMax));
        a.scale = static_cast<std::uint8_t>(random.below(a.precision + 1u));
        std::int64_t end = 1;
        for (int i = 0; i < a.precision; ++i) end *= 10;
        const std::int64_t n = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(end))) * (random.below(2) == 0 ? 1 : -1);
        const std::string text = decimal_text(a, n);
        const auto back = decimal_from_text(entity(), a, text);
        ASSERT_TRUE(back) << text;
        ASSERT_EQ(*back, n) << text;
    }
}

}  // namespace
}  // namespace skerry::model
