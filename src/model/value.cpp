#include "model/value.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/planted.hpp"
#include "base/text.hpp"
#include "model/json.hpp"

namespace skerry::model {

namespace {

// On disk and on the wire: do not change a number.
enum class Tag : std::uint8_t { kNull = 0, kInt = 1, kReal = 2, kText = 3, kBlob = 4 };

// As a planted bug reads it.
double shortened(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.15g", value);
    return std::strtod(text, nullptr);
}

std::string place(const Entity& entity, const Attribute& attribute) {
    return entity.name + "." + attribute.name;
}

tl::unexpected<Error> invalid(const Entity& entity, const Attribute& attribute, std::string_view what) {
    return fail(Code::kValueInvalid, place(entity, attribute) + " " + std::string(what));
}

tl::unexpected<Error> too_big(const Entity& entity, const Attribute& attribute, std::size_t bytes, std::size_t limit) {
    return fail(Code::kRowTooBig, place(entity, attribute) + " has " + with_commas(bytes) + " bytes; the limit is " + with_commas(limit));
}

std::optional<int> number_at(std::string_view text, std::size_t at, std::size_t digits) {
    int n = 0;
    for (std::size_t i = at; i < at + digits; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        n = n * 10 + (text[i] - '0');
    }
    return n;
}

// 0000-01-01 to 9999-12-31, of the Gregorian calendar.
bool is_date(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
    const auto year = number_at(text, 0, 4);
    const auto month = number_at(text, 5, 2);
    const auto day = number_at(text, 8, 2);
    if (!year || !month || !day || *month < 1 || *month > 12 || *day < 1) return false;
    static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (*year % 4 == 0 && *year % 100 != 0) || *year % 400 == 0;
    return *day <= kDays[*month - 1] + (*month == 2 && leap ? 1 : 0);
}

bool is_timestamp(std::string_view text) {
    if (text.size() != 27 || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != '.' || text[26] != 'Z') return false;
    const auto hour = number_at(text, 11, 2);
    const auto minute = number_at(text, 14, 2);
    const auto second = number_at(text, 17, 2);
    return is_date(text.substr(0, 10)) && hour && *hour < 24 && minute && *minute < 60 && second && *second < 60 && number_at(text, 20, 6);
}

Result<std::string> canonical_set(std::string_view text) {
    SKERRY_ASSIGN(const auto elements, json_elements(text));
    std::vector<std::string> members;
    for (const std::string& element : elements) {
        if (element.front() != '"') return fail(Code::kValueInvalid, "a member of the set is not text");
        SKERRY_ASSIGN(std::string member, json_string_content(element));
        members.push_back(std::move(member));
    }
    std::sort(members.begin(), members.end());
    members.erase(std::unique(members.begin(), members.end()), members.end());
    std::string out = "[";
    for (const std::string& member : members) {
        if (out.size() > 1) out += ',';
        append_json_string(out, member);
    }
    return out + "]";
}

std::int64_t power_of_ten(unsigned n) {
    std::int64_t out = 1;
    while (n-- > 0) out *= 10;
    return out;
}

std::string_view without_space(std::string_view json) {
    constexpr std::string_view kSpace = " \t\n\r";
    const std::size_t from = json.find_first_not_of(kSpace);
    if (from == std::string_view::npos) return {};
    return json.substr(from, json.find_last_not_of(kSpace) + 1 - from);
}

Result<std::int64_t> int_from_text(const Entity& entity, const Attribute& attribute, std::string_view text) {
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || end != text.data() + text.size()) return invalid(entity, attribute, "is not an integer of 64 bits");
    return n;
}

Result<std::string> text_of(const Entity& entity, const Attribute& attribute, const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return invalid(entity, attribute, "is not text");
    if (text->size() > kValueBytesMax) return too_big(entity, attribute, text->size(), kValueBytesMax);
    if (!is_clean_text(*text)) return invalid(entity, attribute, "is not UTF-8 text without NUL");
    return *text;
}

Result<void> check_text(const Entity& entity, const Attribute& attribute, const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return invalid(entity, attribute, "is not text");
    if (text->size() > kValueBytesMax) return too_big(entity, attribute, text->size(), kValueBytesMax);
    switch (attribute.type) {
        case Type::kUuid:
            if (!is_canonical_uuid(*text)) return invalid(entity, attribute, "is not a uuid in lower case with hyphens");
            return {};
        case Type::kDate:
            if (!is_date(*text)) return invalid(entity, attribute, "is not a date like 2026-11-21");
            return {};
        case Type::kTimestamp:
            if (!is_timestamp(*text)) return invalid(entity, attribute, "is not a time in UTC like 2026-11-21T10:30:00.000000Z");
            return {};
        case Type::kEnum:
            if (std::find(attribute.values.begin(), attribute.values.end(), *text) == attribute.values.end())
                return invalid(entity, attribute, "is none of the values that the model lists for it");
            return {};
        case Type::kJson:
        case Type::kSet: {
            auto same = attribute.type == Type::kJson ? canonical_json(*text) : canonical_set(*text);
            if (!same) return invalid(entity, attribute, "is not allowed: " + same.error().message);
            if (*same != *text) return invalid(entity, attribute, "is not in its canonical form");
            if (*same == "null") return invalid(entity, attribute, "is the JSON null, which is written NULL");
            return {};
        }
        default:
            if (!is_clean_text(*text)) return invalid(entity, attribute, "is not UTF-8 text without NUL");
            return {};
    }
}

std::size_t payload(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return text->size();
    if (const auto* blob = std::get_if<Blob>(&value)) return blob->size();
    return 0;
}

}  // namespace

Result<void> check_value(const Entity& entity, const Attribute& attribute, const Value& value) {
    if (is_null(value)) return {};
    switch (attribute.type) {
        case Type::kInt:
            if (!std::holds_alternative<std::int64_t>(value)) return invalid(entity, attribute, "is not an integer");
            return {};
        case Type::kBool: {
            const auto* n = std::get_if<std::int64_t>(&value);
            if (n == nullptr || (*n != 0 && *n != 1)) return invalid(entity, attribute, "is neither 0 nor 1");
            return {};
        }
        case Type::kDecimal: {
            const auto* n = std::get_if<std::int64_t>(&value);
            const std::int64_t end = power_of_ten(attribute.precision);
            if (n == nullptr || *n >= end || *n <= -end)
                return invalid(entity, attribute, "is not an integer of at most " + std::to_string(attribute.precision) +
                                                      " digits (a decimal is stored without its point)");
            return {};
        }
        case Type::kReal: {
            const auto* v = std::get_if<double>(&value);
            if (v == nullptr || !std::isfinite(*v)) return invalid(entity, attribute, "is not a finite number");
            if (*v == 0 && std::signbit(*v)) return invalid(entity, attribute, "is -0.0, which is written 0.0");
            return {};
        }
        case Type::kBlob: {
            const auto* blob = std::get_if<Blob>(&value);
            if (blob == nullptr) return invalid(entity, attribute, "is not a blob");
            if (blob->size() > kBlobBytesMax) return too_big(entity, attribute, blob->size(), kBlobBytesMax);
            return {};
        }
        default: return check_text(entity, attribute, value);
    }
}

Result<Value> canonical(const Entity& entity, const Attribute& attribute, Value value) {
    if (auto* v = std::get_if<double>(&value); v != nullptr && *v == 0) *v = 0.0;
    if (!is_null(value) && (attribute.type == Type::kJson || attribute.type == Type::kSet)) {
        SKERRY_ASSIGN(const std::string text, text_of(entity, attribute, value));
        auto made = attribute.type == Type::kJson ? canonical_json(text) : canonical_set(text);
        if (!made) return invalid(entity, attribute, "is not allowed: " + made.error().message);
        if (*made == "null") return Value{Null{}};
        value = std::move(*made);
    }
    SKERRY_TRY(check_value(entity, attribute, value));
    return value;
}

Result<void> check_key(const Entity& entity, std::string_view key) {
    if (key.empty()) return fail(Code::kValueInvalid, place(entity, entity.key) + " is an empty key");
    if (key.size() > kKeyBytesMax) return too_big(entity, entity.key, key.size(), kKeyBytesMax);
    const bool good = entity.key.type == Type::kUuid ? is_canonical_uuid(key) : is_clean_text(key);
    if (!good)
        return invalid(entity, entity.key, entity.key.type == Type::kUuid ? "is not a uuid in lower case with hyphens"
                                                                          : "is not UTF-8 text without NUL");
    return {};
}

Result<void> check_row(const Entity& entity, std::string_view key, const Row& row) {
    SKERRY_TRY(check_key(entity, key));
    if (row.size() != entity.attributes.size())
        return fail(Code::kMalformedTxn, "a row of " + entity.name + " has " + std::to_string(row.size()) + " values, not " + std::to_string(entity.attributes.size()));
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
        SKERRY_TRY(check_value(entity, entity.attributes[i], row[i]));
        bytes += payload(row[i]);
    }
    if (bytes > kRowBytesMax)
        return fail(Code::kRowTooBig, "a row of " + entity.name + " has " + with_commas(bytes) +
                                          " bytes; the limit is " + with_commas(kRowBytesMax));
    return {};
}

void put_value(Writer& out, const Value& value) {
    switch (value.index()) {
        case 0: out.u8(static_cast<std::uint8_t>(Tag::kNull)); break;
        case 1:
            out.u8(static_cast<std::uint8_t>(Tag::kInt));
            out.zigzag(std::get<std::int64_t>(value));
            break;
        case 2:
            out.u8(static_cast<std::uint8_t>(Tag::kReal));
            out.u64(std::bit_cast<std::uint64_t>(std::get<double>(value)));
            break;
        case 3:
            out.u8(static_cast<std::uint8_t>(Tag::kText));
            out.bytes(std::get<std::string>(value));
            break;
        default:
            out.u8(static_cast<std::uint8_t>(Tag::kBlob));
            out.bytes(view_of(std::get<Blob>(value)));
            break;
    }
}

Value get_value(Reader& in) {
    switch (static_cast<Tag>(in.u8())) {
        case Tag::kNull: return Null{};
        case Tag::kInt: return in.zigzag();
        case Tag::kReal: {
            const auto value = std::bit_cast<double>(in.u64());
            return planted(Plant::kRealShortened) ? shortened(value) : value;
        }
        case Tag::kText: return std::string(in.bytes());
        case Tag::kBlob: {
            BytesView v = in.bytes();
            if (planted(Plant::kCutAtNul)) v = v.substr(0, v.find('\0'));
            return Blob(v.begin(), v.end());
        }
    }
    in.fail();
    return Null{};
}

void put_row(Writer& out, const Row& row) {
    for (const Value& value : row) put_value(out, value);
}

Row get_row(Reader& in, const Entity& entity) {
    Row row;
    row.reserve(entity.attributes.size());
    for (std::size_t i = 0; i < entity.attributes.size() && in.ok(); ++i) row.push_back(get_value(in));
    return row;
}

void put_counted_row(Writer& out, const Row& row) {
    out.varint(row.size());
    put_row(out, row);
}

Row get_counted_row(Reader& in, const Entity& entity) {
    const std::size_t n = in.count(1);
    if (n > entity.attributes.size()) in.fail();
    Row row;
    row.reserve(entity.attributes.size());
    for (std::size_t i = 0; i < n && in.ok(); ++i) row.push_back(get_value(in));
    while (in.ok() && row.size() < entity.attributes.size()) row.push_back(default_of(entity.attributes[row.size()]));
    return row;
}

Hash128 row_hash(const Entity& entity, const Row& row) {
    std::size_t n = row.size();
    while (n > 0 && row[n - 1] == default_of(entity.attributes[n - 1])) --n;
    Bytes bytes;
    Writer out(bytes);
    // Not empty for a row of defaults only: the hash of nothing is an absent row's neighbour, not its own.
    out.u8(1);
    for (std::size_t i = 0; i < n; ++i) put_value(out, row[i]);
    return hash128(bytes);
}

std::uint64_t value_hash(const Value& value) {
    Bytes bytes;
    Writer out(bytes);
    put_value(out, value);
    return hash64(bytes);
}

Value default_of(const Attribute& attribute) { return attribute.default_value.value_or(Value{Null{}}); }

std::string to_text(const Value& value) {
    switch (value.index()) {
        case 0: return "NULL";
        case 1: return std::to_string(std::get<std::int64_t>(value));
        case 2: return std::to_string(std::get<double>(value));
        case 3: return "'" + std::get<std::string>(value) + "'";
        default: return "x'" + hex(view_of(std::get<Blob>(value))) + "'";
    }
}

std::string decimal_text(const Attribute& attribute, std::int64_t scaled) {
    const bool negative = scaled < 0;
    std::string digits = std::to_string(scaled);
    if (negative) digits.erase(0, 1);
    const std::size_t scale = attribute.scale;
    if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
    if (scale > 0) digits.insert(digits.size() - scale, ".");
    return (negative ? "-" : "") + digits;
}

Result<std::int64_t> decimal_from_text(const Entity& entity, const Attribute& attribute, std::string_view text) {
    const auto refuse = [&] {
        return invalid(entity, attribute, "is not a decimal number with at most " + std::to_string(attribute.precision) + " digits, " +
                                              std::to_string(attribute.scale) + " of them behind the point");
    };
    std::string_view rest = text;
    const bool negative = rest.starts_with('-');
    if (negative) rest.remove_prefix(1);
    std::int64_t scaled = 0;
    std::size_t digits = 0;
    std::optional<std::size_t> behind;
    for (const char c : rest) {
        if (c == '.' && !behind) {
            behind = 0;
            continue;
        }
        if (c < '0' || c > '9') return refuse();
        if (behind && ++*behind > attribute.scale) {
            if (c != '0') return refuse();  // 1.50 fits a scale of one; 1.55 would be rounded
            continue;
        }
        if (scaled > (INT64_MAX - 9) / 10) return refuse();
        scaled = scaled * 10 + (c - '0');
        ++digits;
    }
    if (digits == 0 || (behind && *behind == 0)) return refuse();
    for (std::size_t i = behind ? std::min<std::size_t>(*behind, attribute.scale) : 0; i < attribute.scale; ++i) {
        if (scaled > INT64_MAX / 10) return refuse();
        scaled *= 10;
    }
    if (scaled >= power_of_ten(attribute.precision)) return refuse();
    return negative ? -scaled : scaled;
}

void append_json(std::string& out, const Attribute& attribute, const Value& value) {
    constexpr std::int64_t kExact = (std::int64_t{1} << 53) - 1;
    switch (value.index()) {
        case 0: out += "null"; return;
        case 1: {
            const std::int64_t n = std::get<std::int64_t>(value);
            if (attribute.type == Type::kDecimal) {
                append_json_string(out, decimal_text(attribute, n));
            } else if (attribute.type == Type::kBool) {
                out += n != 0 ? "true" : "false";
            } else if (n > kExact || n < -kExact) {
                append_json_string(out, std::to_string(n));
            } else {
                out += std::to_string(n);
            }
            return;
        }
        case 2: append_json_number(out, std::get<double>(value)); return;
        case 3:
            if (attribute.type == Type::kJson || attribute.type == Type::kSet) {
                out += std::get<std::string>(value);
            } else {
                append_json_string(out, std::get<std::string>(value));
            }
            return;
        default: append_json_string(out, base64(view_of(std::get<Blob>(value)))); return;
    }
}

Result<Value> value_from_json(const Entity& entity, const Attribute& attribute, std::string_view json) {
    const std::string_view bare = without_space(json);
    // A number is read from its own digits: as a double, 18 of them would change.
    if (attribute.type == Type::kInt && is_json_number(bare)) return int_from_text(entity, attribute, bare);
    if (attribute.type == Type::kDecimal && is_json_number(bare)) return decimal_from_text(entity, attribute, bare);
    auto made = canonical_json(json);
    if (!made) return invalid(entity, attribute, "is not allowed: " + made.error().message);
    const std::string& text = *made;
    if (text == "null") return Value{Null{}};
    const bool quoted = text.front() == '"';
    std::string content = text;
    if (quoted) {
        SKERRY_ASSIGN(content, json_string_content(text));
    }
    Value value;
    switch (attribute.type) {
        case Type::kInt: return int_from_text(entity, attribute, content);
        case Type::kDecimal: return decimal_from_text(entity, attribute, content);
        case Type::kBool:
            if (text != "true" && text != "false" && text != "0" && text != "1") return invalid(entity, attribute, "is neither true nor false");
            value = std::int64_t{text == "true" || text == "1" ? 1 : 0};
            break;
        case Type::kReal: {
            const auto v = quoted ? std::nullopt : parse_double(text);
            if (!v) return invalid(entity, attribute, "is not a number");
            value = *v;
            break;
        }
        case Type::kJson:
        case Type::kSet: value = text; break;
        case Type::kBlob: {
            auto bytes = quoted ? unbase64(content) : std::nullopt;
            if (!bytes) return invalid(entity, attribute, "is not base64 in a string");
            value = Blob(bytes->begin(), bytes->end());
            break;
        }
        default:
            if (!quoted) return invalid(entity, attribute, "is not a string");
            value = std::move(content);
    }
    return canonical(entity, attribute, std::move(value));
}

Result<Value> value_from_text(const Entity& entity, const Attribute& attribute, std::string_view text) {
    if (text == "null") return Value{Null{}};
    const bool is_json = attribute.type == Type::kJson || attribute.type == Type::kSet || attribute.type == Type::kReal ||
                         attribute.type == Type::kBool || text.starts_with('"');
    return value_from_json(entity, attribute, is_json ? std::string(text) : json_string(text));
}

}  // namespace skerry::model
