// A store takes a model: its first one, or a successor of the one that it has.
//
// A successor only adds (model/evolve.hpp): tables and columns stay where they are, so that rows, bases, journal and
// drafts, which name entities and attributes by position, need no translation. Triggers and indexes are made anew.
#include <algorithm>
#include <set>

#include "base/hash.hpp"
#include "model/evolve.hpp"
#include "store/store.hpp"

namespace skerry::store {

namespace {

tl::unexpected<Error> other_model(const model::Model& here, const model::Model& other, std::string_view why) {
    return fail(Code::kModelMismatch, "the store has version " + std::to_string(here.version) + " of app '" + here.app +
                                          "'; the other side has version " + std::to_string(other.version) + " of '" + other.app + "': " +
                                          std::string(why));
}

Result<void> check_successor(const model::Model& here, const model::Model& next) {
    if (next.app != here.app) return other_model(here, next, "another app");
    if (next.version < here.version) return other_model(here, next, "an older version");
    if (next.version == here.version) return other_model(here, next, "the same version with other content");
    const auto evolved = model::evolve(here, next);
    if (!evolved) return other_model(here, next, evolved.error().message);
    if (evolved->hash() != next.hash()) return other_model(here, next, "its positions are not those of this store");
    return {};
}

Result<std::vector<std::pair<std::string, std::string>>> objects(sqlite::Database& db, std::string_view type, std::string_view pattern) {
    SKERRY_ASSIGN(sqlite::Statement get, db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = ?1 AND name GLOB ?2"));
    get.bind_text(1, type).bind_text(2, pattern);
    std::vector<std::pair<std::string, std::string>> out;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        out.emplace_back(get.text(0), get.text(1));
    }
    get.reset();
    return out;
}

// Updates tell the version of their row or not as the model says (wire::Op::row_version); those of the journal follow.
Result<void> fit_journal(sqlite::Database& db, Tables& tables, EntityIx ix, const model::Entity& next) {
    const model::Entity& entity = tables.model().entity(ix);
    const bool tells = next.conflict == model::Conflict::kDetect;
    if (tells == (entity.conflict == model::Conflict::kDetect)) return {};
    SKERRY_ASSIGN(sqlite::Statement get, db.prepare("SELECT DISTINCT key FROM skerry_op WHERE entity = ?1 AND kind = 2"));
    get.bind(1, static_cast<std::int64_t>(ix.value));
    std::vector<std::string> keys;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        keys.emplace_back(get.text(0));
    }
    get.reset();
    SKERRY_ASSIGN(sqlite::Statement put, db.prepare("UPDATE skerry_op SET body = ?4 WHERE entity = ?1 AND key = ?2 AND txn = ?3"));
    SKERRY_ASSIGN(sqlite::Statement lower, db.prepare("UPDATE skerry_txn SET low = min(low, ?2) WHERE no = ?1"));
    for (const std::string& key : keys) {
        SKERRY_ASSIGN(auto ops, tables.ops(ix, key));
        SKERRY_ASSIGN(const auto base, tables.of(ix).base(key));
        TxnNo before;
        for (JournalOp& entry : ops) {
            const auto no = static_cast<std::int64_t>(entry.txn.value);
            if (entry.op.kind == wire::OpKind::kUpdate) {
                entry.op.row_version = tells;
                entry.op.prev_row = tells ? before : TxnNo{};
                entry.op.base_hash = tells && !before && base ? model::row_hash(entity, *base) : Hash128{};
                Bytes body;
                Writer out(body);
                wire::put_op_body(out, entry.op);
                put.bind(1, static_cast<std::int64_t>(ix.value)).bind_text(2, key).bind(3, no);
                SKERRY_TRY(put.bind_blob(4, body).run());
                if (entry.op.prev_row) SKERRY_TRY(lower.bind(1, no).bind(2, static_cast<std::int64_t>(before.value)).run());
            }
            before = entry.txn;
        }
    }
    return {};
}

}  // namespace

void Store::use_model(model::Model model) {
    tables_.reset();
    model_ = std::move(model);
    model_hash_ = model_->hash();
    tables_ = std::make_unique<Tables>(db_, *model_);
}

Result<void> Store::reload_model() {
    // Taking a model changes the schema; so does an app that makes an index, for which one look more is taken.
    SKERRY_ASSIGN(const std::int64_t schema, db_.integer("PRAGMA schema_version"));
    if (schema == schema_seen_) return {};
    SKERRY_ASSIGN(const auto compiled, meta_->bytes(key::kModel));
    if (compiled && (!model_ || hash64(*compiled) != model_hash_)) {
        SKERRY_ASSIGN(model::Model model, model::Model::load(*compiled));
        use_model(std::move(model));
    }
    schema_seen_ = schema;
    return {};
}

Result<void> Store::make_triggers(const model::Model& model) {
    for (std::uint32_t ix = 0; ix < model.entities.size(); ++ix) {
        SKERRY_ASSIGN(const std::string triggers, entity_triggers(model, EntityIx{ix}));
        SKERRY_TRY(db_.exec(triggers));
    }
    return {};
}

Result<void> Store::make_tables(const model::Model& model) {
    for (const model::Entity& entity : model.entities) {
        SKERRY_TRY(db_.exec(entity_tables(entity)));
        for (const std::string& index : entity_indexes(entity)) SKERRY_TRY(db_.exec(index));
    }
    return make_triggers(model);
}

Result<void> Store::evolve_tables(const model::Model& next) {
    SKERRY_ASSIGN(const auto triggers, objects(db_, "trigger", "skerry_*"));
    for (const auto& [name, sql] : triggers) SKERRY_TRY(db_.exec("DROP TRIGGER " + sqlite::quote_name(name)));
    std::set<std::string> wanted;
    for (std::uint32_t ix = 0; ix < next.entities.size(); ++ix) {
        const model::Entity& entity = next.entities[ix];
        if (model_->has(EntityIx{ix})) {
            SKERRY_TRY(fit_journal(db_, *tables_, EntityIx{ix}, entity));
            SKERRY_TRY(db_.exec(attribute_columns(entity, static_cast<std::uint32_t>(model_->entities[ix].attributes.size()))));
        } else {
            SKERRY_TRY(db_.exec(entity_tables(entity)));
        }
        const auto indexes = entity_indexes(entity);
        wanted.insert(indexes.begin(), indexes.end());
    }
    // SQLite keeps the text of a CREATE INDEX as it was given: what is there as it should be is not built again.
    SKERRY_ASSIGN(const auto indexes, objects(db_, "index", "skerry_index_*"));
    for (const auto& [name, sql] : indexes)
        if (wanted.erase(sql) == 0) SKERRY_TRY(db_.exec("DROP INDEX " + sqlite::quote_name(name)));
    for (const std::string& index : wanted) SKERRY_TRY(db_.exec(index));
    return make_triggers(next);
}

// An app goes on passing the model that it was built with after the server has sent a successor of it.
Result<void> Store::open_with(BytesView compiled) {
    SKERRY_ASSIGN(const model::Model passed, model::Model::load(compiled));
    if (model_ && passed.version < model_->version && check_successor(passed, *model_)) return {};
    return adopt_model(compiled);
}

Result<void> Store::adopt_model(BytesView compiled) {
    SKERRY_ASSIGN(model::Model model, model::Model::load(compiled));
    SKERRY_TRY(reload_model());
    if (model_ && model.hash() == model_hash_) return {};
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(db_));
    SKERRY_TRY(reload_model());  // another process may have been faster
    if (model_ && model.hash() == model_hash_) return txn.commit();
    if (model_) {
        SKERRY_TRY(check_successor(*model_, model));
        SKERRY_TRY(number({}));
        SKERRY_TRY(evolve_tables(model));
    } else {
        SKERRY_TRY(make_tables(model));
    }
    SKERRY_TRY(meta_->set_bytes(key::kModel, compiled));
    SKERRY_TRY(txn.commit());
    SKERRY_TRY(reload_model());
    return number_released();  // of entities that the new model does not keep on the device any more
}

}  // namespace skerry::store
