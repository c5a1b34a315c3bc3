#include "server/storage/sqlite/entity_schema.hpp"

#include <algorithm>

#include "rules/refusals.hpp"
#include "sqlite/database.hpp"

namespace skerry::server::storage {

namespace {

using model::Attribute;
using model::Entity;
using sqlite::quote_name;

// Beyond it the comparison below would reach SQLite's limit on expressions; every update then counts as a change.
constexpr std::size_t kCompareColumnsMax = 500;

std::string columns(const Entity& entity, std::string_view prefix) {
    std::string out;
    for (const Attribute& attribute : entity.attributes) out += ", " + std::string(prefix) + quote_name(attribute.name);
    return out;
}

std::string definitions(const Entity& entity) {
    std::string out;
    for (const Attribute& attribute : entity.attributes) out += ", " + rules::column_definition(attribute, rules::Defaults::kWith);
    return out;
}

std::string case_of(const std::string& refusals) { return refusals.empty() ? "" : " SELECT CASE" + refusals + " END;"; }

std::string really_changed(const Entity& entity) {
    if (entity.attributes.size() > kCompareColumnsMax) return {};
    std::string condition;
    for (const Attribute& attribute : entity.attributes) {
        const std::string name = quote_name(attribute.name);
        condition += (condition.empty() ? "" : " OR ") + ("OLD." + name) + " IS NOT NEW." + name;
    }
    return condition.empty() ? std::string{} : " WHEN " + condition;
}

std::string note(EntityIx ix, const std::string& key) {
    return " INSERT INTO skerry_queue(entity, key) VALUES(" + std::to_string(ix.value) + ", " + key + ");";
}

// Two statements instead of an OR REPLACE. `which` names the row: OLD or an alias, `from` where an alias comes from.
std::string keep_image(const Entity& entity, const std::string& which, const std::string& from) {
    const std::string gone = quote_name("skerry_gone_" + entity.name);
    const std::string key = which + "." + quote_name(entity.key.name);
    return " DELETE FROM " + gone + " WHERE skerry_key IN (SELECT " + key + from + "); INSERT INTO " + gone + "(skerry_key, skerry_seq" + columns(entity, "") +
           ") SELECT " + key + ", ifnull((SELECT max(seq) FROM skerry_batch), 0)" + columns(entity, which + ".") + from + ";";
}

// A REPLACE removes the rows that stand in its way, and without recursive_triggers no DELETE trigger hears of it
// (pitfall 10). Noted before the statement; a row that stays after all is sequenced without having changed.
std::string note_evicted(const Entity& entity, EntityIx ix, const ForeignUnique& unique) {
    const std::string key = quote_name(entity.key.name);
    std::string from = " FROM " + quote_name(entity.name) + " t WHERE t." + key + " <> NEW." + key;
    for (std::size_t i = 0; i < unique.columns.size(); ++i)
        from += " AND t." + quote_name(unique.columns[i]) + " = NEW." + quote_name(unique.columns[i]) + " COLLATE " + quote_name(unique.collations[i]);
    return " INSERT INTO skerry_queue(entity, key) SELECT " + std::to_string(ix.value) + ", t." + key + from + ";" + keep_image(entity, "t", from);
}

}  // namespace

std::string create_table_sql(const Entity& entity) {
    return "CREATE TABLE " + quote_name(entity.name) + "(" + quote_name(entity.key.name) + " TEXT PRIMARY KEY NOT NULL" +
           definitions(entity) + ") STRICT;\n";
}

std::string create_gone_sql(const Entity& entity) {
    const std::string gone = quote_name("skerry_gone_" + entity.name);
    return "CREATE TABLE " + gone + "(skerry_key TEXT PRIMARY KEY NOT NULL, skerry_seq INTEGER NOT NULL" + definitions(entity) +
           ") STRICT, WITHOUT ROWID;\nCREATE INDEX " + quote_name("skerry_gone_by_seq_" + entity.name) + " ON " + gone + "(skerry_seq);\n";
}

std::vector<SchemaPart> indexes_of(const Entity& entity) {
    std::vector<model::AttributeList> lists = entity.unique;
    lists.insert(lists.end(), entity.indexes.begin(), entity.indexes.end());
    for (std::uint32_t i = 0; i < entity.attributes.size(); ++i) {
        const auto begins_with = [&](const model::AttributeList& list) { return list.front() == i; };
        if (entity.attributes[i].references && std::none_of(lists.begin(), lists.end(), begins_with)) lists.push_back({i});
    }
    std::vector<SchemaPart> parts;
    for (const model::AttributeList& list : lists) {
        std::string name = "skerry_index_" + entity.name;
        std::string names;
        for (const std::uint32_t attribute : list) {
            name += "." + entity.attributes[attribute].name;
            names += (names.empty() ? "" : ", ") + quote_name(entity.attributes[attribute].name);
        }
        const auto same = [&](const SchemaPart& part) { return part.name == name; };
        if (std::any_of(parts.begin(), parts.end(), same)) continue;
        parts.push_back({name, "CREATE INDEX " + quote_name(name) + " ON " + quote_name(entity.name) + "(" + names + ")"});
    }
    if (!entity.builtin()) return parts;
    const auto add = [&](const std::string& name, const std::string& rest) {
        parts.push_back({name, "CREATE INDEX " + quote_name(name) + " ON " + quote_name(entity.name) + rest});
    };
    add("skerry_index_open", "(entity, \"row\", attribute, author) WHERE state = 'open'");
    add("skerry_index_closed", "(ifnull(closed_at, at)) WHERE state = 'closed'");
    return parts;
}

SchemaPart trigger(std::string_view kind, const Entity& entity, std::string_view event, const std::string& body) {
    const std::string name = "skerry_" + std::string(kind) + "_" + entity.name;
    return {name, "CREATE TRIGGER " + quote_name(name) + " " + std::string(event) + " BEGIN" + body + " END"};
}

Result<std::vector<SchemaPart>> triggers_of(const model::Model& model, EntityIx ix, const std::vector<ForeignUnique>& foreign) {
    const Entity& entity = model.entity(ix);
    const std::string table = quote_name(entity.name);
    const std::string key = quote_name(entity.key.name);
    SKERRY_ASSIGN(const std::string conditions, rules::rule_refusals(entity));
    const std::string sizes = rules::size_refusals(entity);
    std::vector<SchemaPart> parts;
    const auto add = [&](std::string_view kind, const std::string& event, const std::string& body) {
        parts.push_back(trigger(kind, entity, event, body));
    };
    add("check_insert", "BEFORE INSERT ON " + table, case_of(rules::key_refusals(entity) + rules::value_refusals(entity, rules::Event::kInsert) + sizes + conditions));
    add("check_update", "BEFORE UPDATE ON " + table,
        case_of(" WHEN NEW." + key + " IS NOT OLD." + key + " THEN " +
                rules::raise("key_update", "the key " + entity.key.name + " of " + entity.name + " cannot change; delete the row and insert it under the new key") +
                rules::value_refusals(entity, rules::Event::kUpdate) + sizes + conditions));
    add("inserted", "AFTER INSERT ON " + table, note(ix, "NEW." + key));
    add("updated", "AFTER UPDATE ON " + table + really_changed(entity), note(ix, "OLD." + key));
    add("deleted", "AFTER DELETE ON " + table, note(ix, "OLD." + key) + keep_image(entity, "OLD", ""));
    std::string evicted;
    for (const ForeignUnique& unique : foreign) evicted += note_evicted(entity, ix, unique);
    if (!evicted.empty()) {
        add("evict_insert", "BEFORE INSERT ON " + table, evicted);
        add("evict_update", "BEFORE UPDATE ON " + table, evicted);
    }
    append_relation_triggers(model, ix, parts);
    return parts;
}

}  // namespace skerry::server::storage
