// What rows have to do with each other on a device: values that only one may have, and rows that refer to others. Only
// what is here is judged; a missing parent never refuses, since it may just not be here. The server has the last word.
//
// on_delete is one AFTER DELETE trigger per entity that others refer to, apart from the one that captures: without
// recursive_triggers, as in most programs, a trigger does not fire itself, but its statements fire the others. For an
// entity whose rows cascade to rows of the same entity, it finds all descendants itself and stands aside while it
// deletes them, so that both settings of the pragma do the same, and no chain is too long for SQLite's depth limit.
#include <set>
#include <string>

#include "sqlite/database.hpp"
#include "store/schema_parts.hpp"

namespace skerry::store::schema {

using model::Attribute;
using model::Entity;
using model::OnDelete;
using sqlite::quote_name;

std::string unique_checks(const Entity& entity, Event event) {
    const std::string key = quote_name(entity.key.name);
    std::string out;
    for (const model::AttributeList& list : entity.unique) {
        std::string same;
        std::string changed;
        std::string names;
        for (const std::uint32_t at : list) {
            const std::string column = quote_name(entity.attributes[at].name);
            same += "skerry_u." + column + " = NEW." + column + " AND ";
            changed += (changed.empty() ? "" : " OR ") + ("NEW." + column + " IS NOT OLD." + column);
            names += (names.empty() ? "" : ", ") + place(entity, entity.attributes[at]);
        }
        out += " WHEN " + (event == Event::kUpdate ? "(" + changed + ") AND " : std::string()) + "EXISTS (SELECT 1 FROM " +
               quote_name(entity.name) + " skerry_u WHERE " + same + "skerry_u." + key + " <> NEW." + key + ") THEN " +
               raise("not_unique", names + ": another row has the same " + (list.size() == 1 ? "value" : "values"));
    }
    return out;
}

std::vector<std::string> indexes(const Entity& entity) {
    std::set<model::AttributeList> lists(entity.unique.begin(), entity.unique.end());
    lists.insert(entity.indexes.begin(), entity.indexes.end());
    for (std::uint32_t at = 0; at < entity.attributes.size(); ++at)
        if (entity.attributes[at].references) lists.insert({at});
    std::vector<std::string> out;
    for (const model::AttributeList& list : lists) {
        std::string names;
        for (const std::uint32_t at : list) names += (names.empty() ? "" : ", ") + quote_name(entity.attributes[at].name);
        const std::string name = "skerry_index_" + entity.name + "_" + std::to_string(out.size());
        out.push_back("CREATE INDEX " + quote_name(name) + " ON " + quote_name(entity.name) + "(" + names + ")");
    }
    return out;
}

std::string on_delete_trigger(const model::Model& model, EntityIx ix) {
    const Entity& entity = model.entity(ix);
    const std::string table = quote_name(entity.name);
    const std::string key = quote_name(entity.key.name);
    std::string own_cascade;  // "c.parent = k", for rows of the same entity that go with this one
    for (const Attribute& attribute : entity.attributes)
        if (attribute.references == ix && attribute.on_delete == OnDelete::kCascade)
            own_cascade += (own_cascade.empty() ? "" : " OR ") + ("c." + quote_name(attribute.name) + " = skerry_doomed.k");
    std::string doomed = "(OLD." + key + ")";
    if (!own_cascade.empty())
        doomed = "(WITH RECURSIVE skerry_doomed(k) AS (SELECT OLD." + key + " UNION SELECT c." + key + " FROM skerry_doomed CROSS JOIN " +
                 table + " c ON " + own_cascade + ") SELECT k FROM skerry_doomed)";
    std::string refusals;
    std::string actions;
    for (const Entity& child : model.entities) {
        for (const Attribute& attribute : child.attributes) {
            if (attribute.references != ix) continue;
            const bool own = &child == &entity;
            const std::string column = quote_name(attribute.name);
            std::string which = quote_name(child.name) + " WHERE " + column + " IN " + doomed;
            if (own && !own_cascade.empty()) which += " AND " + key + " NOT IN " + doomed;
            switch (attribute.on_delete) {
                case OnDelete::kRestrict:
                    refusals += " WHEN EXISTS (SELECT 1 FROM " + which + ") THEN " +
                                raise("still_referenced", "a row of " + entity.name + " cannot be deleted while " + place(child, attribute) + " refers to it");
                    break;
                case OnDelete::kCascade:
                    if (!own) actions += "DELETE FROM " + which + ";\n";
                    break;
                case OnDelete::kSetNull: {
                    std::string update = "UPDATE " + which;
                    update.insert(update.find(" WHERE "), " SET " + column + " = NULL");
                    actions += update + ";\n";
                    break;
                }
            }
        }
    }
    const std::string number = std::to_string(ix.value);
    if (!own_cascade.empty())
        actions += "INSERT INTO skerry_cascading VALUES(" + number + ");\nDELETE FROM " + table + " WHERE " + key + " IN " + doomed +
                   ";\nDELETE FROM skerry_cascading WHERE entity = " + number + ";\n";
    if (refusals.empty() && actions.empty()) return {};
    std::string when = "(SELECT applying FROM skerry_state) = 0";
    if (!own_cascade.empty()) when += " AND NOT EXISTS (SELECT 1 FROM skerry_cascading WHERE entity = " + number + ")";
    if (!refusals.empty()) refusals = "SELECT CASE" + refusals + " END;\n";
    return "CREATE TRIGGER " + quote_name("skerry_on_delete_" + entity.name) + " AFTER DELETE ON " + table + " WHEN " + when + " BEGIN\n" +
           refusals + actions + "END;\n";
}

}  // namespace skerry::store::schema
