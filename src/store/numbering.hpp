// Numbering: the open group becomes a transaction. Its operations are the net difference between pre-images
// and rows; what ends where it began vanishes, and a group of nothing gets no number. Values with more than one
// spelling (json, set) are made canonical in row and operation together; one that cannot be is left for the server to
// refuse.
//
// Runs inside a write transaction of the caller. Order of operations: inserts and updates by (entity, key),
// entities in reference order, then deletes in reverse, so that a parent comes before its children.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "store/meta.hpp"
#include "store/tables.hpp"

namespace skerry::store {

// What the app said of its transaction beside its writes. What other programs wrote has none of it.
struct Terms {
    bool strict = false;
    std::vector<wire::Assert> asserts;
    std::vector<TxnNo> redo_of;  // ascending; a transaction of nothing but these has a number
};

// Everything of a transaction but its operations, as skerry_txn.terms keeps it.
Bytes encode_terms(const wire::Transaction& txn);
Result<void> decode_terms(BytesView bytes, wire::Transaction& txn);

class Numbering {
  public:
    Numbering(sqlite::Database& db, Meta& meta, Tables& tables, const Clock& clock, Random& random)
        : db_(db), meta_(meta), tables_(tables), clock_(clock), random_(random) {}

    // True if a transaction was numbered. txn_too_big when the group does not fit one frame.
    Result<bool> number(const Terms& terms = {});
    // No pre-image is left; an assertion for checkpoints (a left-over would turn server rows into local edits).
    Result<bool> nothing_open();

  private:
    struct Group;
    using Values = std::vector<Value>;
    Result<std::vector<EntityIx>> touched_entities();
    Result<void> collect(EntityIx ix, Group& group);
    std::optional<wire::Op> difference(EntityIx ix, std::string_view key, const Values* was, const Values* now);
    bool respell(EntityIx ix, Values& now);
    Result<void> use_shown(wire::Op& op, Group& group);
    Result<void> link_to_own(const std::vector<JournalOp>& earlier, wire::Op& op, Group& group);
    Result<void> link_to_parents(const wire::Op& op, Group& group);
    Result<void> store(const Group& group, const Terms& terms);
    Result<void> rewrite(const Group& group);

    sqlite::Database& db_;
    Meta& meta_;
    Tables& tables_;
    const Clock& clock_;
    Random& random_;
};

}  // namespace skerry::store
