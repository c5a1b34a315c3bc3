// A transaction as it is journalled on a device and pushed to the server, and the verdict on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/model.hpp"
#include "model/value.hpp"

namespace skerry::wire {

// A transaction beyond either limit is refused on the device when it is made: txn_too_big.
inline constexpr std::size_t kTxnRowsMax = 50'000;      // one push must judge it inside one database commit
inline constexpr std::size_t kTxnBytesMax = 16u << 20;  // it travels as one frame
inline constexpr std::size_t kAssertsMax = 1000;        // each is a statement on the server

// Journalled and sent: do not change a number.
enum class OpKind : std::uint8_t { kInsert = 1, kUpdate = 2, kDelete = 3 };

struct Change {
    std::uint32_t attribute = 0;  // index into Entity::attributes
    Value old_value;              // in the store just before the transaction
    Value new_value;
    TxnNo prev;  // the author's own unsettled transaction that last wrote the attribute; 0 = none
    // value_hash() of the old value, which itself is left out (NULL): large blobs are compared, never shown.
    std::optional<std::uint64_t> old_hash{};
    friend bool operator==(const Change&, const Change&) = default;
};

struct Op {
    OpKind kind = OpKind::kInsert;
    EntityIx entity;
    std::string key;
    model::Row row;               // insert: all values
    std::vector<Change> changes;  // update: by attribute, ascending, at least one
    // update: prev_row and base_hash are said; those of entities with `conflict: detect` say them. One that was made
    // before the model changed its mind may do otherwise.
    bool row_version = false;
    // insert, delete, update with row_version: the author's own unsettled transaction that last touched the row; 0 = none
    TxnNo prev_row;
    // delete, and update with row_version, without prev_row: hash of the base row
    Hash128 base_hash{};
    friend bool operator==(const Op&, const Op&) = default;
};

// A condition on a row as it is on the server before the transaction: not true, and the transaction is rejected
// (assert_failed). An absent row makes it not true.
struct Assert {
    EntityIx entity;
    std::string key;
    std::string expression;  // of src/rules
    friend bool operator==(const Assert&, const Assert&) = default;
};

struct Transaction {
    TxnNo no;
    TxnId id;
    std::int64_t made_at_us = 0;  // the device's wall clock at numbering; shown to people, never compared
    bool strict = false;          // it succeeds or conflicts as a whole
    std::vector<TxnNo> needs;     // unsettled transactions that created a row touched or referred to here; ascending
    std::vector<Assert> asserts;
    // Drafts of this device that this transaction replaces; ascending. Without ops it only discards them.
    std::vector<TxnNo> redo_of;
    std::vector<Op> ops;          // inserts and updates by (entity, key), then deletes in reverse
    friend bool operator==(const Transaction&, const Transaction&) = default;
};

// What follows kind, entity and key of an op: the part that a journal keeps per (entity, key, txn).
void put_op_body(Writer& out, const Op& op);
void get_op_body(Reader& in, const model::Entity& entity, Op& op);

// Its kind is one, and every attribute that it names is one of the entity's. Asked of whatever is read without get_transaction's checks:
// what a device or a server keeps may be damaged, or was kept because it is wrong.
bool fits(const Op& op, const model::Entity& entity);

// Into the order that a transaction has them in.
void sort_ops(std::vector<Op>& ops);

void put_transaction(Writer& out, const Transaction& txn);
// Decodes and checks the form: known entities and attributes, canonical values, order, no row twice, limits.
// unknown_entity, value_invalid, row_too_big or malformed_txn name what is wrong; damaged_frame if it does not decode.
// `no` and `id` of `*header` are set even when the content is refused, so that it can be given its verdict.
struct TxnHeader {
    TxnNo no;
    TxnId id;
};
Result<Transaction> get_transaction(BytesView payload, const model::Model& model, TxnHeader* header);
// Number and id alone; the beginning of the payload is enough.
Result<TxnHeader> get_header(BytesView payload);
inline std::uint64_t first_eight(const TxnId& id) { return Reader(id.view()).u64(); }
// The same without the checks of form, for what a device keeps of its own: a draft may have been rejected for just that.
Result<Transaction> get_kept_transaction(BytesView payload, const model::Model& model);

// Stored and sent: do not change a number.
enum class Verdict : std::uint8_t {
    kApplied = 1,
    kMerged = 2,
    kConflict = 3,
    kRejected = 4,
    // The server knows the transaction, and its verdict was given and forgotten: a restored device asks again.
    kSettledBefore = 5,
};

struct Outcome {
    TxnNo no;
    Verdict verdict = Verdict::kApplied;
    Code code = Code::kInternal;  // of a rejection or conflict, else kInternal
    TxnNo root;                   // of a rejection: the first transaction of its draft group
    std::string message;          // for a person, of a rejection or conflict
    // The first 8 bytes of the transaction's id: two devices that share an identity (a clone, a restored copy) use
    // one number for different transactions, and an outcome settles only the one it is about. 0 = not said.
    std::uint64_t id8 = 0;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

void put_outcome(Writer& out, const Outcome& outcome);
Outcome get_outcome(Reader& in);

std::string_view verdict_name(Verdict verdict);

}  // namespace skerry::wire
