#include "store/numbering.hpp"

#include <algorithm>
#include <set>

#include "base/assert.hpp"
#include "base/text.hpp"
#include "store/modes.hpp"

namespace skerry::store {

namespace {

void put_numbers(Writer& out, const std::vector<TxnNo>& numbers) {
    out.varint(numbers.size());
    for (const TxnNo no : numbers) out.varint(no.value);
}

std::vector<TxnNo> get_numbers(Reader& in) {
    std::vector<TxnNo> numbers(in.count(1));
    for (TxnNo& no : numbers) no.value = in.varint();
    return numbers;
}

bool is_large(const Value& value) {
    const auto* blob = std::get_if<Blob>(&value);
    return blob != nullptr && blob->size() > model::kOldBlobBytesMax;
}

std::size_t bytes_of(const std::vector<Value>& row) {
    std::size_t bytes = 0;
    for (const Value& value : row) {
        bytes += 10;
        if (const auto* text = std::get_if<std::string>(&value)) bytes += text->size();
        if (const auto* blob = std::get_if<Blob>(&value)) bytes += blob->size();
    }
    return bytes;
}

// Counters and sets apply their difference, whatever became of an earlier one: they name no predecessor.
bool has_predecessor(const model::Entity& entity, const wire::Change& change) {
    if (entity.conflict == model::Conflict::kLast) return true;
    const model::Merge merge = entity.attributes[change.attribute].merge;
    return merge != model::Merge::kCounter && merge != model::Merge::kSet;
}

}  // namespace

Bytes encode_terms(const wire::Transaction& txn) {
    Bytes bytes;
    Writer out(bytes);
    out.u8(txn.strict ? 1 : 0);
    put_numbers(out, txn.needs);
    put_numbers(out, txn.redo_of);
    out.varint(txn.asserts.size());
    for (const wire::Assert& one : txn.asserts) {
        out.varint(one.entity.value);
        out.bytes(one.key);
        out.bytes(one.expression);
    }
    return bytes;
}

Result<void> decode_terms(BytesView bytes, wire::Transaction& txn) {
    Reader in(bytes);
    txn.strict = in.u8() != 0;
    txn.needs = get_numbers(in);
    txn.redo_of = get_numbers(in);
    txn.asserts.resize(in.count(3));
    for (wire::Assert& one : txn.asserts) {
        one.entity.value = static_cast<std::uint32_t>(in.varint());
        one.key = in.bytes();
        one.expression = in.bytes();
    }
    if (!in.at_end()) return fail(Code::kCorruptStore, "the terms of a transaction do not decode");
    return {};
}

struct Numbering::Group {
    struct Row {
        EntityIx entity;
        std::string key;
    };
    TxnNo no;
    std::vector<wire::Op> ops;
    std::set<TxnNo> needs;
    TxnNo low;  // the lowest transaction that this one names, itself included: feeds keep_from
    bool journal_was_empty = false;
    bool has_shown = false;
    std::set<EntityIx> entities;
    std::vector<std::pair<Row, model::Row>> respelled;  // rows to be written again in canonical form
    std::vector<Row> merged;  // rows whose change is not from what was visible: they show it on top of that

    void name(TxnNo no_named) {
        if (no_named && no_named < low) low = no_named;
    }
};

// Of one transaction of number_kept.
struct Numbering::Bounds {
    std::size_t rows = 0;
    std::size_t bytes = 0;
    std::string upto;   // the last key taken
    bool full = false;  // there is more

    bool take(std::string_view key, std::size_t row_bytes) {
        full = rows >= kKeptRowsMax || (rows > 0 && bytes + row_bytes > kKeptBytesMax);
        if (full) return false;
        rows += 1;
        bytes += row_bytes;
        upto = key;
        return true;
    }
};

Result<Numbering::Touched> Numbering::touched() {
    // One statement whatever the number of entities; its text is the same for a model, so it stays prepared.
    std::string sql;
    const auto& entities = tables_.model().entities;
    for (std::size_t i = 0; i < entities.size(); ++i) {
        if (i > 0) sql += " UNION ALL ";
        sql += "SELECT " + std::to_string(i) + " WHERE EXISTS (SELECT 1 FROM " +
               sqlite::quote_name("skerry_pre_" + entities[i].name) + ")";
    }
    SKERRY_ASSIGN(const Modes modes, Modes::load(meta_, tables_.model()));
    SKERRY_ASSIGN(sqlite::Statement get, db_.prepare(sql));
    Touched touched;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        const EntityIx ix{static_cast<std::uint32_t>(get.integer(0))};
        (modes.kept(ix) ? touched.kept : touched.open).push_back(ix);
    }
    get.reset();
    return touched;
}

Result<bool> Numbering::nothing_open() {
    SKERRY_ASSIGN(const auto found, touched());
    return found.open.empty();
}

// Null: there is, or was, no row.
std::optional<wire::Op> Numbering::difference(EntityIx ix, std::string_view key, const Values* was, const Values* now) {
    const model::Entity& entity = tables_.of(ix).entity();
    wire::Op op;
    op.entity = ix;
    op.key = key;
    if (was == nullptr && now == nullptr) return std::nullopt;
    if (was == nullptr) {
        op.kind = wire::OpKind::kInsert;
        op.row = *now;
        return op;
    }
    if (now == nullptr) {
        op.kind = wire::OpKind::kDelete;
        op.base_hash = model::row_hash(entity, *was);
        return op;
    }
    op.kind = wire::OpKind::kUpdate;
    bool differs = false;
    const bool whole_row = entity.conflict == model::Conflict::kLast;
    for (std::uint32_t at = 0; at < was->size(); ++at) {
        // Variants compare by type and content: binary, no collation, 1 and '1' differ.
        const bool same = (*was)[at] == (*now)[at];
        differs = differs || !same;
        if (same && !whole_row) continue;
        wire::Change& change = op.changes.emplace_back();
        change.attribute = at;
        change.old_value = (*was)[at];
        change.new_value = (*now)[at];
    }
    if (!differs) return std::nullopt;
    op.row_version = entity.conflict == model::Conflict::kDetect;
    if (op.row_version) op.base_hash = model::row_hash(entity, *was);
    return op;
}

// True if a value of the row has another, canonical spelling, which it has from now on.
bool Numbering::respell(EntityIx ix, Values& now) {
    bool changed = false;
    const EntityTable& table = tables_.of(ix);
    for (const std::uint32_t at : table.respelled()) {
        if (is_null(now[at])) continue;
        auto canonical = model::canonical(table.entity(), table.entity().attributes[at], now[at]);
        if (!canonical || *canonical == now[at]) continue;
        now[at] = std::move(*canonical);
        changed = true;
    }
    return changed;
}

// A form passed what it showed: that is the old value, whatever arrived since.
Result<void> Numbering::use_shown(wire::Op& op, Group& group) {
    SKERRY_ASSIGN(sqlite::Statement get, db_.prepare("SELECT attribute, value FROM skerry_shown WHERE entity = ?1 AND key = ?2"));
    get.bind(1, static_cast<std::int64_t>(op.entity.value)).bind_text(2, op.key);
    bool merged = false;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        for (wire::Change& change : op.changes) {
            if (change.attribute != static_cast<std::uint32_t>(get.integer(0))) continue;
            Value shown = get.value(1);
            merged = merged || shown != change.old_value;
            change.old_value = std::move(shown);
        }
    }
    get.reset();
    if (merged) group.merged.push_back({op.entity, op.key});
    return {};
}

Result<void> Numbering::link_to_own(const std::vector<JournalOp>& earlier, wire::Op& op, Group& group) {
    if (earlier.empty()) return {};
    for (const JournalOp& entry : earlier)
        if (entry.op.kind == wire::OpKind::kInsert) group.needs.insert(entry.txn);
    if (op.kind != wire::OpKind::kUpdate || op.row_version) {
        op.prev_row = earlier.back().txn;
        op.base_hash = {};
        group.name(op.prev_row);
    }
    for (wire::Change& change : op.changes) {
        if (!has_predecessor(tables_.of(op.entity).entity(), change)) continue;
        for (auto entry = earlier.rbegin(); entry != earlier.rend() && !change.prev; ++entry) {
            bool wrote = entry->op.kind != wire::OpKind::kUpdate;
            for (const wire::Change& other : entry->op.changes) wrote = wrote || other.attribute == change.attribute;
            if (wrote) change.prev = entry->txn;
        }
        group.name(change.prev);
    }
    return {};
}

// A row that it now refers to may be one that the server has not taken yet.
Result<void> Numbering::link_to_parents(const wire::Op& op, Group& group) {
    const EntityTable& table = tables_.of(op.entity);
    for (const std::uint32_t at : table.associations()) {
        const Value* value = op.kind == wire::OpKind::kInsert ? &op.row[at] : nullptr;
        for (const wire::Change& change : op.changes)
            if (change.attribute == at) value = &change.new_value;
        const auto* parent = value == nullptr ? nullptr : std::get_if<std::string>(value);
        if (parent == nullptr) continue;
        SKERRY_ASSIGN(sqlite::Statement get, db_.prepare("SELECT txn FROM skerry_op WHERE entity = ?1 AND key = ?2 AND kind = 1"));
        get.bind(1, static_cast<std::int64_t>(table.entity().attributes[at].references->value)).bind_text(2, *parent);
        for (;;) {
            SKERRY_ASSIGN(const bool row, get.step());
            if (!row) break;
            group.needs.insert(TxnNo{static_cast<std::uint64_t>(get.integer(0))});
        }
        get.reset();
    }
    return {};
}

Result<void> Numbering::collect(EntityIx ix, Group& group, Bounds* bounds) {
    EntityTable& table = tables_.of(ix);
    SKERRY_ASSIGN(sqlite::Statement rows, db_.prepare(table.sql().difference));
    const int n = static_cast<int>(table.entity().attributes.size());
    Values was;
    Values now;
    for (;;) {
        SKERRY_ASSIGN(const bool more, rows.step());
        if (!more) break;
        const bool existed = rows.integer(1) != 0;
        const bool exists = rows.integer(2 + n) != 0;
        was.clear();
        now.clear();
        for (int i = 0; existed && i < n; ++i) was.push_back(rows.value(2 + i));
        for (int i = 0; exists && i < n; ++i) now.push_back(rows.value(3 + n + i));
        if (bounds != nullptr && !bounds->take(rows.text(0), bytes_of(was) + bytes_of(now))) break;
        if (exists && respell(ix, now)) group.respelled.push_back({{ix, std::string(rows.text(0))}, now});
        auto op = difference(ix, rows.text(0), existed ? &was : nullptr, exists ? &now : nullptr);
        if (!op) continue;
        std::vector<JournalOp> earlier;
        if (!group.journal_was_empty) {
            SKERRY_ASSIGN(earlier, tables_.ops(ix, op->key));
        }
        if (earlier.empty() && op->kind != wire::OpKind::kInsert) {
            // Nothing unsettled on the row: what was there is the server's version. Absent needs no base row.
            SKERRY_TRY(table.put_base(op->key, was));
        }
        if (group.has_shown && op->kind == wire::OpKind::kUpdate) SKERRY_TRY(use_shown(*op, group));
        for (wire::Change& change : op->changes) {
            if (!is_large(change.old_value)) continue;
            change.old_hash = model::value_hash(change.old_value);
            change.old_value = Null{};
        }
        SKERRY_TRY(link_to_own(earlier, *op, group));
        if (!group.journal_was_empty) SKERRY_TRY(link_to_parents(*op, group));
        group.entities.insert(ix);
        group.ops.push_back(std::move(*op));
    }
    rows.reset();
    const bool all = bounds == nullptr || !bounds->full;
    SKERRY_ASSIGN(sqlite::Statement clear, db_.prepare(all ? table.sql().clear_pre : table.sql().clear_pre_upto));
    if (!all) clear.bind_text(1, bounds->upto);
    return clear.run();
}

Result<void> Numbering::store(const Group& group, const Terms& terms) {
    wire::Transaction head;
    head.strict = terms.strict;
    head.asserts = terms.asserts;
    head.redo_of = terms.redo_of;
    head.needs.assign(group.needs.begin(), group.needs.end());
    TxnNo low = group.low;
    for (const TxnNo no : head.needs) low = std::min(low, no);
    const Bytes head_bytes = encode_terms(head);
    SKERRY_ASSIGN(sqlite::Statement put, db_.prepare("INSERT INTO skerry_op(entity, key, txn, kind, body) VALUES(?1, ?2, ?3, ?4, ?5)"));
    std::size_t bytes = head_bytes.size() + 32;
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
    SKERRY_ASSIGN(sqlite::Statement txn, db_.prepare("INSERT INTO skerry_txn(no, id, state, made_at_us, low, bytes, terms) VALUES(?1, ?2, 1, ?3, ?4, ?5, ?6)"));
    const TxnId id = random_.id<TxnId>();
    txn.bind(1, static_cast<std::int64_t>(group.no.value)).bind_blob(2, id.view()).bind(3, clock_.wall().count());
    SKERRY_TRY(txn.bind(4, static_cast<std::int64_t>(low.value)).bind(5, static_cast<std::int64_t>(bytes)).bind_blob(6, head_bytes).run());
    SKERRY_TRY(meta_.set(key::kNextNo, static_cast<std::int64_t>(group.no.value + 1)));
    for (const EntityIx ix : group.entities) SKERRY_TRY(tables_.mark_changed(ix));
    return {};
}

// Rows whose stored form is not what was captured: written by the engine, so nothing captures it.
Result<void> Numbering::rewrite(const Group& group) {
    if (group.respelled.empty() && group.merged.empty()) return {};
    Applying applying(tables_);
    SKERRY_TRY(applying.begin());
    // A trigger of the app's own may refuse the write. Everything waits for numbering, so then it is not asked. Where an
    // index of the app's own refuses it, the row keeps the spelling that it has until the server's version comes.
    const auto write = [&](auto&& once) -> Result<void> {
        const auto refused = [&](const Result<void>& result) { return !result && result.error().code == Code::kConstraint && db_.in_transaction(); };
        auto done = once();
        if (refused(done) && tables_.guarded()) {
            db_.enable_triggers(false);
            done = once();
            db_.enable_triggers(true);
        }
        return refused(done) ? Result<void>{} : done;
    };
    for (const auto& [row, values] : group.respelled)
        SKERRY_TRY(write([&] { return tables_.of(row.entity).put_visible(row.key, values); }));
    for (const Group::Row& row : group.merged)
        SKERRY_TRY(write([&] { return tables_.recompute(row.entity, row.key); }));
    return applying.end();
}

Result<void> Numbering::begin_group(Group& group) {
    SKERRY_ASSIGN(group.no, meta_.next_no());
    group.low = group.no;
    SKERRY_ASSIGN(group.journal_was_empty, tables_.journal_is_empty());
    SKERRY_ASSIGN(const std::int64_t shown, db_.integer("SELECT EXISTS (SELECT 1 FROM skerry_shown)"));
    group.has_shown = shown != 0;
    return {};
}

Result<bool> Numbering::number(const Terms& terms) {
    // open_rows counts the pre-images of the group and rolls back with them: the usual case is one read.
    SKERRY_ASSIGN(const std::int64_t open, db_.integer("SELECT open_rows FROM skerry_state"));
    if (open == 0 && terms.redo_of.empty()) return false;
    SKERRY_TRY(number_released());
    Group group;
    SKERRY_TRY(begin_group(group));
    SKERRY_ASSIGN(const Touched found, touched());
    for (const EntityIx ix : found.open) SKERRY_TRY(collect(ix, group, nullptr));
    // A statement that failed half way (OR FAIL) may have left its mark in skerry_cascading. A DELETE without a condition writes
    // the table's page though it is empty, and every page that a commit writes has to reach the disk.
    for (const std::string_view clear : {"UPDATE skerry_state SET open_rows = 0, open_bytes = 0", "DELETE FROM skerry_shown WHERE true", "DELETE FROM skerry_cascading WHERE true"}) {
        SKERRY_ASSIGN(sqlite::Statement statement, db_.prepare(clear));
        SKERRY_TRY(statement.run());
    }
    if (!found.kept.empty()) {
        SKERRY_ASSIGN(auto kept, kept_entities());
        const std::size_t known = kept.size();
        kept.insert(found.kept.begin(), found.kept.end());
        if (kept.size() != known) SKERRY_TRY(remember_kept(kept));
        // Which of them this very group wrote is not known; live queries compare what they find.
        for (const EntityIx ix : found.kept) SKERRY_TRY(tables_.mark_changed(ix));
    }
    const bool numbered = !group.ops.empty() || !terms.redo_of.empty();
    if (numbered) SKERRY_TRY(store(group, terms));
    SKERRY_TRY(rewrite(group));
    return numbered;
}

Result<bool> Numbering::number_kept(EntityIx ix) {
    bool any = false;
    for (;;) {
        Group group;
        SKERRY_TRY(begin_group(group));
        Bounds bounds;
        SKERRY_TRY(collect(ix, group, &bounds));
        if (!group.ops.empty()) SKERRY_TRY(store(group, {}));
        SKERRY_TRY(rewrite(group));
        any = any || !group.ops.empty();
        if (!bounds.full) return any;
    }
}

Result<std::set<EntityIx>> Numbering::kept_entities() {
    std::set<EntityIx> kept;
    SKERRY_ASSIGN(const auto bytes, meta_.bytes(key::kKept));
    if (!bytes) return kept;
    Reader in(*bytes);
    for (std::size_t n = in.count(1); n > 0; --n) kept.insert(EntityIx{static_cast<std::uint32_t>(in.varint())});
    if (!in.at_end()) return fail(Code::kCorruptStore, "skerry_meta.kept does not decode");
    return kept;
}

Result<void> Numbering::remember_kept(const std::set<EntityIx>& kept) {
    Bytes bytes;
    Writer out(bytes);
    out.varint(kept.size());
    for (const EntityIx ix : kept) out.varint(ix.value);
    return meta_.set_bytes(key::kKept, bytes);
}

Result<void> Numbering::number_released() {
    SKERRY_ASSIGN(auto kept, kept_entities());
    if (kept.empty()) return {};
    SKERRY_ASSIGN(const Modes modes, Modes::load(meta_, tables_.model()));
    const std::size_t before = kept.size();
    for (auto ix = kept.begin(); ix != kept.end();) {
        if (modes.kept(*ix)) {
            ++ix;
            continue;
        }
        if (tables_.model().has(*ix)) SKERRY_TRY(number_kept(*ix));
        ix = kept.erase(ix);
    }
    return kept.size() == before ? Result<void>{} : remember_kept(kept);
}

}  // namespace skerry::store
