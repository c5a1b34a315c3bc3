// The columns of an entity as SQL, and what their values take when they are sent.
#include <string>

#include "model/value.hpp"
#include "sqlite/database.hpp"
#include "store/schema_parts.hpp"

namespace skerry::store::schema {

using model::Attribute;
using model::Entity;
using model::Type;
using sqlite::quote_name;

namespace {

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

std::string definitions(const Entity& entity, Defaults defaults) {
    std::string out;
    for (const Attribute& attribute : entity.attributes) out += ", " + rules::column_definition(attribute, defaults);
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
