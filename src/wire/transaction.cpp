#include "wire/transaction.hpp"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/error_table.hpp"

namespace skerry::wire {

namespace {

constexpr std::size_t kMessageBytesMax = 2000;

// Beside the tags of model::put_value: the old value of a change is told as its hash.
constexpr std::uint8_t kHashedValue = 5;

// Which parts a transaction has. Sent: do not change a number.
enum TxnFlag : std::uint8_t { kStrict = 1, kAsserts = 2, kRedo = 4 };

void put_row_version(Writer& out, const Op& op) {
    out.varint(op.prev_row.value);
    if (!op.prev_row) out.raw(view_of(op.base_hash));
}

void get_row_version(Reader& in, Op& op) {
    op.prev_row.value = in.varint();
    if (op.prev_row) return;
    const BytesView hash = in.raw(op.base_hash.size());
    if (in.ok()) std::memcpy(op.base_hash.data(), hash.data(), hash.size());
}

void put_numbers(Writer& out, const std::vector<TxnNo>& numbers) {
    out.varint(numbers.size());
    for (const TxnNo no : numbers) out.varint(no.value);
}

// Ascending, all before `no`.
enum class Form { kChecked, kAsItIs };

Result<std::vector<TxnNo>> get_numbers(Reader& in, TxnNo before, std::string_view what) {
    std::vector<TxnNo> numbers;
    const std::size_t n = in.count(1);
    for (std::size_t i = 0; i < n; ++i) {
        const TxnNo no{in.varint()};
        if (!no || no >= before || (!numbers.empty() && numbers.back() >= no))
            return fail(Code::kMalformedTxn, "a transaction names what it " + std::string(what) + " out of order");
        numbers.push_back(no);
    }
    return numbers;
}

Result<std::vector<Assert>> get_asserts(Reader& in, const model::Model& model, Form form) {
    std::vector<Assert> asserts;
    const std::size_t n = in.count(3);
    if (n > kAssertsMax)
        return fail(Code::kTxnTooBig, "a transaction has " + std::to_string(n) + " asserts; the limit is " + std::to_string(kAssertsMax));
    for (std::size_t i = 0; i < n && in.ok(); ++i) {
        Assert& one = asserts.emplace_back();
        const std::uint64_t entity = in.varint();
        if (!in.ok() || entity >= model.entities.size())
            return fail(Code::kUnknownEntity, "an assert names an entity that the model does not have");
        one.entity.value = static_cast<std::uint32_t>(entity);
        one.key = in.bytes();
        one.expression = in.bytes();
        if (one.expression.size() > model::kExpressionBytesMax)
            return fail(Code::kLimitExceeded, "the expression of an assert is longer than " + std::to_string(model::kExpressionBytesMax) + " bytes");
        if (in.ok() && form == Form::kChecked) SKERRY_TRY(model::check_key(model.entity(one.entity), one.key));
    }
    return asserts;
}

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
    if (entity.builtin() && op.kind != OpKind::kUpdate)
        return fail(Code::kMalformedTxn, "only the server makes and removes rows of " + entity.name);
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

bool fits(const Op& op, const model::Entity& entity) {
    const bool is_kind = op.kind == OpKind::kInsert || op.kind == OpKind::kUpdate || op.kind == OpKind::kDelete;
    return is_kind && std::all_of(op.changes.begin(), op.changes.end(), [&](const Change& change) { return change.attribute < entity.attributes.size(); });
}

void sort_ops(std::vector<Op>& ops) { std::sort(ops.begin(), ops.end(), in_order); }

void put_op_body(Writer& out, const Op& op) {
    switch (op.kind) {
        case OpKind::kInsert:
            out.varint(op.prev_row.value);
            model::put_counted_row(out, op.row);
            break;
        case OpKind::kUpdate:
            out.u8(op.row_version ? 1 : 0);
            if (op.row_version) put_row_version(out, op);
            out.varint(op.changes.size());
            for (const Change& change : op.changes) {
                out.varint(change.attribute);
                if (change.old_hash) {
                    out.u8(kHashedValue);
                    out.u64(*change.old_hash);
                } else {
                    model::put_value(out, change.old_value);
                }
                model::put_value(out, change.new_value);
                out.varint(change.prev.value);
            }
            break;
        case OpKind::kDelete: put_row_version(out, op); break;
    }
}

void get_op_body(Reader& in, const model::Entity& entity, Op& op) {
    switch (op.kind) {
        case OpKind::kInsert:
            op.prev_row.value = in.varint();
            op.row = model::get_counted_row(in, entity);
            break;
        case OpKind::kUpdate: {
            const std::uint8_t row_version = in.u8();
            if (row_version > 1) in.fail();
            op.row_version = row_version == 1;
            if (op.row_version) get_row_version(in, op);
            const std::size_t n = in.count(4);
            op.changes.reserve(n);
            for (std::size_t i = 0; i < n && in.ok(); ++i) {
                Change& change = op.changes.emplace_back();
                const std::uint64_t attribute = in.varint();
                if (attribute > UINT32_MAX) in.fail();
                change.attribute = static_cast<std::uint32_t>(attribute);
                if (in.rest().starts_with(static_cast<char>(kHashedValue))) {
                    in.u8();
                    change.old_hash = in.u64();
                } else {
                    change.old_value = model::get_value(in);
                }
                change.new_value = model::get_value(in);
                change.prev.value = in.varint();
            }
            break;
        }
        case OpKind::kDelete: get_row_version(in, op); break;
    }
}

void put_transaction(Writer& out, const Transaction& txn) {
    out.varint(txn.no.value);
    out.raw(txn.id.view());
    out.zigzag(txn.made_at_us);
    out.u8(static_cast<std::uint8_t>((txn.strict ? kStrict : 0) | (txn.asserts.empty() ? 0 : kAsserts) | (txn.redo_of.empty() ? 0 : kRedo)));
    put_numbers(out, txn.needs);
    if (!txn.asserts.empty()) {
        out.varint(txn.asserts.size());
        for (const Assert& one : txn.asserts) {
            out.varint(one.entity.value);
            out.bytes(one.key);
            out.bytes(one.expression);
        }
    }
    if (!txn.redo_of.empty()) put_numbers(out, txn.redo_of);
    out.varint(txn.ops.size());
    for (const Op& op : txn.ops) {
        out.u8(static_cast<std::uint8_t>(op.kind));
        out.varint(op.entity.value);
        out.bytes(op.key);
        put_op_body(out, op);
    }
}

namespace {

Result<TxnHeader> read_header(Reader& in) {
    TxnHeader header;
    header.no.value = in.varint();
    const BytesView id = in.raw(16);
    if (!in.ok() || !header.no) return fail(Code::kDamagedFrame, "a transaction does not decode");
    header.id = TxnId::from(id);
    return header;
}

Result<Transaction> decode(BytesView payload, const model::Model& model, TxnHeader* header, Form form) {
    const auto damaged = [] { return fail(Code::kDamagedFrame, "a transaction does not decode"); };
    Reader in(payload);
    SKERRY_ASSIGN(const TxnHeader head, read_header(in));
    Transaction txn;
    txn.no = head.no;
    txn.id = head.id;
    if (header != nullptr) *header = head;
    txn.made_at_us = in.zigzag();
    const std::uint8_t flags = in.u8();
    if (flags > 7) return damaged();
    txn.strict = (flags & kStrict) != 0;
    SKERRY_ASSIGN(txn.needs, get_numbers(in, txn.no, "needs"));
    if ((flags & kAsserts) != 0) {
        SKERRY_ASSIGN(txn.asserts, get_asserts(in, model, form));
    }
    if ((flags & kRedo) != 0) {
        SKERRY_ASSIGN(txn.redo_of, get_numbers(in, txn.no, "replaces"));
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
        if (form == Form::kChecked) SKERRY_TRY(check_op(op, model.entity(op.entity)));
        if (!fits(op, model.entity(op.entity))) return damaged();
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

}  // namespace

Result<TxnHeader> get_header(BytesView payload) {
    Reader in(payload);
    return read_header(in);
}

Result<Transaction> get_transaction(BytesView payload, const model::Model& model, TxnHeader* header) {
    return decode(payload, model, header, Form::kChecked);
}

Result<Transaction> get_kept_transaction(BytesView payload, const model::Model& model) {
    return decode(payload, model, nullptr, Form::kAsItIs);
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
