#include "kit/plan/vocabulary.hpp"

#include <algorithm>
#include <cstdio>

#include "kit/events/seeds.hpp"
#include "model/value.hpp"

namespace skerry::kit {

namespace {

using model::Merge;
using model::Type;

constexpr std::string_view kWhere[] = {"north", "south", "east", "west"};
constexpr std::string_view kWhat[] = {"gate", "roof", "cellar", "window", "kitchen"};
constexpr std::string_view kHow[] = {"locked", "leaking", "empty", "flooded", "swept"};
constexpr std::string_view kWhen[] = {"monday", "tuesday", "friday", "sunday"};
constexpr std::string_view kDo[] = {"call", "meet", "tell", "visit"};
constexpr std::string_view kWhom[] = {"neighbour", "owner", "doctor", "driver"};
constexpr std::string_view kThen[] = {"soon", "later", "today", "tomorrow"};
constexpr std::span<const std::string_view> kProse[] = {kWhere, kWhat, kHow, kWhen, kDo, kWhom, kThen};

constexpr std::string_view kShort[] = {"red", "green", "blue", "grey", "white"};
constexpr std::string_view kNames[] = {"Miller", "Okoro", "Lindqvist", "Tanaka", "Haddad"};
constexpr std::string_view kTags[] = {"food", "water", "heat", "school", "repair"};
constexpr std::string_view kJson[] = {"{\"a\":1}", "{\"a\":2}", "{\"b\":[1,2]}", "[]", "\"x\""};
constexpr double kReals[] = {0.5, 1.25, 2.0, 3.75, 10.0};

constexpr std::string_view kProseNames[] = {"note", "body", "comment", "descr", "text", "remark", "message", "content", "summary", "detail", "memo", "report"};
constexpr std::string_view kAmountNames[] = {"stock", "count", "visits", "quantity", "qty", "amount", "balance", "total", "number_of", "points", "score", "likes", "votes", "hours", "left"};
constexpr int kTriesMax = 200;

template <class List>
std::string any_of(Random& random, const List& list) {
    return std::string(list[random.below(std::size(list))]);
}
template <class List>
bool is_named_like(const model::Attribute& attribute, const List& names) {
    return std::any_of(std::begin(names), std::end(names), [&](std::string_view name) { return attribute.name.find(name) != std::string::npos; });
}

bool is_prose(const model::Attribute& attribute) {
    return attribute.type == Type::kText && !attribute.references && (attribute.merge == Merge::kText || is_named_like(attribute, kProseNames));
}

std::string prose(Random& random) {
    std::string out;
    for (const auto& kind : kProse) out += (out.empty() ? "" : " ") + std::string(kind[random.below(kind.size())]);
    return out;
}

std::string with_digits(const char* format, std::int64_t n) {
    char text[64];
    std::snprintf(text, sizeof text, format, static_cast<long long>(n));
    return text;
}

std::int64_t power_of_ten(int digits) {
    std::int64_t out = 1;
    for (int i = 0; i < digits; ++i) out *= 10;
    return out;
}

// Numbers and texts as they stand in a condition.
std::vector<std::string> literals(const std::string& expression) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < expression.size();) {
        const char c = expression[at];
        if (c == '\'') {
            const std::size_t end = std::min(expression.find('\'', at + 1), expression.size());
            out.push_back(expression.substr(at, end - at));  // with the first quote: told apart from numbers by it
            at = end + 1;
        } else if (c >= '0' && c <= '9') {
            const std::size_t end = std::min(expression.find_first_not_of("0123456789.", at), expression.size());
            out.push_back(expression.substr(at, end - at));
            at = end;
        } else if ((c >= 'a' && c <= 'z') || c == '_') {
            at = std::min(expression.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789", at), expression.size());
        } else {
            ++at;
        }
    }
    return out;
}

}  // namespace

std::span<const std::string_view> words_like(std::string_view word) {
    for (const auto& kind : kProse)
        if (std::find(kind.begin(), kind.end(), word) != kind.end()) return kind;
    return {};
}

Manner Vocabulary::manner(const model::Entity& entity, const model::Attribute& attribute) {
    if (attribute.merge == Merge::kCounter) return Manner::kAddedTo;
    if (attribute.type == Type::kSet) return Manner::kMembers;
    const auto at = entity.attribute_named(attribute.name);
    if (attribute.references || !at || is_unique(entity, *at)) return Manner::kReplaced;
    if (is_prose(attribute)) return Manner::kReworded;
    const bool number = attribute.type == Type::kInt || attribute.type == Type::kDecimal;
    return number && attribute.merge == Merge::kLast && is_named_like(attribute, kAmountNames) ? Manner::kAddedTo : Manner::kReplaced;
}

bool Vocabulary::is_unique(const model::Entity& entity, std::uint32_t attribute) {
    return std::any_of(entity.unique.begin(), entity.unique.end(), [&](const model::AttributeList& list) { return list.size() == 1 && list.front() == attribute; });
}

std::string Vocabulary::key(EntityIx entity, std::int64_t n) const {
    const model::Entity& of = model_.entity(entity);
    if (of.key.type == Type::kUuid) return with_digits("018f0000-0000-7000-8000-%012llx", (std::int64_t{entity.value} << 20) + n);
    return of.name + "-" + std::to_string(n + 1);
}

Value Vocabulary::numbered(const model::Attribute& attribute, std::int64_t n) const {
    switch (attribute.type) {
        case Type::kUuid: return with_digits("018f0000-0000-7000-9000-%012llx", n);
        case Type::kInt:
        case Type::kDecimal: return n + 1;
        case Type::kReal: return static_cast<double>(n) + 0.5;
        case Type::kBool: return n % 2;
        case Type::kDate: return with_digits("2026-11-%02lld", 1 + n % 28);
        case Type::kTimestamp: return with_digits("2026-11-%02lldT10:00:00.000000Z", 1 + n % 28);
        case Type::kEnum: return attribute.values[static_cast<std::size_t>(n) % attribute.values.size()];
        case Type::kSet: return "[" + std::string("\"") + std::to_string(n) + "\"]";
        case Type::kJson: return std::to_string(n);
        case Type::kBlob: return Blob{static_cast<std::uint8_t>(n)};
        case Type::kText: break;
    }
    if (attribute.name.find("mail") != std::string::npos) return "p" + std::to_string(n + 1) + "@example.org";
    return "A-" + std::to_string(n + 1);
}

Value Vocabulary::amount(Random& random, const model::Attribute& attribute) const {
    std::int64_t n = between(random, 1, 5);
    if (chance(random, 350)) n = -n;
    return attribute.type == Type::kDecimal ? n * power_of_ten(attribute.scale) : n;
}

std::string Vocabulary::word(Random& random) { return any_of(random, kProse[random.below(std::size(kProse))]); }
std::string Vocabulary::tag(Random& random) { return any_of(random, kTags); }

// Where a condition compares with something, values beside it are the likely ones.
std::optional<Value> Vocabulary::literal(Random& random, const model::Entity& entity, const model::Attribute& attribute) const {
    std::vector<std::string> found;
    for (const model::Check& check : entity.checks)
        if (check.expression.find(attribute.name) != std::string::npos)
            for (std::string& one : literals(check.expression)) found.push_back(std::move(one));
    if (found.empty()) return std::nullopt;
    const std::string& one = found[random.below(found.size())];
    if (one.starts_with('\'')) {
        const std::string text = one.substr(1);
        if (attribute.type != Type::kText && attribute.type != Type::kDate && attribute.type != Type::kTimestamp && attribute.type != Type::kEnum) return std::nullopt;
        return model::check_value(entity, attribute, text) ? std::optional<Value>(text) : std::nullopt;
    }
    const std::int64_t beside = between(random, -2, 2);
    if (attribute.type == Type::kText) {  // a length, perhaps
        const auto length = std::clamp<std::int64_t>(std::strtoll(one.c_str(), nullptr, 10) + beside, 0, 60);
        std::string text;
        text.append(static_cast<std::size_t>(length), static_cast<char>('a' + random.below(5)));
        return text;
    }
    Value value;
    if (attribute.type == Type::kInt) value = static_cast<std::int64_t>(std::strtoll(one.c_str(), nullptr, 10)) + beside;
    if (attribute.type == Type::kReal) value = std::strtod(one.c_str(), nullptr) + static_cast<double>(beside);
    if (attribute.type == Type::kDecimal) value = static_cast<std::int64_t>(std::strtod(one.c_str(), nullptr) * static_cast<double>(power_of_ten(attribute.scale))) + beside;
    if (is_null(value) || !model::check_value(entity, attribute, value)) return std::nullopt;
    return value;
}

Value Vocabulary::value(Random& random, const model::Entity& entity, const model::Attribute& attribute) const {
    if (!attribute.required && chance(random, attribute.references ? 200 : 80)) return Null{};
    if (attribute.references) return key(*attribute.references, between(random, 0, kFirstRows - 1));
    const auto at = entity.attribute_named(attribute.name);
    if (at && is_unique(entity, *at)) return numbered(attribute, between(random, 0, 30));
    if (chance(random, 400))
        if (auto value = literal(random, entity, attribute)) return std::move(*value);
    switch (attribute.type) {
        case Type::kUuid: return numbered(attribute, between(random, 0, 5));
        case Type::kInt: return between(random, 1, 20);
        case Type::kDecimal: {
            const std::int64_t limit = power_of_ten(std::min<int>(attribute.precision, 3));
            return between(random, 0, limit - 1);
        }
        case Type::kReal: return kReals[random.below(std::size(kReals))];
        case Type::kBool: return between(random, 0, 1);
        case Type::kDate:
        case Type::kTimestamp: return numbered(attribute, between(random, 0, 20));
        case Type::kJson: return any_of(random, kJson);
        case Type::kBlob: return Blob(static_cast<std::size_t>(between(random, 1, 4)), static_cast<std::uint8_t>(random.below(256)));
        case Type::kEnum: return attribute.values[random.below(attribute.values.size())];
        case Type::kSet: {
            const std::string one = tag(random), other = tag(random);
            return one == other ? "[\"" + one + "\"]" : "[\"" + std::min(one, other) + "\",\"" + std::max(one, other) + "\"]";
        }
        case Type::kText: break;
    }
    if (is_prose(attribute)) return prose(random);
    return attribute.name.find("name") != std::string::npos ? any_of(random, kNames) : any_of(random, kShort);
}

bool Vocabulary::is_sound(const model::Entity& entity, const std::string& key, const model::Row& row) const {
    return std::all_of(entity.checks.begin(), entity.checks.end(), [&](const model::Check& check) { return holds_(entity, key, row, check.expression) != std::optional(false); });
}

std::optional<model::Row> Vocabulary::row(Random& random, EntityIx entity, const std::string& key, std::int64_t n) const {
    const model::Entity& of = model_.entity(entity);
    for (int i = 0; i < kTriesMax; ++i) {
        model::Row row;
        for (std::uint32_t a = 0; a < of.attributes.size(); ++a) {
            const bool by_number = is_unique(of, a) && !of.attributes[a].references && i < kTriesMax / 2;
            row.push_back(by_number ? numbered(of.attributes[a], n) : value(random, of, of.attributes[a]));
        }
        if (is_sound(of, key, row)) return row;
    }
    return std::nullopt;
}

}  // namespace skerry::kit
