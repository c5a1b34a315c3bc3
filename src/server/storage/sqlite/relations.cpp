#include "server/storage/sqlite/relations.hpp"

#include "rules/refusals.hpp"
#include "server/storage/sqlite/entity_schema.hpp"
#include "sqlite/database.hpp"

namespace skerry::server::storage {

namespace {

using model::Attribute;
using model::Entity;
using model::OnDelete;
using sqlite::quote_name;

// Whoever judges a push asks at the end of the transaction instead.
constexpr std::string_view kNotJudging = "(SELECT judging FROM skerry_state) = 0";

// Written since ?1; the queue stays on the left of the joins: the planner must not walk the big table.
std::string written(EntityIx ix) {
    return "(SELECT DISTINCT key FROM skerry_queue WHERE id > ?1 AND entity = " + std::to_string(ix.value) + ") q";
}

RelationSql relation_of(const model::Model& model, EntityIx child_ix, std::uint32_t attribute) {
    const Entity& child = model.entity(child_ix);
    const Attribute& a = child.attributes[attribute];
    const Entity& parent = model.entity(*a.references);
    const std::string child_table = quote_name(child.name);
    const std::string parent_there = "SELECT 1 FROM " + quote_name(parent.name) + " p WHERE p." + quote_name(parent.key.name) + " = ";
    const std::string value = quote_name(a.name);
    RelationSql sql{child_ix, attribute, *a.references, a.on_delete, {}, {}, {}};
    sql.missing = "SELECT t." + quote_name(child.key.name) + ", t." + value + " FROM " + written(child_ix) + " CROSS JOIN " + child_table +
                  " t ON t." + quote_name(child.key.name) + " = q.key WHERE t." + value + " IS NOT NULL AND NOT EXISTS (" + parent_there +
                  "t." + value + ") LIMIT 1";
    const std::string gone = "SELECT q.key FROM " + written(*a.references) + " WHERE NOT EXISTS (" + parent_there + "q.key)";
    sql.orphans = "SELECT " + quote_name(child.key.name) + " FROM " + child_table + " WHERE " + value + " IN (" + gone + ")";
    if (a.on_delete == OnDelete::kSetNull)
        sql.set_null = "UPDATE " + child_table + " SET " + value + " = NULL WHERE " + value + " IN (" + gone + ")";
    return sql;
}

UniqueSql unique_of(const model::Model& model, EntityIx ix, std::size_t list) {
    const Entity& entity = model.entity(ix);
    const std::string table = quote_name(entity.name);
    const std::string key = quote_name(entity.key.name);
    std::string same;
    for (const std::uint32_t attribute : entity.unique[list]) {
        const std::string name = quote_name(entity.attributes[attribute].name);
        same += " AND o." + name + " = t." + name;
    }
    return {ix, list,
            "SELECT t." + key + " FROM " + written(ix) + " CROSS JOIN " + table + " t ON t." + key + " = q.key WHERE EXISTS (SELECT 1 FROM " +
                table + " o WHERE o." + key + " <> t." + key + same + ") LIMIT 1"};
}

// Refusals of a row just written; of an update only where the attributes concerned changed.
std::string refusals(const model::Model& model, const Entity& entity, bool update) {
    std::string sql;
    for (const model::AttributeList& list : entity.unique) {
        std::string same = "o." + quote_name(entity.key.name) + " <> NEW." + quote_name(entity.key.name);
        std::string changed;
        for (const std::uint32_t attribute : list) {
            const std::string name = quote_name(entity.attributes[attribute].name);
            same += " AND o." + name + " = NEW." + name;
            changed += (changed.empty() ? "" : " OR ") + ("OLD." + name) + " IS NOT NEW." + name;
        }
        sql += " WHEN " + (update ? "(" + changed + ") AND " : std::string{}) + "EXISTS (SELECT 1 FROM " + quote_name(entity.name) + " o WHERE " +
               same + ") THEN " + rules::raise("not_unique", clash_message(entity, list));
    }
    for (const Attribute& attribute : entity.attributes) {
        if (!attribute.references) continue;
        const Entity& parent = model.entity(*attribute.references);
        const std::string value = "NEW." + quote_name(attribute.name);
        sql += " WHEN " + value + " IS NOT NULL" + (update ? " AND OLD." + quote_name(attribute.name) + " IS NOT " + value : std::string{}) +
               " AND NOT EXISTS (SELECT 1 FROM " + quote_name(parent.name) + " p WHERE p." + quote_name(parent.key.name) + " = " + value +
               ") THEN " + rules::raise("reference_missing", missing_message(entity, attribute, parent));
    }
    return sql;
}

// The keys that go with OLD: itself and, where the entity refers to itself with a cascade, all below it. One statement
// for them, because a trigger does not enter itself again in a program that left recursive_triggers off.
std::string going_keys(const Entity& entity, EntityIx ix) {
    const std::string old_key = "OLD." + quote_name(entity.key.name);
    std::string below;
    for (const Attribute& attribute : entity.attributes)
        if (attribute.references == ix && attribute.on_delete == OnDelete::kCascade)
            below += " UNION SELECT c." + quote_name(entity.key.name) + " FROM " + quote_name(entity.name) + " c JOIN going ON c." +
                     quote_name(attribute.name) + " = going.k";
    if (below.empty()) return "(" + old_key + ")";
    return "(WITH RECURSIVE going(k) AS (SELECT " + old_key + below + ") SELECT k FROM going)";
}

// Other entities first, while the rows below this one can still be found; the entity's own rows last.
std::string on_delete(const model::Model& model, EntityIx ix) {
    const Entity& parent = model.entity(ix);
    const std::string going = going_keys(parent, ix);
    const std::string own_key = quote_name(parent.key.name);
    std::string acts;
    std::string refused;
    bool cascades_here = false;
    for (std::uint32_t i = 0; i < model.entities.size(); ++i) {
        const Entity& child = model.entities[i];
        for (const Attribute& attribute : child.attributes) {
            if (attribute.references != ix) continue;
            const std::string table = quote_name(child.name);
            const std::string name = quote_name(attribute.name);
            const std::string staying = i == ix.value ? " AND " + own_key + " NOT IN " + going : std::string{};
            switch (attribute.on_delete) {
                case OnDelete::kCascade:
                    if (i == ix.value) {
                        cascades_here = true;
                    } else {
                        acts += " DELETE FROM " + table + " WHERE " + name + " IN " + going + ";";
                    }
                    break;
                case OnDelete::kSetNull:
                    acts += " UPDATE " + table + " SET " + name + " = NULL WHERE " + name + " IN " + going + staying + ";";
                    break;
                case OnDelete::kRestrict:
                    refused += " WHEN EXISTS (SELECT 1 FROM " + table + " WHERE " + name + " IN " + going + staying + ") THEN " +
                               rules::raise("still_referenced", still_message(child, attribute, parent));
                    break;
            }
        }
    }
    if (!refused.empty()) acts += " SELECT CASE" + refused + " END;";
    if (cascades_here) acts += " DELETE FROM " + quote_name(parent.name) + " WHERE " + own_key + " IN " + going + ";";
    return acts;
}

}  // namespace

Relations::Relations(const model::Model& model) {
    for (std::uint32_t i = 0; i < model.entities.size(); ++i) {
        const Entity& entity = model.entities[i];
        for (std::uint32_t a = 0; a < entity.attributes.size(); ++a)
            if (entity.attributes[a].references) associations.push_back(relation_of(model, EntityIx{i}, a));
        for (std::size_t u = 0; u < entity.unique.size(); ++u) uniques.push_back(unique_of(model, EntityIx{i}, u));
    }
}

void append_relation_triggers(const model::Model& model, EntityIx ix, std::vector<SchemaPart>& out) {
    const Entity& entity = model.entity(ix);
    const std::string table = quote_name(entity.name);
    const std::string aside = " WHEN " + std::string(kNotJudging);
    const auto add = [&](std::string_view kind, std::string_view event, const std::string& body) {
        if (!body.empty()) out.push_back(trigger(kind, entity, std::string(event) + table + aside, body));
    };
    const std::string inserted = refusals(model, entity, false);
    if (!inserted.empty()) {
        add("relate_insert", "AFTER INSERT ON ", " SELECT CASE" + inserted + " END;");
        add("relate_update", "AFTER UPDATE ON ", " SELECT CASE" + refusals(model, entity, true) + " END;");
    }
    add("relate_delete", "AFTER DELETE ON ", on_delete(model, ix));
}

std::string missing_message(const Entity& child, const Attribute& attribute, const Entity& parent) {
    return child.name + "." + attribute.name + " refers to a row of " + parent.name + " that is not there";
}

std::string still_message(const Entity& child, const Attribute& attribute, const Entity& parent) {
    return "a row of " + parent.name + " cannot be deleted: " + child.name + "." + attribute.name + " still refers to it";
}

std::string clash_message(const Entity& entity, const model::AttributeList& list) {
    std::string names;
    for (const std::uint32_t attribute : list) names += (names.empty() ? "" : ", ") + entity.attributes[attribute].name;
    // One attribute is at fault, or several together.
    return list.size() == 1 ? entity.name + "." + names + " is the same in another row; it has to be unique"
                            : "a row of " + entity.name + " has the same " + names + " as another; together they have to be unique";
}

}  // namespace skerry::server::storage
