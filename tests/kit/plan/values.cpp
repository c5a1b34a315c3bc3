#include "kit/plan/values.hpp"

#include "kit/events/seeds.hpp"

namespace skerry::kit {

namespace {

constexpr std::string_view kTexts[] = {
    "", "a", "b", "ä", "naïve café", "日本語", "\xF0\x9F\x98\x80 emoji", "e\xCC\x81", "line\nbreak", "quote ' \" ;",
    "%41 percent", "  spaces  ", "NULL", "0", "-1", "1e3", "\xEF\xBB\xBF bom", "Z\xCC\x8A\xE2\x80\xAE rtl"};
constexpr std::int64_t kIntegers[] = {0, 1, -1, 2, 7, 100, INT64_MAX, INT64_MIN, 9007199254740993, -9007199254740993, 4294967296};
constexpr double kReals[] = {0.0, 0.1, 0.1 + 0.2, -1.5, 1e300, -1e-300, 5e-324, 9007199254740993.0, 123456789.123456789, 1e16, 1.7976931348623157e308};
constexpr std::string_view kJson[] = {"{}", "[]", "null", "1", "1.50", "\"x\"", "{\"b\":1, \"a\":[2, 1]}", "{\"a\":[2,1],\"b\":1}", "[1e2,0.0001]",
                                      " {\"\\u0061\":\"\\u00e9\"} ", "{\"n\":{\"n\":[true,false,null]}}", "[100]", "\"\\ud83d\\ude00\""};

template <class T, std::size_t N>
T any_of(Random& random, const T (&values)[N]) {
    return values[random.below(N)];
}

// Six words whose place is in their name: what two people change, they change at places that can be told apart.
std::string words(Random& random) {
    std::string out;
    for (int i = 0; i < 6; ++i) {
        out += (i == 0 ? "w" : " w") + std::to_string(i);
        if (chance(random, 250)) out += "x" + std::to_string(random.below(50));
    }
    return out;
}

std::string set_of_tags(Random& random) {
    std::string out = "[";
    const char* space = chance(random, 200) ? " " : "";
    for (auto n = random.below(5); n > 0; --n) {
        if (out.size() > 1) out += std::string(",") + space;
        out += std::string("\"") + static_cast<char>('a' + random.below(5)) + "\"";  // unsorted, and twice perhaps
    }
    return out + "]";
}

Blob blob(Random& random) {
    Blob out;
    const auto n = chance(random, 120) ? 9000 : random.below(12);  // beyond 8 KiB old values travel as a hash
    const auto first = static_cast<std::uint8_t>(random.below(256));
    for (std::uint64_t i = 0; i < n; ++i) out.push_back(static_cast<std::uint8_t>(first + i));
    return out;
}

std::string day(Random& random) { return "2026-0" + std::to_string(1 + random.below(9)) + "-1" + std::to_string(random.below(10)); }

}  // namespace

Value random_text(Random& random) {
    if (chance(random, 120)) return Null{};
    if (chance(random, 30)) {
        std::string long_text(static_cast<std::size_t>(between(random, 200, 5000)), 'x');
        return long_text += std::to_string(random.below(99));
    }
    if (chance(random, 300)) return std::string(any_of(random, kTexts));
    return "t" + std::to_string(random.below(1000));
}

Value random_integer(Random& random) {
    if (chance(random, 120)) return Null{};
    if (chance(random, 300)) return any_of(random, kIntegers);
    return static_cast<std::int64_t>(random.below(1000));
}

Value random_value(Random& random, const model::Attribute& attribute, Oddity oddity) {
    using model::Merge;
    using model::Type;
    if (attribute.merge == Merge::kSet) return set_of_tags(random);
    if (attribute.merge == Merge::kText) return words(random);
    if (attribute.merge == Merge::kCounter) {
        if (attribute.type == Type::kDecimal) return between(random, -9000, chance(random, 60) ? 999'999 : 9000);
        return chance(random, 30) ? INT64_MAX - between(random, 0, 100) : between(random, -20, 200);
    }
    if (attribute.merge == Merge::kAsk || attribute.merge == Merge::kFirst) {  // few values, so that both also agree
        if (chance(random, 100)) return Null{};
        return std::string(1, static_cast<char>('p' + random.below(8)));
    }
    if (attribute.references) {
        if (chance(random, 200)) return Null{};
        return std::string(1, static_cast<char>('a' + random.below(chance(random, 100) ? 5 : 3)));
    }
    if (attribute.type != Type::kText && attribute.type != Type::kInt && chance(random, attribute.required ? 30 : 100)) return Null{};
    switch (attribute.type) {
        case Type::kInt: return attribute.merge == Merge::kMax ? (chance(random, 60) ? Value{std::int64_t{7000}} : Value{between(random, -5, 30)}) : random_integer(random);
        case Type::kReal: return any_of(random, kReals);
        case Type::kDecimal: return between(random, -20, 300);
        case Type::kBool: return between(random, 0, 1);
        case Type::kDate: return day(random);
        case Type::kTimestamp: return day(random) + "T10:30:00.00000" + std::to_string(random.below(10)) + "Z";
        case Type::kJson:
            if (oddity == Oddity::kAlsoRefused && chance(random, 40)) return std::string("{\"a\":1,\"a\":2}");
            return std::string(any_of(random, kJson));
        case Type::kBlob: return blob(random);
        case Type::kEnum: return attribute.values[random.below(attribute.values.size())];
        default: return attribute.required ? Value{"c" + std::to_string(random.below(8))} : random_text(random);
    }
}

Value random_value(Random& random, const model::Model& model, const model::Entity& entity, const model::Attribute& attribute, Oddity oddity) {
    if (!model.profiles.empty()) {
        if (attribute.name == "tag") return chance(random, 150) ? Value{Null{}} : Value{"r" + std::to_string(random.below(3))};
        if (entity.name == "member" && attribute.name == "user") return plan_user(static_cast<std::int64_t>(random.below(chance(random, 200) ? 3 : 2)));
        if (entity.name == "member" && attribute.references) return std::string(1, static_cast<char>('a' + random.below(3)));
    }
    return random_value(random, attribute, oddity);
}

}  // namespace skerry::kit
