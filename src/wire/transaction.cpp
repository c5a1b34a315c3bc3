#include "wire/transaction.hpp"

#include <set>

#include "base/error_table.hpp"

namespace skerry::wire {

namespace {

constexpr std::size_t kMessageBytesMax = 2000;

bool in_order(const Op& a, const Op& b) {
    const bool a_deletes = a.kind == OpKind::kDelete;
    const bool b_deletes = b.kind == OpKind::kDelete;
    if (a_deletes != b_deletes) return !a_deletes;
    const auto ka = std::tie(a.entity, a.key);
    const auto kb = std::tie(b.entity, b.key);
    return a_deletes ? ka > kb : ka < kb;
}

Result<void> check_op(const Op& op, const model::Entity& entity) {
    SKERRY_TRY(model::check_key(entity, op.key));
    if (op.kind == OpKind::kInsert) SKERRY_TRY(model::check_row(entity, op.key, op.row));
    if (op.kind == OpKind::kUpdate && op.changes.empty())
        return fail(Code::kMalformedTxn, "an update of " + entity.name + " changes nothing");
    std::uint32_t least = 0;
    for (const Change& change : op.changes) {
        if (change.attribute >= entity.attributes.size())
            return fail(Code::kUnknownEntity, entity.name + " has no attribute number " + std::to_string(change.attribute));
        if (change.attribute < least)
            return fail(Code::kMalformedTxn, "an update of " + entity.name + " names its attributes out of order");
        least = change.attribute + 1;
        SKERRY_TRY(model::check_value(entity, entity.attributes[change.attribute], change.new_value));
    }
    return {};
}

}  // namespace

void put_op_body(Writer& out, const Op& op) {
    switch (op.kind) {
        case OpKind::kInsert:
            out.varint(op.prev_row.value);
            model::put_row(out, op.row);
            break;
        case OpKind::kUpdate:
            out.varint(op.changes.size());
            for (const Change& change : op.changes) {
                out.varint(change.attribute);
                model::put_value(out, change.old_value);
                model::put_value(out, change.new_value);
                out.varint(change.prev.value);
            }
            break;
        case OpKind::kDelete:
            out.varint(op.prev_row.value);
            if (!op.prev_row) out.raw(view_of(op.base_hash));
            break;
    }
}

void get_op_body(Reader& in, const model::Entity& entity, Op& op) {
    switch (op.kind) {
        case OpKind::kInsert:
            op.prev_row.value = in.varint();
            op.row = model::get_row(in, entity);
            break;
        case OpKind::kUpdate: {
            const std::size_t n = in.count(4);
            op.changes.reserve(n);
            for (std::size_t i = 0; i < n && in.ok(); ++i) {
                Change& change = op.changes.emplace_back();
                const std::uint64_t attribute = in.varint();
                if (attribute > UINT32_MAX) in.fail();
                change.attribute = static_cast<std::uint32_t>(attribute);
                change.old_value = model::get_value(in);
                change.new_value = model::get_value(in);
                change.prev.value = in.varint();
            }
            break;
        }
        case OpKind::kDelete:
            op.prev_row.value = in.varint();
            if (!op.prev_row) {
                const BytesView hash = in.raw(op.base_hash.size());
                if (in.ok()) std::memcpy(op.base_hash.data(), hash.data(), hash.size());
            }
            break;
    }
}

void put_transaction(Writer& out, const Transaction& txn) {
    out.varint(txn.no.value);
    out.raw(txn.id.view());
    out.zigzag(txn.made_at_us);
    out.varint(txn.needs.size());
    for (const TxnNo no : txn.needs) out.varint(no.value);
    out.varint(txn.ops.size());
    for (const Op& op : txn.ops) {
        out.u8(static_cast<std::uint8_t>(op.kind));
        out.varint(op.entity.value);
        out.bytes(op.key);
        put_op_body(out, op);
    }
}

Result<Transaction> get_transaction(BytesView payload, const model::Model& model, TxnHeader* header) {
    const auto damaged = [] { return fail(Code::kDamagedFrame, "a transaction does not decode"); };
    Reader in(payload);
    Transaction txn;
    txn.no.value = in.varint();
    const BytesView id = in.raw(16);
    if (!in.ok() || !txn.no) return damaged();
    txn.id = TxnId::from(id);
    if (header != nullptr) *header = {txn.no, txn.id};
    txn.made_at_us = in.zigzag();
    const std::size_t needs = in.count(1);
    for (std::size_t i = 0; i < needs; ++i) {
        const TxnNo no{in.varint()};
        if (!no || no >= txn.no || (!txn.needs.empty() && txn.needs.back() >= no))
            return fail(Code::kMalformedTxn, "a transaction names what it needs out of order");
        txn.needs.push_back(no);
    }
    const std::size_t ops = in.count(4);
    if (ops > kTxnRowsMax)
        return fail(Code::kTxnTooBig, "a transaction changes " + std::to_string(ops) + " rows; the limit is " + std::to_string(kTxnRowsMax));
    txn.ops.reserve(ops);
    for (std::size_t i = 0; i < ops; ++i) {
        Op op;
        const std::uint8_t kind = in.u8();
        if (!in.ok() || kind < 1 || kind > 3) return damaged();
        op.kind = static_cast<OpKind>(kind);
        const std::uint64_t entity = in.varint();
        if (!in.ok()) return damaged();
        if (entity >= model.entities.size())
            return fail(Code::kUnknownEntity, "the model has no entity number " + std::to_string(entity));
        op.entity.value = static_cast<std::uint32_t>(entity);
        op.key = in.bytes();
        get_op_body(in, model.entity(op.entity), op);
        if (!in.ok()) return damaged();
        SKERRY_TRY(check_op(op, model.entity(op.entity)));
        if (!txn.ops.empty() && !in_order(txn.ops.back(), op))
            return fail(Code::kMalformedTxn, "the rows of a transaction are out of order or named twice");
        txn.ops.push_back(std::move(op));
    }
    if (!in.at_end()) return damaged();
    // Order makes a row unique within the deletes and within the others; across the two it has to be looked up.
    std::set<std::pair<EntityIx, std::string_view>> written;
    for (const Op& op : txn.ops)
        if (!written.insert({op.entity, op.key}).second)
            return fail(Code::kMalformedTxn, "a transaction changes one row twice");
    return txn;
}

void put_outcome(Writer& out, const Outcome& outcome) {
    out.varint(outcome.no.value);
    out.u64(outcome.id8);
    out.u8(static_cast<std::uint8_t>(outcome.verdict));
    if (outcome.verdict != Verdict::kRejected && outcome.verdict != Verdict::kConflict) return;
    out.u16(static_cast<std::uint16_t>(outcome.code));
    out.varint(outcome.root.value);
    out.bytes(BytesView(outcome.message).substr(0, kMessageBytesMax));
}

Outcome get_outcome(Reader& in) {
    Outcome outcome;
    outcome.no.value = in.varint();
    outcome.id8 = in.u64();
    const std::uint8_t verdict = in.u8();
    if (verdict < 1 || verdict > 5 || !outcome.no) in.fail();
    outcome.verdict = static_cast<Verdict>(verdict);
    if (outcome.verdict != Verdict::kRejected && outcome.verdict != Verdict::kConflict) return outcome;
    outcome.code = code_from_number(in.u16());
    outcome.root.value = in.varint();
    outcome.message = in.bytes();
    return outcome;
}

std::string_view verdict_name(Verdict verdict) {
    switch (verdict) {
        case Verdict::kApplied: return "applied";
        case Verdict::kMerged: return "merged";
        case Verdict::kConflict: return "conflict";
        case Verdict::kRejected: return "rejected";
        case Verdict::kSettledBefore: return "settled before";
    }
    return "?";
}

}  // namespace skerry::wire
