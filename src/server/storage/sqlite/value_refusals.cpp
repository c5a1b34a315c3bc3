// What plain SQL can tell about a value, and what the model demands of a row.
#include <charconv>

#include "model/value.hpp"
#include "rules/rules.hpp"
#include "server/storage/sqlite/entity_schema.hpp"
#include "sqlite/database.hpp"

namespace skerry::server::storage {

namespace {

using model::Attribute;
using model::Entity;
using model::Type;
using sqlite::quote_name;
using sqlite::quote_text;

std::string when(const std::string& condition, std::string_view code, const std::string& message) {
    return " WHEN " + condition + " THEN " + refuse(code, message);
}

// Each character of `form` that is 'h' stands for a hexadecimal digit in lower case, 'd' for a decimal one.
std::string glob_of(std::string_view form) {
    std::string pattern;
    for (const char c : form) {
        if (c == 'h') {
            pattern += "[0-9a-f]";
        } else if (c == 'd') {
            pattern += "[0-9]";
        } else {
            pattern += c;
        }
    }
    return quote_text(pattern);
}

// GLOB and length() stop at a NUL, so it is looked for first.
std::string has_nul(const std::string& value) { return "instr(" + value + ", char(0)) > 0"; }
std::string bytes_of(const std::string& value) { return "length(CAST(" + value + " AS BLOB))"; }

std::string not_a_uuid(const std::string& value) {
    return has_nul(value) + " OR " + value + " NOT GLOB " + glob_of("hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh");
}

std::string not_a_time(const std::string& value, std::string_view form, std::string_view format, const std::string& part) {
    // With a modifier strftime() turns 30 February into 2 March (without one older SQLite gives it back): what does not
    // come back as it went is no date. It takes the hour 24.
    return has_nul(value) + " OR " + value + " NOT GLOB " + glob_of(form) + " OR strftime(" + quote_text(format) + ", " + part +
           ", '+0 days') IS NOT " + part + " OR substr(" + value + ", 12, 2) = '24'";
}

std::string one_of(const Attribute& attribute) {
    std::string list;
    for (const std::string& value : attribute.values) list += (list.empty() ? "" : ", ") + quote_text(value);
    return "(" + list + ")";
}

std::string refusals_of(const Entity& entity, const Attribute& attribute) {
    const std::string value = "NEW." + quote_name(attribute.name);
    const std::string place = entity.name + "." + attribute.name;
    const auto invalid = [&](const std::string& condition, std::string_view what) {
        return when(condition, "value_invalid", place + " " + std::string(what));
    };
    const auto too_big = [&](std::size_t limit) {
        return when(bytes_of(value) + " > " + std::to_string(limit), "row_too_big", place + " has more than " + std::to_string(limit) + " bytes");
    };
    switch (attribute.type) {
        case Type::kUuid: return invalid(not_a_uuid(value), "is not a uuid in lower case with hyphens");
        case Type::kText:
            return invalid(has_nul(value), "is not UTF-8 text without NUL") + too_big(model::kValueBytesMax);
        case Type::kInt: return {};
        case Type::kReal:
            return invalid("abs(" + value + ") > 1.7976931348623157e308", "is not a finite number");
        case Type::kDecimal: {
            const std::string end = std::string(attribute.precision, '9');
            return invalid(value + " NOT BETWEEN -" + end + " AND " + end,
                           "is not an integer of at most " + std::to_string(attribute.precision) + " digits (a decimal is stored without its point)");
        }
        case Type::kBool: return invalid(value + " NOT IN (0, 1)", "is neither 0 nor 1");
        case Type::kDate:
            return invalid(not_a_time(value, "dddd-dd-dd", "%Y-%m-%d", value), "is not a date like 2026-11-21");
        case Type::kTimestamp:
            return invalid(not_a_time(value, "dddd-dd-ddTdd:dd:dd.ddddddZ", "%Y-%m-%dT%H:%M:%S", "substr(" + value + ", 1, 19)"),
                           "is not a time in UTC like 2026-11-21T10:30:00.000000Z");
        case Type::kEnum: return invalid(value + " NOT IN " + one_of(attribute), "is none of the values that the model lists for it");
        // Older SQLite says that NULL is not valid JSON, newer that it cannot tell.
        case Type::kJson:
            return invalid(value + " IS NOT NULL AND NOT json_valid(" + value + ")", "is not JSON") +
                   invalid("json_type(" + value + ") = 'null'", "is the JSON null, which is written NULL") + too_big(model::kValueBytesMax);
        case Type::kSet:
            return invalid(value + " IS NOT NULL AND NOT json_valid(" + value + ")", "is not a set: a JSON array of strings") +
                   invalid("json_type(" + value + ") <> 'array' OR EXISTS (SELECT 1 FROM json_each(" + value + ") WHERE type <> 'text')",
                           "is not a set: a JSON array of strings") +
                   too_big(model::kValueBytesMax);
        case Type::kBlob: return too_big(model::kBlobBytesMax);
    }
    return {};
}

std::string literal(const Value& value) {
    switch (value.index()) {
        case 1: return std::to_string(std::get<std::int64_t>(value));
        case 2: {
            char buffer[40];
            const auto end = std::to_chars(buffer, buffer + sizeof buffer, std::get<double>(value), std::chars_format::scientific).ptr;
            return std::string(buffer, end);
        }
        case 3: return quote_text(std::get<std::string>(value));
        case 4: {
            std::string out = "x'";
            for (const std::uint8_t byte : std::get<Blob>(value)) {
                out += "0123456789abcdef"[byte >> 4];
                out += "0123456789abcdef"[byte & 15];
            }
            return out + "'";
        }
        default: return "NULL";
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

}  // namespace

std::string column_definition(const Attribute& attribute) {
    std::string sql = quote_name(attribute.name) + " " + column_type(attribute.type);
    if (attribute.default_value) sql += " DEFAULT " + literal(*attribute.default_value);
    return sql;
}

std::string refuse(std::string_view code, const std::string& message) {
    return "RAISE(ABORT, " + quote_text("skerry:" + std::string(code) + ": " + message) + ")";
}

std::string key_refusals(const Entity& entity) {
    const std::string key = "NEW." + quote_name(entity.key.name);
    const std::string place = entity.name + "." + entity.key.name;
    std::string sql = when(key + " IS NULL", "key_missing", "a row of " + entity.name + " needs its key " + entity.key.name);
    if (entity.key.type == Type::kUuid)
        return sql + when(not_a_uuid(key), "value_invalid", place + " is not a uuid in lower case with hyphens");
    sql += when(key + " = ''", "value_invalid", place + " is an empty key");
    sql += when(has_nul(key), "value_invalid", place + " contains NUL");
    return sql + when(bytes_of(key) + " > " + std::to_string(model::kKeyBytesMax), "row_too_big",
                      place + " is longer than " + std::to_string(model::kKeyBytesMax) + " bytes");
}

std::string value_refusals(const Entity& entity) {
    std::string sql;
    for (const Attribute& attribute : entity.attributes) sql += refusals_of(entity, attribute);
    return sql;
}

Result<std::string> rule_refusals(const Entity& entity) {
    std::string sql;
    for (const Attribute& attribute : entity.attributes)
        if (attribute.required)
            sql += when("NEW." + quote_name(attribute.name) + " IS NULL", "required", entity.name + "." + attribute.name + " is required");
    for (const model::Check& check : entity.checks) {
        SKERRY_ASSIGN(const auto expression, rules::parse(check.expression, entity));
        const std::string place = entity.name + (check.attribute.empty() ? "" : "." + check.attribute);
        // NULL is not a definite no.
        sql += when("(" + rules::to_sql(expression, "NEW.") + ") = 0", "check_failed", place + " does not meet the check: " + check.expression);
    }
    return sql;
}

}  // namespace skerry::server::storage
