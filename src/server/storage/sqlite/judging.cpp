// What a judge asks of a transaction as a whole: constraints between rows, and conditions on rows.
#include <algorithm>

#include "rules/rules.hpp"
#include "server/storage/sqlite/write_txn.hpp"

namespace skerry::server::storage {

using sqlite::Statement;

Result<std::int64_t> SqliteWriteTxn::judging() {
    if (tables_.relations.none()) return std::int64_t{0};
    if (!judging_) {
        SKERRY_TRY(run("UPDATE skerry_state SET judging = 1"));
        judging_ = true;
    }
    return db_.integer("SELECT ifnull(max(id), 0) FROM skerry_queue");
}

Result<std::vector<EntityIx>> SqliteWriteTxn::written(std::int64_t begin) {
    SKERRY_ASSIGN(Statement get, db_.prepare("SELECT DISTINCT entity FROM skerry_queue WHERE id > ?1"));
    get.bind(1, begin);
    std::vector<EntityIx> found;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        found.push_back(EntityIx{static_cast<std::uint32_t>(get.integer(0))});
    }
    get.reset();
    return found;
}

Result<std::vector<std::string>> SqliteWriteTxn::orphans(const RelationSql& relation, std::int64_t begin) {
    SKERRY_ASSIGN(Statement get, db_.prepare(relation.orphans));
    get.bind(1, begin);
    std::vector<std::string> keys;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        keys.emplace_back(get.text(0));
    }
    get.reset();
    return keys;
}

// What goes may take more with it: round after round, until nothing went. Rows cannot come back, so it ends.
Result<std::vector<KeyRef>> SqliteWriteTxn::follow_deletes(std::int64_t begin) {
    std::vector<KeyRef> went;
    if (tables_.relations.none()) return went;
    for (bool again = true; again;) {
        again = false;
        SKERRY_ASSIGN(const auto touched, written(begin));
        for (const RelationSql& relation : tables_.relations.associations) {
            if (relation.on_delete == model::OnDelete::kRestrict) continue;
            if (std::find(touched.begin(), touched.end(), relation.parent) == touched.end()) continue;
            if (relation.on_delete == model::OnDelete::kSetNull) {
                SKERRY_ASSIGN(Statement set, db_.prepare(relation.set_null));
                SKERRY_TRY(set.bind(1, begin).run());
                continue;
            }
            SKERRY_ASSIGN(auto keys, orphans(relation, begin));
            for (std::string& key : keys) {
                SKERRY_TRY(remove(relation.child, key));
                went.push_back({relation.child, std::move(key)});
                again = true;
            }
        }
    }
    return went;
}

Result<std::optional<Breach>> SqliteWriteTxn::breach(std::int64_t begin) {
    if (tables_.relations.none()) return std::optional<Breach>{};
    SKERRY_ASSIGN(const auto touched, written(begin));
    const auto is_touched = [&](EntityIx ix) { return std::find(touched.begin(), touched.end(), ix) != touched.end(); };
    const model::Model& model = tables_.model;
    for (const RelationSql& relation : tables_.relations.associations) {
        const model::Entity& child = model.entity(relation.child);
        const model::Attribute& attribute = child.attributes[relation.attribute];
        const model::Entity& parent = model.entity(relation.parent);
        if (is_touched(relation.parent) && relation.on_delete == model::OnDelete::kRestrict) {
            SKERRY_ASSIGN(const auto keys, orphans(relation, begin));
            if (!keys.empty()) return Breach{Code::kStillReferenced, still_message(child, attribute, parent), {}};
        }
        if (!is_touched(relation.child)) continue;
        SKERRY_ASSIGN(Statement missing, db_.prepare(relation.missing));
        SKERRY_ASSIGN(const bool found, missing.bind(1, begin).step());
        if (!found) continue;
        Breach breach{Code::kReferenceMissing, missing_message(child, attribute, parent), {relation.parent, std::string(missing.text(1))}};
        missing.reset();
        return breach;
    }
    for (const UniqueSql& unique : tables_.relations.uniques) {
        if (!is_touched(unique.entity)) continue;
        SKERRY_ASSIGN(Statement clash, db_.prepare(unique.clash));
        SKERRY_ASSIGN(const bool found, clash.bind(1, begin).step());
        if (!found) continue;
        clash.reset();
        const model::Entity& entity = model.entity(unique.entity);
        return Breach{Code::kNotUnique, clash_message(entity, entity.unique[unique.list]), {}};
    }
    return std::optional<Breach>{};
}

Result<bool> SqliteWriteTxn::holds(const KeyRef& at, std::string_view expression) {
    const model::Entity& entity = tables_.model.entity(at.entity);
    SKERRY_ASSIGN(const auto parsed, rules::parse(expression, entity));
    SKERRY_ASSIGN(auto ask, db_.prepare_once("SELECT " + rules::to_sql(parsed, "t.") + " FROM " + sqlite::quote_name(entity.name) + " t WHERE t." +
                                             sqlite::quote_name(entity.key.name) + " = ?1"));
    SKERRY_ASSIGN(const bool row, ask->bind_text(1, at.key).step());
    return row && ask->integer(0) == 1;
}

}  // namespace skerry::server::storage
