#include "store/journal.hpp"

#include <algorithm>
#include <map>

#include "store/store.hpp"

namespace skerry::store {

namespace {

std::int64_t as_int(TxnNo no) { return static_cast<std::int64_t>(no.value); }
TxnNo as_no(std::int64_t v) { return TxnNo{static_cast<std::uint64_t>(v)}; }

}  // namespace

Result<JournalCounts> Journal::counts() {
    SKERRY_ASSIGN(sqlite::Statement get, store_.db().prepare("SELECT count(*), ifnull(sum(state = 1), 0), min(low), min(no) FROM skerry_txn"));
    SKERRY_ASSIGN(const bool row, get.step());
    static_cast<void>(row);  // an aggregate always gives one
    JournalCounts counts;
    counts.unsettled = static_cast<std::uint64_t>(get.integer(0));
    counts.unsent = static_cast<std::uint64_t>(get.integer(1));
    const bool none = get.is_null(2);
    counts.keep_from = as_no(get.integer(2));
    counts.first_unsettled = as_no(get.integer(3));
    get.reset();
    SKERRY_ASSIGN(const DeviceId device, store_.meta().device());
    SKERRY_ASSIGN(sqlite::Statement sent, store_.db().prepare(
        "SELECT max(ifnull((SELECT max(no) FROM skerry_txn WHERE state = 2), 0), "
        "ifnull((SELECT max(no) FROM skerry_archive WHERE device = ?1), 0))"));
    sent.bind_blob(1, device.view());
    SKERRY_ASSIGN(const bool one, sent.step());
    static_cast<void>(one);
    counts.sent_upto = as_no(sent.integer(0));
    sent.reset();
    if (none) {
        SKERRY_ASSIGN(counts.keep_from, store_.meta().next_no());
    }
    SKERRY_ASSIGN(const auto resend, store_.meta().integer(key::kResendFrom));
    if (resend) {
        counts.keep_from = std::min(counts.keep_from, as_no(*resend));
        counts.unsent += 1;  // at least one archived transaction is to be sent
        counts.heals = true;
    }
    return counts;
}

Result<wire::Transaction> Journal::load(TxnNo no) {
    wire::Transaction txn;
    txn.no = no;
    SKERRY_ASSIGN(sqlite::Statement head, store_.db().prepare("SELECT id, made_at_us, terms FROM skerry_txn WHERE no = ?1"));
    head.bind(1, as_int(no));
    SKERRY_ASSIGN(const bool found, head.step());
    if (!found || head.blob(0).size() != 16) {
        head.reset();
        return fail(Code::kCorruptStore, "transaction " + std::to_string(no.value) + " is not in the journal");
    }
    txn.id = TxnId::from(head.blob(0));
    txn.made_at_us = head.integer(1);
    auto terms = decode_terms(head.blob(2), txn);
    head.reset();
    SKERRY_TRY(std::move(terms));
    SKERRY_ASSIGN(sqlite::Statement ops, store_.db().prepare("SELECT entity, key, kind, body FROM skerry_op WHERE txn = ?1"));
    ops.bind(1, as_int(no));
    for (;;) {
        SKERRY_ASSIGN(const bool row, ops.step());
        if (!row) break;
        wire::Op& op = txn.ops.emplace_back();
        op.entity.value = static_cast<std::uint32_t>(ops.integer(0));
        op.key = ops.text(1);
        op.kind = static_cast<wire::OpKind>(ops.integer(2));
        Reader in(ops.blob(3));
        const bool known = store_.model().has(op.entity);
        if (known) wire::get_op_body(in, store_.model().entity(op.entity), op);
        if (!known || !in.at_end() || !wire::fits(op, store_.model().entity(op.entity))) {
            ops.reset();
            return fail(Code::kCorruptStore, "transaction " + std::to_string(no.value) + " does not decode");
        }
    }
    ops.reset();
    wire::sort_ops(txn.ops);
    return txn;
}

Result<Batch> Journal::next_batch(TxnNo from, std::size_t txns_max, std::size_t bytes_max) {
    SKERRY_ASSIGN(auto snapshot, sqlite::Transaction::begin_read(store_.db()));
    SKERRY_ASSIGN(const auto resend, store_.meta().integer(key::kResendFrom));
    Batch batch;
    std::size_t bytes = 0;
    const auto full = [&] { return batch.payloads.size() >= txns_max || bytes >= bytes_max; };
    // False: it does not fit.
    const auto add = [&](TxnNo no, Bytes payload) {
        if (!batch.payloads.empty() && bytes + payload.size() > bytes_max) return false;
        if (batch.payloads.empty()) batch.first = no;
        batch.last = no;
        bytes += payload.size();
        batch.payloads.push_back(std::move(payload));
        return true;
    };
    if (resend) {
        const TxnNo begin = std::max(from, as_no(*resend));
        SKERRY_ASSIGN(const DeviceId device, store_.meta().device());
        SKERRY_ASSIGN(sqlite::Statement archived, store_.db().prepare("SELECT no, payload FROM skerry_archive WHERE device = ?1 AND no >= ?2 ORDER BY no"));
        archived.bind_blob(1, device.view()).bind(2, as_int(begin));
        std::map<TxnNo, Bytes> settled;
        std::size_t held = 0;
        while (held < bytes_max && settled.size() < txns_max) {
            SKERRY_ASSIGN(const bool row, archived.step());
            if (!row) break;
            held += archived.blob(1).size();
            settled.emplace(as_no(archived.integer(0)), archived.blob(1));
        }
        archived.reset();
        SKERRY_ASSIGN(const TxnNo end, store_.meta().next_no());
        for (TxnNo no = begin; no < end && !full(); no = no.next()) {
            if (const auto found = settled.find(no); found != settled.end()) {
                if (!add(no, std::move(found->second))) break;
                continue;
            }
            const auto txn = load(no);
            if (!txn) break;  // the next batch begins where the archive's part of this one ended
            Bytes payload;
            Writer out(payload);
            wire::put_transaction(out, *txn);
            if (!add(no, std::move(payload))) break;
        }
        return batch;
    }
    SKERRY_ASSIGN(sqlite::Statement unsent, store_.db().prepare("SELECT no FROM skerry_txn WHERE no >= ?1 AND state = 1 ORDER BY no"));
    unsent.bind(1, as_int(from));
    std::vector<TxnNo> numbers;
    while (numbers.size() < txns_max) {
        SKERRY_ASSIGN(const bool row, unsent.step());
        if (!row) break;
        numbers.push_back(as_no(unsent.integer(0)));
    }
    unsent.reset();
    for (const TxnNo no : numbers) {
        if (full()) break;
        SKERRY_ASSIGN(const wire::Transaction txn, load(no));
        Bytes payload;
        Writer out(payload);
        wire::put_transaction(out, txn);
        if (!add(no, std::move(payload))) break;
    }
    return batch;
}

Result<void> Journal::mark_sent(const std::vector<wire::Outcome>& verdicts) {
    if (verdicts.empty()) return {};
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(store_.db()));
    SKERRY_ASSIGN(sqlite::Statement mark, store_.db().prepare(
        "UPDATE skerry_txn SET state = 2 WHERE no = ?1 AND (?2 IS NULL OR substr(id, 1, 8) = ?2)"));
    TxnNo last;
    for (const wire::Outcome& verdict : verdicts) {
        // A cache may replay an answer from before a restore: the number is the same, the transaction is not.
        Bytes id8;
        Writer(id8).u64(verdict.id8);
        mark.bind(1, as_int(verdict.no));
        if (verdict.id8 != 0) mark.bind_blob(2, id8);
        SKERRY_TRY(mark.run());
        last = std::max(last, verdict.no);
    }
    SKERRY_ASSIGN(const auto resend, store_.meta().integer(key::kResendFrom));
    if (resend && as_no(*resend) <= last) {
        // Behind the last archived transaction the journal knows by itself what is unsent.
        SKERRY_ASSIGN(const DeviceId device, store_.meta().device());
        SKERRY_ASSIGN(sqlite::Statement more, store_.db().prepare("SELECT 1 FROM skerry_archive WHERE device = ?1 AND no > ?2 LIMIT 1"));
        more.bind_blob(1, device.view()).bind(2, as_int(last));
        SKERRY_ASSIGN(const bool archived_left, more.step());
        more.reset();
        if (archived_left) {
            SKERRY_TRY(store_.meta().set(key::kResendFrom, as_int(last.next())));
        } else {
            SKERRY_TRY(store_.meta().erase(key::kResendFrom));
        }
    }
    return txn.commit();
}

Result<void> Journal::resend_from(TxnNo no) {
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(store_.db()));
    SKERRY_ASSIGN(const TxnNo end, store_.meta().next_no());
    SKERRY_ASSIGN(const DeviceId device, store_.meta().device());
    if (!no || no > end)
        return fail(Code::kGapLost, "the server expects transaction " + std::to_string(no.value) + "; this device made " + std::to_string(end.value - 1));
    SKERRY_TRY(declare_lost(no, end));
    SKERRY_ASSIGN(sqlite::Statement have, store_.db().prepare("SELECT 1 FROM skerry_archive WHERE device = ?1 AND no >= ?2 LIMIT 1"));
    SKERRY_ASSIGN(const bool archived, have.bind_blob(1, device.view()).bind(2, as_int(no)).step());
    have.reset();
    SKERRY_ASSIGN(sqlite::Statement unsent, store_.db().prepare("UPDATE skerry_txn SET state = 1 WHERE no >= ?1"));
    SKERRY_TRY(unsent.bind(1, as_int(no)).run());
    if (archived) SKERRY_TRY(store_.meta().set(key::kResendFrom, as_int(no)));
    return txn.commit();
}

// CONFLICT    The server was restored from a backup older than what this device keeps of its settled transactions: it takes no number
//             before all lower ones, and some of them are gone here.
// RESOLUTION  An empty transaction takes the place of each that is gone; the log says of it that it was lost.
// WHY         What is still kept is sent again under the numbers by which transactions name each other, and whoever reads the log of the
//             device or of the server finds each loss. Its id follows from device and number, so that sending it twice is once.
Result<void> Journal::declare_lost(TxnNo begin, TxnNo end) {
    SKERRY_ASSIGN(const DeviceId device, store_.meta().device());
    SKERRY_ASSIGN(sqlite::Statement kept, store_.db().prepare(
        "SELECT no FROM skerry_txn WHERE no >= ?1 UNION SELECT no FROM skerry_archive WHERE device = ?2 AND no >= ?1 ORDER BY no"));
    kept.bind(1, as_int(begin)).bind_blob(2, device.view());
    std::vector<TxnNo> gone;
    for (TxnNo next = begin; next < end && gone.size() < kLostAtOnce; next = next.next()) {
        SKERRY_ASSIGN(const bool row, kept.step());
        const TxnNo no = row ? as_no(kept.integer(0)) : end;
        for (; next < no && next < end && gone.size() < kLostAtOnce; next = next.next()) gone.push_back(next);
        if (!row) break;
    }
    kept.reset();
    SKERRY_ASSIGN(sqlite::Statement put, store_.db().prepare(
        "INSERT INTO skerry_archive(device, no, verdict, code, root, message, settled_at_us, payload) VALUES(?1, ?2, ?3, ?4, ?2, ?5, ?6, ?7)"));
    const std::int64_t now = store_.clock().wall().count();
    for (const TxnNo no : gone) {
        wire::Transaction empty;
        empty.no = no;
        empty.id = TxnId::from(view_of(hash128(Bytes(device.view()).append("lost ").append(std::to_string(no.value)))));
        Bytes payload;
        Writer out(payload);
        wire::put_transaction(out, empty);
        put.bind_blob(1, device.view()).bind(2, as_int(no)).bind(3, static_cast<std::int64_t>(wire::Verdict::kRejected));
        put.bind(4, static_cast<std::int64_t>(Code::kGapLost)).bind_text(5, "the server was restored without it, and this device no longer kept it");
        SKERRY_TRY(put.bind(6, now).bind_blob(7, payload).run());
    }
    return {};
}

Result<void> Journal::take_new_identity() {
    SKERRY_ASSIGN(auto tx, sqlite::Transaction::begin_write(store_.db()));
    SKERRY_ASSIGN(const std::int64_t sent, store_.db().integer("SELECT count(*) FROM skerry_txn WHERE state = 2"));
    if (sent != 0) return fail(Code::kBusy, "transactions that the server knows have not settled yet");
    SKERRY_ASSIGN(sqlite::Statement get, store_.db().prepare("SELECT no FROM skerry_txn ORDER BY no"));
    std::map<TxnNo, TxnNo> moved;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        moved.emplace(as_no(get.integer(0)), TxnNo{moved.size() + 1});
    }
    get.reset();
    // What does not move was settled under the old identity: to the server it is no predecessor of ours.
    const auto rename = [&](TxnNo& no) {
        const auto found = moved.find(no);
        no = found == moved.end() ? TxnNo{} : found->second;
    };
    std::vector<wire::Transaction> transactions;
    for (const auto& [old_no, new_no] : moved) {
        SKERRY_ASSIGN(wire::Transaction txn, load(old_no));
        txn.no = new_no;
        std::vector<TxnNo> needs;
        for (TxnNo need : txn.needs) {
            rename(need);
            if (need) needs.push_back(need);
        }
        txn.needs = std::move(needs);
        txn.redo_of.clear();  // drafts of the old identity
        for (wire::Op& op : txn.ops) {
            const bool had_prev_row = static_cast<bool>(op.prev_row);
            rename(op.prev_row);
            if (had_prev_row && !op.prev_row && (op.kind == wire::OpKind::kDelete || op.row_version)) {
                SKERRY_ASSIGN(const auto base, store_.tables().of(op.entity).base(op.key));
                if (base) op.base_hash = model::row_hash(store_.model().entity(op.entity), *base);
            }
            for (wire::Change& change : op.changes) rename(change.prev);
        }
        transactions.push_back(std::move(txn));
    }
    // In number order no new number is taken still: numbers only shrink.
    SKERRY_ASSIGN(sqlite::Statement txn_row, store_.db().prepare("UPDATE skerry_txn SET no = ?2, terms = ?3, low = ?4 WHERE no = ?1"));
    SKERRY_ASSIGN(sqlite::Statement op_row, store_.db().prepare("UPDATE skerry_op SET txn = ?4, body = ?5 WHERE entity = ?1 AND key = ?2 AND txn = ?3"));
    std::size_t at = 0;
    for (const auto& [old_no, new_no] : moved) {
        const wire::Transaction& txn = transactions[at++];
        const Bytes terms = encode_terms(txn);
        TxnNo low = new_no;
        for (const TxnNo no : txn.needs) low = std::min(low, no);
        for (const wire::Op& op : txn.ops) {
            if (op.prev_row) low = std::min(low, op.prev_row);
            for (const wire::Change& change : op.changes)
                if (change.prev) low = std::min(low, change.prev);
            Bytes body;
            Writer out(body);
            wire::put_op_body(out, op);
            op_row.bind(1, static_cast<std::int64_t>(op.entity.value)).bind_text(2, op.key).bind(3, as_int(old_no));
            SKERRY_TRY(op_row.bind(4, as_int(new_no)).bind_blob(5, body).run());
        }
        txn_row.bind(1, as_int(old_no)).bind(2, as_int(new_no)).bind_blob(3, terms);
        SKERRY_TRY(txn_row.bind(4, as_int(low)).run());
    }
    Meta& meta = store_.meta();
    // Drawn from the old identity and the first transaction that moves, so that two copies of one file which both
    // carry it move it to the same place, where the server sees that it is one transaction. Nothing to move: random.
    auto fresh = store_.random().id<DeviceId>();
    if (!transactions.empty()) {
        SKERRY_ASSIGN(const DeviceId old, meta.device());
        fresh = DeviceId::from(view_of(hash128(Bytes(old.view()).append(transactions.front().id.view()))));
    }
    SKERRY_TRY(meta.set_bytes(key::kDevice, fresh.view()));
    SKERRY_TRY(meta.set(key::kNextNo, static_cast<std::int64_t>(moved.size()) + 1));
    SKERRY_TRY(meta.erase(key::kResendFrom));
    SKERRY_TRY(meta.erase(key::kToken));
    SKERRY_TRY(meta.erase(key::kEnrolled));
    SKERRY_TRY(meta.set(key::kVerify, 1));
    return tx.commit();
}

}  // namespace skerry::store
