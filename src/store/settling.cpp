#include "store/settling.hpp"

#include "base/planted.hpp"
#include "store/journal.hpp"
#include "store/store.hpp"

namespace skerry::store {

namespace {
std::int64_t as_int(TxnNo no) { return static_cast<std::int64_t>(no.value); }
}  // namespace

Result<std::optional<wire::Transaction>> Settling::take(const wire::Outcome& outcome) {
    SKERRY_ASSIGN(sqlite::Statement have, store_.db().prepare("SELECT id FROM skerry_txn WHERE no = ?1"));
    have.bind(1, as_int(outcome.no));
    SKERRY_ASSIGN(const bool unsettled, have.step());
    // The number may be another's: of the device that this file was copied from, or of a life after the backup. Ours
    // is not judged then; the push finds out and this store takes a new identity.
    const bool ours = unsettled && (outcome.id8 == 0 || Reader(have.blob(0)).u64() == outcome.id8);
    have.reset();
    // Not unsettled: an earlier checkpoint settled it; the server repeats outcomes in verify mode.
    if (!ours) return std::nullopt;
    Journal journal(store_);
    SKERRY_ASSIGN(wire::Transaction txn, journal.load(outcome.no));
    SKERRY_TRY(archive(outcome, txn));
    return txn;
}

Result<void> Settling::finish(const wire::Transaction& txn) {
    if (!planted(Plant::kRecomputeBeforeSettle)) {
        SKERRY_ASSIGN(sqlite::Statement ops, store_.db().prepare("DELETE FROM skerry_op WHERE txn = ?1"));
        SKERRY_TRY(ops.bind(1, as_int(txn.no)).run());
    }
    SKERRY_ASSIGN(sqlite::Statement head, store_.db().prepare("DELETE FROM skerry_txn WHERE no = ?1"));
    return head.bind(1, as_int(txn.no)).run();
}

Result<void> Settling::archive(const wire::Outcome& outcome, const wire::Transaction& txn) {
    SKERRY_ASSIGN(const DeviceId device, store_.meta().device());
    const std::int64_t now = store_.clock().wall().count();
    Bytes payload;
    Writer out(payload);
    wire::put_transaction(out, txn);
    const auto no = as_int(outcome.no);
    const auto code = static_cast<std::int64_t>(outcome.code);
    const auto root = as_int(outcome.root);
    SKERRY_ASSIGN(sqlite::Statement keep, store_.db().prepare(
        "INSERT OR REPLACE INTO skerry_archive(device, no, verdict, code, root, message, settled_at_us, payload) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"));
    keep.bind_blob(1, device.view()).bind(2, no).bind(3, static_cast<std::int64_t>(outcome.verdict)).bind(4, code);
    SKERRY_TRY(keep.bind(5, root).bind_text(6, outcome.message).bind(7, now).bind_blob(8, payload).run());
    // Without operations, but with something that it asserts, it may stand for drafts whose changes are there already: it is one itself then.
    if (outcome.verdict != wire::Verdict::kRejected || (txn.ops.empty() && txn.asserts.empty())) return {};
    return keep_draft(outcome, txn, payload);
}

// A draft is named by its transaction's number; where a draft of an earlier identity has that name, by the next free one.
Result<void> Settling::keep_draft(const wire::Outcome& outcome, const wire::Transaction& txn, BytesView payload) {
    SKERRY_ASSIGN(const DeviceId device, store_.meta().device());
    SKERRY_ASSIGN(sqlite::Statement draft, store_.db().prepare(
        "INSERT INTO skerry_draft(number, device, no, code, root, message, rejected_at_us, payload, state, mended_by, told) "
        "VALUES(CASE WHEN EXISTS (SELECT 1 FROM skerry_draft WHERE number = ?2) THEN (SELECT max(number) + 1 FROM skerry_draft) ELSE ?2 END, "
        "?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, 0, 0) ON CONFLICT(device, no) DO NOTHING"));
    draft.bind_blob(1, device.view()).bind(2, as_int(outcome.no)).bind(3, static_cast<std::int64_t>(outcome.code));
    const TxnNo root = outcome.root ? outcome.root : txn.no;
    draft.bind(4, as_int(root)).bind_text(5, outcome.message).bind(6, store_.clock().wall().count());
    return draft.bind_blob(7, payload).run();
}

}  // namespace skerry::store
