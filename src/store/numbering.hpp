// Numbering: the open group becomes a transaction. Its operations are the net difference between pre-images
// and rows; what ends where it began vanishes, and a group of nothing gets no number.
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

class Numbering {
  public:
    Numbering(sqlite::Database& db, Meta& meta, Tables& tables, const Clock& clock, Random& random)
        : db_(db), meta_(meta), tables_(tables), clock_(clock), random_(random) {}

    // True if a transaction was numbered. txn_too_big when the group does not fit one frame.
    Result<bool> number();
    // No pre-image is left; an assertion for checkpoints (a left-over would turn server rows into local edits).
    Result<bool> nothing_open();

  private:
    struct Group;
    Result<std::vector<EntityIx>> touched_entities();
    Result<void> collect(EntityIx ix, Group& group);
    Result<std::optional<wire::Op>> difference(EntityIx ix, sqlite::Statement& row);
    Result<void> use_shown(EntityIx ix, wire::Op& op);
    Result<void> link_to_own(const std::vector<JournalOp>& earlier, wire::Op& op, Group& group);
    Result<void> store(Group& group);

    sqlite::Database& db_;
    Meta& meta_;
    Tables& tables_;
    const Clock& clock_;
    Random& random_;
};

}  // namespace skerry::store
