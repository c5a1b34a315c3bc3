#include "store/numbering.hpp"

#include <set>

#include "base/assert.hpp"
#include "base/text.hpp"

namespace skerry::store {

struct Numbering::Group {
    TxnNo no;
    std::vector<wire::Op> ops;
    std::set<TxnNo> needs;
    TxnNo low;  // the lowest transaction that this one names, itself included: feeds keep_from
    bool journal_was_empty = false;
    std::set<EntityIx> entities;

    void name(TxnNo no_named) {
        if (no_named && no_named < low) low = no_named;
    }
};

Result<std::vector<EntityIx>> Numbering::touched_entities() {
    // One statement whatever the number of entities; its text is the same for a model, so it stays prepared.
    std::string sql;
    const auto& entities = tables_.model().entities;
    for (std::size_t i = 0; i < entities.size(); ++i) {
        if (i > 0) sql += " UNION ALL ";
        sql += "SELECT " + std::to_string(i) + " WHERE EXISTS (SELECT 1 FROM " +
               sqlite::quote_name("skerry_pre_" + entities[i].name) + ")";
    }
    SKERRY_ASSIGN(sqlite::Statement get, db_.prepare(sql));
    std::vector<EntityIx> touched;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        touched.push_back(EntityIx{static_cast<std::uint32_t>(get.integer(0))});
    }
    get.reset();
    return touched;
}

Result<bool> Numbering::nothing_open() {
    SKERRY_ASSIGN(const auto touched, touched_entities());
    return touched.empty();
}

Result<std::optional<wire::Op>> Numbering::difference(EntityIx ix, sqlite::Statement& row) {
    const model::Entity& entity = tables_.of(ix).entity();
    const int n = static_cast<int>(entity.attributes.size());
    const bool existed = row.integer(1) != 0;
    const bool exists = row.integer(2 + n) != 0;
    wire::Op op;
    op.entity = ix;
    op.key = row.text(0);
    if (!existed && !exists) return std::nullopt;
    if (!existed) {
        op.kind = wire::OpKind::kInsert;
        for (int i = 0; i < n; ++i) op.row.push_back(row.value(3 + n + i));
        return op;
    }
    if (!exists) {
        op.kind = wire::OpKind::kDelete;
        model::Row was;
        for (int i = 0; i < n; ++i) was.push_back(row.value(2 + i));
        op.base_hash = model::row_hash(entity, was);
        return op;
    }
    op.kind = wire::OpKind::kUpdate;
    for (int i = 0; i < n; ++i) {
        // Variants compare by type and content: binary, no collation, 1 and '1' differ.
        Value was = row.value(2 + i);
        Value now = row.value(3 + n + i);
        if (was == now) continue;
        op.changes.push_back({static_cast<std::uint32_t>(i), std::move(was), std::move(now), TxnNo{}});
    }
    if (op.changes.empty()) return std::nullopt;
    return op;
}

// A form passed what it showed: that is the old value, whatever arrived since.
Result<void> Numbering::use_shown(EntityIx ix, wire::Op& op) {
    SKERRY_ASSIGN(sqlite::Statement get, db_.prepare("SELECT attribute, value FROM skerry_shown WHERE entity = ?1 AND key = ?2"));
    get.bind(1, static_cast<std::int64_t>(ix.value)).bind_text(2, op.key);
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        for (wire::Change& change : op.changes)
            if (change.attribute == static_cast<std::uint32_t>(get.integer(0))) change.old_value = get.value(1);
    }
    get.reset();
    return {};
}

Result<void> Numbering::link_to_own(const std::vector<JournalOp>& earlier, wire::Op& op, Group& group) {
    if (earlier.empty()) return {};
    for (const JournalOp& entry : earlier)
        if (entry.op.kind == wire::OpKind::kInsert) group.needs.insert(entry.txn);
    if (op.kind == wire::OpKind::kUpdate) {
        for (wire::Change& change : op.changes) {
            for (auto entry = earlier.rbegin(); entry != earlier.rend() && !change.prev; ++entry) {
                bool wrote = entry->op.kind != wire::OpKind::kUpdate;
                for (const wire::Change& other : entry->op.changes) wrote = wrote || other.attribute == change.attribute;
                if (wrote) change.prev = entry->txn;
            }
            group.name(change.prev);
        }
    } else {
        op.prev_row = earlier.back().txn;
        op.base_hash = {};
        group.name(op.prev_row);
    }
    return {};
}

Result<void> Numbering::collect(EntityIx ix, Group& group) {
    EntityTable& table = tables_.of(ix);
    SKERRY_ASSIGN(sqlite::Statement rows, db_.prepare(table.sql().difference));
    const int n = static_cast<int>(table.entity().attributes.size());
    SKERRY_ASSIGN(const std::int64_t shown, db_.integer("SELECT EXISTS (SELECT 1 FROM skerry_shown)"));
    for (;;) {
        SKERRY_ASSIGN(const bool more, rows.step());
        if (!more) break;
        SKERRY_ASSIGN(auto op, difference(ix, rows));
        if (!op) continue;
        std::vector<JournalOp> earlier;
        if (!group.journal_was_empty) {
            SKERRY_ASSIGN(earlier, tables_.ops(ix, op->key));
        }
        if (earlier.empty() && op->kind != wire::OpKind::kInsert) {
            // Nothing unsettled on the row: what was there is the server's version. Absent needs no base row.
            model::Row was;
            for (int i = 0; i < n; ++i) was.push_back(rows.value(2 + i));
            SKERRY_TRY(table.put_base(op->key, was));
        }
        if (shown != 0 && op->kind == wire::OpKind::kUpdate) SKERRY_TRY(use_shown(ix, *op));
        SKERRY_TRY(link_to_own(earlier, *op, group));
        group.entities.insert(ix);
        group.ops.push_back(std::move(*op));
    }
    rows.reset();
    SKERRY_ASSIGN(sqlite::Statement clear, db_.prepare(table.sql().clear_pre));
    return clear.run();
}

Result<void> Numbering::store(Group& group) {
    Bytes needs;
    Writer w(needs);
    w.varint(group.needs.size());
    for (const TxnNo no : group.needs) {
        group.name(no);
        w.varint(no.value);
    }
    SKERRY_ASSIGN(sqlite::Statement put, db_.prepare("INSERT INTO skerry_op(entity, key, txn, kind, body) VALUES(?1, ?2, ?3, ?4, ?5)"));
    std::size_t bytes = needs.size() + 32;
    Bytes body;
    for (const wire::Op& op : group.ops) {
        body.clear();
        Writer out(body);
        wire::put_op_body(out, op);
        bytes += body.size() + op.key.size() + 12;
        put.bind(1, static_cast<std::int64_t>(op.entity.value)).bind_text(2, op.key).bind(3, static_cast<std::int64_t>(group.no.value));
        SKERRY_TRY(put.bind(4, static_cast<std::int64_t>(op.kind)).bind_blob(5, body).run());
    }
    if (bytes > wire::kTxnBytesMax)
        return fail(Code::kTxnTooBig, "the transaction has " + with_commas(bytes) + " bytes; the limit is " + with_commas(wire::kTxnBytesMax));
    SKERRY_ASSIGN(sqlite::Statement txn, db_.prepare("INSERT INTO skerry_txn(no, id, state, made_at_us, low, bytes, needs) VALUES(?1, ?2, 1, ?3, ?4, ?5, ?6)"));
    const TxnId id = random_.id<TxnId>();
    txn.bind(1, static_cast<std::int64_t>(group.no.value)).bind_blob(2, id.view()).bind(3, clock_.wall().count());
    SKERRY_TRY(txn.bind(4, static_cast<std::int64_t>(group.low.value)).bind(5, static_cast<std::int64_t>(bytes)).bind_blob(6, needs).run());
    SKERRY_TRY(meta_.set(key::kNextNo, static_cast<std::int64_t>(group.no.value + 1)));
    for (const EntityIx ix : group.entities) SKERRY_TRY(tables_.mark_changed(ix));
    return {};
}

Result<bool> Numbering::number() {
    // open_rows counts the pre-images of the group and rolls back with them: the usual case is one read.
    SKERRY_ASSIGN(const std::int64_t open, db_.integer("SELECT open_rows FROM skerry_state"));
    if (open == 0) return false;
    Group group;
    SKERRY_ASSIGN(group.no, meta_.next_no());
    group.low = group.no;
    SKERRY_ASSIGN(group.journal_was_empty, tables_.journal_is_empty());
    SKERRY_ASSIGN(const auto touched, touched_entities());
    for (const EntityIx ix : touched) SKERRY_TRY(collect(ix, group));
    SKERRY_TRY(db_.exec("UPDATE skerry_state SET open_rows = 0, open_chars = 0; DELETE FROM skerry_shown"));
    if (group.ops.empty()) return false;
    SKERRY_TRY(store(group));
    return true;
}

}  // namespace skerry::store
