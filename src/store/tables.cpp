#include "store/tables.hpp"

#include "merge/merge.hpp"
#include "store/meta.hpp"

namespace skerry::store {

EntityTable::EntityTable(sqlite::Database& db, const model::Entity& entity, const bool& guarded)
    : db_(db), entity_(entity), sql_(entity), guarded_(guarded) {
    for (std::uint32_t at = 0; at < entity.attributes.size(); ++at) {
        const model::Attribute& attribute = entity.attributes[at];
        if (attribute.type == model::Type::kJson || attribute.type == model::Type::kSet) respelled_.push_back(at);
        if (attribute.references) associations_.push_back(at);
    }
}

Result<std::optional<model::Row>> EntityTable::read(const std::string& sql, std::string_view key) {
    SKERRY_ASSIGN(sqlite::Statement get, db_.prepare(sql));
    get.bind_text(1, key);
    SKERRY_ASSIGN(const bool found, get.step());
    std::optional<model::Row> row;
    if (found) {
        row.emplace();
        row->reserve(entity_.attributes.size());
        for (std::size_t i = 0; i < entity_.attributes.size(); ++i) row->push_back(get.value(static_cast<int>(i) + 1));
    }
    get.reset();
    return row;
}

Result<void> EntityTable::write(const std::string& sql, std::string_view key, const model::Row& row) {
    SKERRY_ASSIGN(sqlite::Statement put, db_.prepare(sql));
    put.bind_text(1, key);
    for (std::size_t i = 0; i < row.size(); ++i) put.bind(static_cast<int>(i) + 2, row[i]);
    return put.run();
}

Result<std::optional<model::Row>> EntityTable::visible(std::string_view key) { return read(sql_.select, key); }
Result<std::optional<model::Row>> EntityTable::base(std::string_view key) { return read(sql_.select_base, key); }
Result<void> EntityTable::put_base(std::string_view key, const model::Row& row) { return write(sql_.put_base, key, row); }

Result<bool> EntityTable::is_here(std::string_view key) {
    SKERRY_ASSIGN(sqlite::Statement get, db_.prepare(sql_.is_here));
    get.bind_text(1, key);
    SKERRY_ASSIGN(const bool found, get.step());
    get.reset();
    return found;
}

Result<void> EntityTable::erase_marked(EntityIx ix) {
    for (const std::string* sql : {&sql_.erase_marked, &sql_.erase_marked_bases}) {
        SKERRY_ASSIGN(sqlite::Statement erase, db_.prepare(*sql));
        SKERRY_TRY(erase.bind(1, static_cast<std::int64_t>(ix.value)).run());
    }
    return {};
}

Result<void> EntityTable::erase_base(std::string_view key) {
    SKERRY_ASSIGN(sqlite::Statement erase, db_.prepare(sql_.erase_base));
    return erase.bind_text(1, key).run();
}

Result<void> EntityTable::name(std::string_view key, const model::Row& row) {
    if (!guarded_) return {};
    named_ = true;
    return write(sql_.name_row, key, row);
}

Result<void> EntityTable::forget_named() {
    if (!named_) return {};
    named_ = false;
    return db_.exec(sql_.clear_named);
}

Result<void> EntityTable::put_visible(std::string_view key, const model::Row& row) {
    SKERRY_TRY(name(key, row));
    auto done = write(sql_.update, key, row);
    if (done && db_.changes() != 0) return {};
    if (done) done = write(sql_.insert, key, row);
    if (done || !db_.in_transaction()) return done;
    // A trigger of the app's own refused it. Where the row is as it should be already, nothing is missing.
    SKERRY_ASSIGN(const auto here, visible(key));
    return here == std::optional(row) ? Result<void>{} : done;
}

Result<void> EntityTable::insert_visible(std::string_view key, const model::Row& row) {
    SKERRY_TRY(name(key, row));
    return write(sql_.insert, key, row);
}

Result<void> EntityTable::set(std::string_view key, std::uint32_t attribute, const Value& value) {
    SKERRY_ASSIGN(sqlite::Statement set, db_.prepare(sql_.set_attribute[attribute]));
    SKERRY_TRY(set.bind_text(1, key).bind(2, value).run());
    if (db_.changes() == 0) return fail(Code::kNotFound, "there is no row '" + std::string(key) + "' in " + entity_.name);
    return {};
}

Result<void> EntityTable::erase_visible(std::string_view key) {
    if (guarded_) {
        named_ = true;
        SKERRY_ASSIGN(sqlite::Statement gone, db_.prepare(sql_.name_gone));
        SKERRY_TRY(gone.bind_text(1, key).run());
    }
    SKERRY_ASSIGN(sqlite::Statement erase, db_.prepare(sql_.erase));
    return erase.bind_text(1, key).run();
}

Result<std::vector<std::string>> EntityTable::keys_in_range(std::string_view after, const std::optional<std::string>& upto, std::size_t limit) {
    SKERRY_ASSIGN(sqlite::Statement get, db_.prepare(sql_.keys_in_range));
    get.bind_text(1, after);
    if (upto) get.bind_text(2, *upto);
    std::vector<std::string> keys;
    while (keys.size() < limit) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        keys.emplace_back(get.text(0));
    }
    get.reset();
    return keys;
}

Tables::Tables(sqlite::Database& db, const model::Model& model) : db_(db), model_(model) {
    for (const model::Entity& entity : model.entities) tables_.push_back(std::make_unique<EntityTable>(db, entity, guarded_));
}

Result<bool> Tables::journal_is_empty() {
    SKERRY_ASSIGN(const std::int64_t some, db_.integer("SELECT EXISTS (SELECT 1 FROM skerry_op)"));
    return some == 0;
}

Result<std::vector<JournalOp>> Tables::ops(EntityIx entity, std::string_view key) {
    SKERRY_ASSIGN(sqlite::Statement get, db_.prepare("SELECT txn, kind, body FROM skerry_op WHERE entity = ?1 AND key = ?2 ORDER BY txn"));
    get.bind(1, static_cast<std::int64_t>(entity.value)).bind_text(2, key);
    std::vector<JournalOp> ops;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        JournalOp& entry = ops.emplace_back();
        entry.txn.value = static_cast<std::uint64_t>(get.integer(0));
        entry.op.kind = static_cast<wire::OpKind>(get.integer(1));
        entry.op.entity = entity;
        entry.op.key = key;
        Reader in(get.blob(2));
        wire::get_op_body(in, model_.entity(entity), entry.op);
        if (!in.at_end() || !wire::fits(entry.op, model_.entity(entity))) {
            get.reset();
            return fail(Code::kCorruptStore, "the journal entry of a row of " + model_.entity(entity).name + " does not decode");
        }
    }
    get.reset();
    return ops;
}

Result<bool> Tables::has_ops(EntityIx entity, std::string_view key) {
    SKERRY_ASSIGN(sqlite::Statement get, db_.prepare("SELECT 1 FROM skerry_op WHERE entity = ?1 AND key = ?2 LIMIT 1"));
    get.bind(1, static_cast<std::int64_t>(entity.value)).bind_text(2, key);
    SKERRY_ASSIGN(const bool found, get.step());
    get.reset();
    return found;
}

Result<void> Tables::recompute(EntityIx ix, std::string_view key) {
    EntityTable& table = of(ix);
    SKERRY_ASSIGN(const auto unsettled, ops(ix, key));
    SKERRY_ASSIGN(auto base_row, table.base(key));
    const auto row = rebase(table.entity(), std::move(base_row), unsettled);
    if (row) {
        SKERRY_TRY(table.put_visible(key, *row));
    } else {
        SKERRY_TRY(table.erase_visible(key));
    }
    if (unsettled.empty()) SKERRY_TRY(table.erase_base(key));
    return {};
}

Result<void> Tables::mark_changed(EntityIx entity) {
    SKERRY_ASSIGN(sqlite::Statement mark, db_.prepare("INSERT INTO skerry_meta(name, value) VALUES(?1, 1) ON CONFLICT(name) DO UPDATE SET value = value + 1"));
    const std::string name = key::changed(entity);
    return mark.bind_text(1, name).run();
}

Result<void> Applying::begin() {
    sqlite::Database& db = tables_.db_;
    SKERRY_TRY(db.exec("UPDATE skerry_state SET applying = 1"));
    SKERRY_ASSIGN(const std::int64_t of_the_app, db.integer(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND name NOT GLOB 'skerry_*') OR "
        "EXISTS (SELECT 1 FROM sqlite_temp_schema WHERE type = 'trigger')"));
    tables_.guarded_ = of_the_app != 0;
    db.enable_triggers(tables_.guarded_);
    return {};
}

Result<void> Applying::end() {
    for (const auto& table : tables_.tables_) SKERRY_TRY(table->forget_named());
    return tables_.db_.exec("UPDATE skerry_state SET applying = 0");
}

Applying::~Applying() {
    tables_.guarded_ = false;
    tables_.db_.enable_triggers(true);
}

namespace {

// A creation of a key that the server has by now: alone where the model rejects it, else on top, from nothing.
model::Row insert_over(const model::Entity& entity, const std::optional<model::Row>& base, const model::Row& mine) {
    if (!base || entity.create_create != model::CreateCreate::kMerge) return mine;
    model::Row row = *base;
    for (std::size_t at = 0; at < mine.size(); ++at)
        if (!is_null(mine[at])) row[at] = merge::rebase(entity.attributes[at], Null{}, mine[at], row[at]);
    return row;
}

}  // namespace

std::optional<model::Row> rebase(const model::Entity& entity, std::optional<model::Row> base, const std::vector<JournalOp>& ops) {
    std::optional<model::Row> row = std::move(base);
    for (const JournalOp& entry : ops) {
        switch (entry.op.kind) {
            case wire::OpKind::kInsert: row = insert_over(entity, row, entry.op.row); break;
            case wire::OpKind::kUpdate:
                // No base and no unsettled insert: the row is not visible; the change stays, is pushed and judged.
                if (!row) break;
                for (const wire::Change& change : entry.op.changes) {
                    Value& value = (*row)[change.attribute];
                    // Where the whole row wins, no attribute is merged on its own.
                    value = entity.conflict == model::Conflict::kLast
                                ? change.new_value
                                : merge::rebase(entity.attributes[change.attribute], change.old_value, change.new_value, value);
                }
                break;
            case wire::OpKind::kDelete: row.reset(); break;
        }
    }
    return row;
}

}  // namespace skerry::store
