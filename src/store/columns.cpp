// Columns of every type, and what one value may not be. SQLite itself refuses a value of another storage class (STRICT),
// before a trigger sees it. GLOB and the date functions stop at a NUL character: where they decide, a comparison of the
// whole value stands beside them.
#include <string>

#include "model/value.hpp"
#include "sqlite/database.hpp"
#include "store/schema.hpp"
#include "store/schema_parts.hpp"

namespace skerry::store::schema {

using model::Attribute;
using model::Entity;
using model::Type;
using sqlite::quote_name;
using sqlite::quote_text;

namespace {

std::string column_type(Type type) {
    switch (type) {
        case Type::kInt:
        case Type::kBool:
        case Type::kDecimal: return "INTEGER";
        case Type::kReal: return "REAL";
        case Type::kBlob: return "BLOB";
        default: return "TEXT";
    }
}

std::string literal(const Attribute& attribute, const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
    if (const auto* text = std::get_if<std::string>(&value)) return quote_text(*text);
    if (std::holds_alternative<Null>(value)) return "NULL";
    if (std::holds_alternative<Blob>(value)) return model::to_text(value);
    std::string out;
    model::append_json(out, attribute, value);
    return out;
}

std::string repeat(std::string_view what, int n) {
    std::string out;
    while (n-- > 0) out += what;
    return out;
}

const std::string kDigit = "[0-9]";

std::string uuid_pattern() {
    std::string pattern;
    for (const int n : {8, 4, 4, 4, 12}) pattern += (pattern.empty() ? "" : "-") + repeat("[0-9a-f]", n);
    return pattern;
}

std::string timestamp_pattern() {
    const std::string two = repeat(kDigit, 2);
    return repeat(kDigit, 4) + "-" + two + "-" + two + "T" + two + ":[0-5]" + kDigit + ":[0-5]" + kDigit + "." + repeat(kDigit, 6) + "Z";
}

// A modifier makes every SQLite version compute the date anew: without one, some give 2026-02-30 back as it is.
std::string no_date(const std::string& text) { return "date(" + text + ", '+0 days') IS NOT " + text; }

std::string one_of(const std::vector<std::string>& values) {
    std::string out = "(";
    for (const std::string& value : values) out += (out.size() > 1 ? ", " : "") + quote_text(value);
    return out + ")";
}

std::int64_t largest(std::uint8_t precision) {
    std::int64_t out = 1;
    while (precision-- > 0) out *= 10;
    return out - 1;
}

// What a value takes in a transaction at most, in bytes, with its tag and length.
std::string value_size(const Attribute& attribute, std::string_view prefix) {
    const std::string value = std::string(prefix) + quote_name(attribute.name);
    switch (attribute.type) {
        case Type::kInt:
        case Type::kBool:
        case Type::kDecimal:
        case Type::kReal: return "11";
        // A large old blob travels as its hash.
        case Type::kBlob:
            return prefix == "NEW." ? "ifnull(length(" + value + ") + 6, 1)"
                                    : "min(ifnull(length(" + value + ") + 6, 1), " + std::to_string(model::kOldBlobBytesMax + 6) + ")";
        default: return "ifnull(length(CAST(" + value + " AS BLOB)) + 6, 1)";
    }
}

// As a balanced tree: a plain a + b + c … is as deep as it is long, and SQLite allows 1,000 levels.
std::string sum(const std::vector<std::string>& terms, std::size_t from, std::size_t to) {
    if (from == to) return "0";
    if (to - from == 1) return terms[from];
    const std::size_t middle = from + (to - from) / 2;
    return "(" + sum(terms, from, middle) + " + " + sum(terms, middle, to) + ")";
}

}  // namespace

std::string raise(std::string_view code, const std::string& message) {
    return "RAISE(ABORT, " + quote_text("skerry:" + std::string(code) + ": " + message) + ")";
}

std::string place(const Entity& entity, const Attribute& attribute) { return entity.name + "." + attribute.name; }

std::string columns(const Entity& entity, std::string_view prefix, std::string_view lead) {
    std::string out;
    for (const Attribute& attribute : entity.attributes) {
        out += lead;
        out += prefix;
        out += quote_name(attribute.name);
    }
    return out;
}

std::string definition(const Attribute& attribute, Defaults defaults) {
    std::string out = quote_name(attribute.name) + " " + column_type(attribute.type);
    if (defaults == Defaults::kWith && attribute.default_value) out += " DEFAULT " + literal(attribute, *attribute.default_value);
    return out;
}

std::string definitions(const Entity& entity, Defaults defaults) {
    std::string out;
    for (const Attribute& attribute : entity.attributes) out += ", " + definition(attribute, defaults);
    return out;
}

std::string value_checks(const Entity& entity, const Attribute& attribute, Event event, bool is_key) {
    const std::string name = quote_name(attribute.name);
    const std::string value = "NEW." + name;
    const std::string where = place(entity, attribute);
    std::string out;
    const auto refuse = [&](const std::string& condition, std::string_view code, const std::string& what) {
        out += " WHEN " + condition + " THEN " + raise(code, where + " " + what);
    };
    const auto invalid = [&](const std::string& condition, const std::string& what) { refuse(condition, "value_invalid", what); };
    const auto at_most = [&](std::int64_t limit, const std::string& unit) {
        refuse("length(" + value + ") > " + std::to_string(limit), "row_too_big", "has more than " + std::to_string(limit) + " " + unit);
    };
    const auto no_nul = [&] { invalid("instr(" + value + ", char(0)) > 0", "contains a NUL character"); };
    // Parsing is for what changes only.
    const std::string changed = event == Event::kUpdate ? value + " IS NOT OLD." + name + " AND " : "";
    switch (attribute.type) {
        case Type::kUuid:
            invalid(value + " NOT GLOB '" + uuid_pattern() + "' OR instr(" + value + ", char(0)) > 0", "must be a uuid in lower case with hyphens");
            break;
        case Type::kText:
            // A slice begins behind a key, and the empty one is where it starts: it could never be downloaded.
            if (is_key) invalid(value + " = ''", "is an empty key");
            at_most(is_key ? kKeyCharsMax : kValueCharsMax, "characters");
            no_nul();
            break;
        case Type::kEnum: invalid(value + " NOT IN " + one_of(attribute.values), "must be one of the values that the model lists"); break;
        case Type::kBool: invalid(value + " NOT IN (0, 1)", "must be 0 or 1"); break;
        case Type::kInt: break;
        case Type::kDecimal: {
            const std::string most = std::to_string(largest(attribute.precision));
            invalid(value + " NOT BETWEEN -" + most + " AND " + most,
                    "must be an integer of at most " + std::to_string(attribute.precision) + " digits, the last " +
                        std::to_string(attribute.scale) + " of them behind the point");
            break;
        }
        case Type::kReal: invalid("abs(" + value + ") > 1.7976931348623157e308", "must be a finite number"); break;
        case Type::kDate: invalid(no_date(value), "must be a date like 2026-11-21"); break;
        case Type::kTimestamp:
            invalid(value + " NOT GLOB '" + timestamp_pattern() + "' OR length(CAST(" + value + " AS BLOB)) <> 27 OR substr(" + value +
                        ", 12, 2) > '23' OR " + no_date("substr(" + value + ", 1, 10)"),
                    "must be a time in UTC like 2026-11-21T10:30:00.000000Z");
            break;
        case Type::kJson:
            at_most(kValueCharsMax, "characters");
            no_nul();
            invalid(changed + value + " IS NOT NULL AND NOT json_valid(" + value + ")", "must be JSON");
            break;
        case Type::kSet:
            at_most(kValueCharsMax, "characters");
            no_nul();
            invalid(changed + value + " IS NOT NULL AND CASE WHEN NOT json_valid(" + value + ") THEN 1 WHEN json_type(" + value +
                        ") <> 'array' THEN 1 ELSE EXISTS (SELECT 1 FROM json_each(" + value + ") WHERE type <> 'text') END",
                    "must be a JSON array of texts");
            break;
        case Type::kBlob: at_most(static_cast<std::int64_t>(model::kBlobBytesMax), "bytes"); break;
    }
    if (attribute.required && !is_key) refuse(value + " IS NULL", "required", "must have a value");
    return out;
}

std::string size_of(const Entity& entity, std::string_view prefix) {
    std::vector<std::string> terms;
    for (const Attribute& attribute : entity.attributes) terms.push_back(value_size(attribute, prefix));
    return sum(terms, 0, terms.size());
}

std::string size_of_change(const Entity& entity) {
    // Where the whole row wins, its operations carry all of it.
    const bool all = entity.conflict == model::Conflict::kLast;
    std::vector<std::string> terms;
    for (const Attribute& attribute : entity.attributes) {
        const std::string name = quote_name(attribute.name);
        const std::string both = value_size(attribute, "OLD.") + " + " + value_size(attribute, "NEW.") + " + 16";
        terms.push_back(all ? "(" + both + ")" : "CASE WHEN NEW." + name + " IS OLD." + name + " THEN 0 ELSE " + both + " END");
    }
    return sum(terms, 0, terms.size());
}

}  // namespace skerry::store::schema
