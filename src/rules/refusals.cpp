// Capture runs these on every row that an app writes, so a value costs few functions. length() of a text and GLOB stop at
// a NUL character: what decides by them counts the bytes too, or looks for the NUL first.
#include "rules/refusals.hpp"

#include "base/text.hpp"
#include "model/value.hpp"
#include "rules/rules.hpp"

namespace skerry::rules {

namespace {

using model::Attribute;
using model::Entity;
using model::Type;

std::string when(const std::string& condition, std::string_view code, const std::string& message) {
    return " WHEN " + condition + " THEN " + raise(code, message);
}

// Each 'h' of the form stands for a hexadecimal digit in lower case, each 'd' for a decimal one, 's' for one up to 5.
std::string glob_of(std::string_view form) {
    std::string pattern;
    for (const char c : form) {
        if (c == 'h') {
            pattern += "[0-9a-f]";
        } else if (c == 'd') {
            pattern += "[0-9]";
        } else if (c == 's') {
            pattern += "[0-5]";
        } else {
            pattern += c;
        }
    }
    return quote_text(pattern);
}

std::string has_nul(const std::string& value) { return "instr(" + value + ", char(0)) > 0"; }
std::string bytes_of(const std::string& value) { return "length(CAST(" + value + " AS BLOB))"; }

std::string no_uuid(const std::string& value) {
    return bytes_of(value) + " <> 36 OR " + value + " NOT GLOB " + glob_of("hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh");
}

// With a modifier date() turns 30 February into 2 March; without one, older SQLite gives it back as it is. What does not
// come back as it went is no date; nor is a year before Christ, which is a byte longer.
std::string no_date(const std::string& value) { return "date(" + value + ", '+0 days') IS NOT " + value + " OR " + bytes_of(value) + " <> 10"; }

std::string no_timestamp(const std::string& value) {
    const std::string day = "substr(" + value + ", 1, 10)";
    return value + " NOT GLOB " + glob_of("dddd-dd-ddTdd:sd:sd.ddddddZ") + " OR " + bytes_of(value) + " <> 27 OR substr(" + value +
           ", 12, 2) > '23' OR date(" + day + ", '+0 days') IS NOT " + day;
}

std::string one_of(const std::vector<std::string>& values) {
    std::string list;
    for (const std::string& value : values) list += (list.empty() ? "" : ", ") + quote_text(value);
    return "(" + list + ")";
}

std::string refusals_of(const Entity& entity, const Attribute& attribute, Event event) {
    const std::string name = quote_name(attribute.name);
    const std::string value = "NEW." + name;
    const std::string place = entity.name + "." + attribute.name;
    const auto invalid = [&](const std::string& condition, const std::string& what) {
        return when(condition, "value_invalid", place + " " + what);
    };
    const auto no_text = [&] { return invalid(has_nul(value), "is not UTF-8 text without NUL"); };
    // Also keeps NULL from json_valid(), of which an older SQLite says that it is not valid.
    const std::string parsed = (event == Event::kUpdate ? value + " IS NOT OLD." + name + " AND " : "") + value + " IS NOT NULL AND ";
    switch (attribute.type) {
        case Type::kUuid: return invalid(no_uuid(value), "is not a uuid in lower case with hyphens");
        case Type::kText: return no_text();
        case Type::kInt: return {};
        case Type::kReal: return invalid("abs(" + value + ") > 1.7976931348623157e308", "is not a finite number");
        case Type::kDecimal: {
            const std::string most(attribute.precision, '9');
            return invalid(value + " NOT BETWEEN -" + most + " AND " + most,
                           "is not an integer of at most " + std::to_string(attribute.precision) + " digits (a decimal is stored without its point)");
        }
        case Type::kBool: return invalid(value + " NOT IN (0, 1)", "is neither 0 nor 1");
        case Type::kDate: return invalid(no_date(value), "is not a date like 2026-11-21");
        case Type::kTimestamp: return invalid(no_timestamp(value), "is not a time in UTC like 2026-11-21T10:30:00.000000Z");
        case Type::kEnum: return invalid(value + " NOT IN " + one_of(attribute.values), "is none of the values that the model lists for it");
        // JSON that is the word null, with nothing but white space beside it, needs no parser to be found.
        case Type::kJson:
            return no_text() +
                   invalid(parsed + "trim(" + value + ", char(9, 10, 13, 32)) = 'null'", "is the JSON null, which is written NULL") +
                   invalid(parsed + "NOT json_valid(" + value + ")", "is not JSON");
        case Type::kSet:
            return no_text() +
                   invalid(parsed + "CASE WHEN NOT json_valid(" + value + ") THEN 1 WHEN json_type(" + value +
                               ") <> 'array' THEN 1 ELSE EXISTS (SELECT 1 FROM json_each(" + value + ") WHERE type <> 'text') END",
                           "is not a set: a JSON array of strings");
        case Type::kBlob: return {};
    }
    return {};
}

std::string size_refusal(const Entity& entity, const Attribute& attribute) {
    const std::string value = "NEW." + quote_name(attribute.name);
    const auto too_big = [&](const std::string& bytes, std::size_t limit) {
        return when(bytes + " > " + std::to_string(limit), "row_too_big", entity.name + "." + attribute.name + " has more than " + std::to_string(limit) + " bytes");
    };
    switch (attribute.type) {
        case Type::kText:
        case Type::kJson:
        case Type::kSet: return too_big(bytes_of(value), model::kValueBytesMax);
        case Type::kBlob: return too_big("length(" + value + ")", model::kBlobBytesMax);
        default: return {};
    }
}

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
    if (is_null(value)) return "NULL";
    if (std::holds_alternative<Blob>(value)) return model::to_text(value);
    std::string out;
    model::append_json(out, attribute, value);
    return out;
}

}  // namespace

std::string raise(std::string_view code, const std::string& message) {
    return "RAISE(ABORT, " + quote_text("skerry:" + std::string(code) + ": " + message) + ")";
}

std::string column_definition(const Attribute& attribute, Defaults defaults) {
    std::string sql = quote_name(attribute.name) + " " + column_type(attribute.type);
    if (defaults == Defaults::kWith && attribute.default_value) sql += " DEFAULT " + literal(attribute, *attribute.default_value);
    return sql;
}

std::string key_refusals(const Entity& entity) {
    const std::string key = "NEW." + quote_name(entity.key.name);
    const std::string place = entity.name + "." + entity.key.name;
    std::string sql = when(key + " IS NULL", "key_missing", "a row of " + entity.name + " needs its key " + entity.key.name);
    if (entity.key.type == Type::kUuid) return sql + when(no_uuid(key), "value_invalid", place + " is not a uuid in lower case with hyphens");
    // A slice begins behind a key, and the empty one is where it starts: such a row could never be downloaded.
    return sql + when(key + " = ''", "value_invalid", place + " is an empty key") +
           when(has_nul(key), "value_invalid", place + " is not UTF-8 text without NUL") +
           when(bytes_of(key) + " > " + std::to_string(model::kKeyBytesMax), "row_too_big",
                place + " has more than " + std::to_string(model::kKeyBytesMax) + " bytes");
}

std::string value_refusals(const Entity& entity, Event event) {
    std::string sql;
    for (const Attribute& attribute : entity.attributes) sql += refusals_of(entity, attribute, event);
    return sql;
}

std::string size_refusals(const Entity& entity) {
    std::string sql;
    for (const Attribute& attribute : entity.attributes) sql += size_refusal(entity, attribute);
    return sql;
}

Result<std::string> rule_refusals(const Entity& entity) {
    std::string sql;
    for (const Attribute& attribute : entity.attributes)
        if (attribute.required)
            sql += when("NEW." + quote_name(attribute.name) + " IS NULL", "required", entity.name + "." + attribute.name + " is required");
    for (const model::Check& check : entity.checks) {
        SKERRY_ASSIGN(const Expression expression, parse(check.expression, entity));
        const std::string place = entity.name + (check.attribute.empty() ? "" : "." + check.attribute);
        sql += when("(" + to_sql(expression, "NEW.") + ") = 0", "check_failed", place + " does not meet the check " + check.expression);
    }
    return sql;
}

}  // namespace skerry::rules
