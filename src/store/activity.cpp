#include "store/activity.hpp"

#include "base/error_table.hpp"
#include "base/text.hpp"
#include "store/drafts.hpp"
#include "store/journal.hpp"
#include "store/left.hpp"
#include "store/modes.hpp"

namespace skerry::store {

namespace {

std::string iso(std::int64_t us) { return us == 0 ? std::string() : timestamp_text(Micros{us}); }

std::string_view operation_name(wire::OpKind kind) {
    switch (kind) {
        case wire::OpKind::kInsert: return "insert";
        case wire::OpKind::kUpdate: return "update";
        case wire::OpKind::kDelete: return "delete";
    }
    return "?";
}

struct RowName {
    EntityIx entity;
    std::string key;  // empty: all of the entity
};

bool touches(const wire::Transaction& txn, const std::optional<RowName>& row) {
    if (!row) return true;
    for (const wire::Op& op : txn.ops)
        if (op.entity == row->entity && (row->key.empty() || op.key == row->key)) return true;
    return false;
}

void fill(LogEntry& entry, const model::Model& model, const wire::Transaction& txn) {
    entry.transaction = txn.no.value;
    entry.strict = txn.strict;
    entry.made_at = iso(txn.made_at_us);
    for (const TxnNo no : txn.redo_of) entry.mends.push_back(no.value);
    entry.changes = changes_of(model, txn);
}

Result<void> log_unsettled(Store& store, const std::optional<RowName>& row, std::size_t limit, std::vector<LogEntry>& out) {
    SKERRY_ASSIGN(sqlite::Statement get, store.db().prepare("SELECT no, state FROM skerry_txn ORDER BY no DESC"));
    std::vector<std::pair<TxnNo, TxnState>> transactions;
    for (;;) {
        SKERRY_ASSIGN(const bool more, get.step());
        if (!more) break;
        transactions.emplace_back(TxnNo{static_cast<std::uint64_t>(get.integer(0))}, static_cast<TxnState>(get.integer(1)));
    }
    get.reset();
    Journal journal(store);
    for (const auto& [no, state] : transactions) {
        if (out.size() >= limit) break;
        SKERRY_ASSIGN(const wire::Transaction txn, journal.load(no));
        if (!touches(txn, row)) continue;
        LogEntry& entry = out.emplace_back();
        fill(entry, store.model(), txn);
        entry.state = state == TxnState::kUnsent ? "pending" : "sent";
    }
    return {};
}

Result<void> log_settled(Store& store, const std::optional<RowName>& row, std::size_t limit, std::vector<LogEntry>& out) {
    // By rowid: in the order in which they settled, and without sorting payloads.
    SKERRY_ASSIGN(sqlite::Statement get, store.db().prepare(
        "SELECT a.verdict, a.code, a.message, a.settled_at_us, a.payload, ifnull(d.state, 0), ifnull(d.mended_by, 0) FROM skerry_archive a "
        "LEFT JOIN skerry_draft d ON d.device = a.device AND d.no = a.no ORDER BY a.rowid DESC"));
    while (out.size() < limit) {
        SKERRY_ASSIGN(const bool more, get.step());
        if (!more) break;
        const auto txn = wire::get_kept_transaction(get.blob(4), store.model());
        if (!txn) {
            get.reset();
            return fail(txn.error(), "reading a settled transaction");
        }
        if (!touches(*txn, row)) continue;
        LogEntry& entry = out.emplace_back();
        fill(entry, store.model(), *txn);
        entry.state = "settled";
        const auto verdict = static_cast<wire::Verdict>(get.integer(0));
        entry.verdict = wire::verdict_name(verdict);
        if (verdict == wire::Verdict::kRejected || verdict == wire::Verdict::kConflict) {
            entry.code = code_name(code_from_number(static_cast<std::uint16_t>(get.integer(1))));
            entry.message = get.text(2);
        }
        entry.settled_at = iso(get.integer(3));
        entry.draft = draft_state_name(get.integer(5));
        entry.mended_by = static_cast<std::uint64_t>(get.integer(6));
    }
    get.reset();
    return {};
}

}  // namespace

std::vector<RowChange> changes_of(const model::Model& model, const wire::Transaction& txn) {
    std::vector<RowChange> out;
    for (const wire::Op& op : txn.ops) {
        const model::Entity& entity = model.entity(op.entity);
        RowChange& change = out.emplace_back();
        change.entity = entity.name;
        change.key = op.key;
        change.operation = operation_name(op.kind);
        for (std::size_t at = 0; at < op.row.size(); ++at) change.fields.push_back({entity.attributes[at].name, std::nullopt, op.row[at]});
        for (const wire::Change& one : op.changes) {
            auto& field = change.fields.emplace_back();
            field.attribute = entity.attributes[one.attribute].name;
            if (!one.old_hash) field.was = one.old_value;
            field.now = one.new_value;
        }
    }
    return out;
}

Result<std::vector<LogEntry>> log(Store& store, const LogFilter& filter) {
    std::optional<RowName> row;
    if (!filter.entity.empty()) {
        SKERRY_ASSIGN(const EntityIx ix, store.entity_named(filter.entity));
        row = RowName{ix, filter.key};
    }
    SKERRY_TRY(store.number_open());
    std::vector<LogEntry> out;
    SKERRY_TRY(log_unsettled(store, row, filter.limit, out));
    SKERRY_TRY(log_settled(store, row, filter.limit, out));
    return out;
}

namespace {

// The first that holds of what RowState::state lists, up to "sending".
Result<std::optional<RowState>> state_by_work(Store& store, EntityIx ix, std::string_view key) {
    const std::string& entity = store.model().entity(ix).name;
    SKERRY_ASSIGN(const auto drafts, Drafts(store).list());
    for (const char* wanted : {"rejected", "waiting"}) {
        for (const Draft& draft : drafts) {
            if ((draft.waiting_for != 0) != (std::string_view(wanted) == "waiting")) continue;
            for (const RowChange& change : draft.changes)
                if (change.entity == entity && change.key == key) return RowState{wanted, draft.rejected_at, draft.transaction, {}, {}};
        }
    }
    SKERRY_ASSIGN(sqlite::Statement record, store.db().prepare(
        "SELECT min(\"at\") FROM skerry_conflict WHERE entity = ?1 AND \"row\" = ?2 AND state = 'open' HAVING count(*) > 0"));
    record.bind_text(1, entity).bind_text(2, key);
    SKERRY_ASSIGN(const bool in_conflict, record.step());
    const std::string since(in_conflict ? record.text(0) : std::string_view());
    record.reset();
    if (in_conflict) return RowState{"conflict", since, 0, {}, {}};
    SKERRY_ASSIGN(sqlite::Statement op, store.db().prepare(
        "SELECT t.no, t.state, t.made_at_us FROM skerry_op o CROSS JOIN skerry_txn t ON t.no = o.txn WHERE o.entity = ?1 AND o.key = ?2 "
        "ORDER BY t.state, t.no LIMIT 1"));
    op.bind(1, static_cast<std::int64_t>(ix.value)).bind_text(2, key);
    SKERRY_ASSIGN(const bool unsettled, op.step());
    std::optional<RowState> state;
    if (unsettled) {
        const bool unsent = static_cast<TxnState>(op.integer(1)) == TxnState::kUnsent;
        state = RowState{unsent ? "pending" : "sending", iso(op.integer(2)), static_cast<std::uint64_t>(op.integer(0)), {}, {}};
    }
    op.reset();
    return state;
}

}  // namespace

Result<RowState> row_state(Store& store, std::string_view entity, std::string_view key) {
    SKERRY_TRY(store.number_open());
    SKERRY_ASSIGN(const EntityIx ix, store.entity_named(entity));
    SKERRY_ASSIGN(const bool is_here, store.tables().of(ix).is_here(key));
    SKERRY_ASSIGN(auto state, state_by_work(store, ix, key));
    SKERRY_ASSIGN(const Modes modes, Modes::load(store.meta(), store.model()));
    if (!state && is_here && modes.kept(ix)) state = RowState{"local", {}, 0, {}, {}};
    if (!state && is_here) {
        // A checkpoint may have brought a part only of what the server had: a person asks until when nothing is missing.
        SKERRY_ASSIGN(const auto fresh, store.meta().integer(key::kFreshAt));
        state = RowState{"synced", fresh ? iso(*fresh) : std::string(), 0, {}, {}};
    }
    if (is_here) return *state;
    SKERRY_ASSIGN(const auto left, LeftRows(store).find(ix, key));
    if (!state && !left) return fail(Code::kNotFound, "nothing is known of a row '" + std::string(key) + "' in " + std::string(entity));
    if (!state) state = RowState{"left", iso(left->at_us), 0, {}, {}};
    if (left) {
        state->left = left_name(left->why);
        state->left_at = iso(left->at_us);
    }
    return *state;
}

Result<std::vector<QuarantinedRow>> quarantine(Store& store) {
    SKERRY_ASSIGN(sqlite::Statement get, store.db().prepare("SELECT entity, key, reason, at_us FROM skerry_quarantine ORDER BY entity, key"));
    std::vector<QuarantinedRow> out;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        const EntityIx ix{static_cast<std::uint32_t>(get.integer(0))};
        if (!store.has_model() || !store.model().has(ix)) continue;
        out.push_back({store.model().entity(ix).name, std::string(get.text(1)), std::string(get.text(2)), iso(get.integer(3))});
    }
    get.reset();
    return out;
}

}  // namespace skerry::store
