// Numbering: the open group becomes a transaction. Its operations are the net difference between pre-images
// and rows; what ends where it began vanishes, and a group of nothing gets no number. Values with more than one
// spelling (json, set) are made canonical in row and operation together; one that cannot be is left for the server to
// refuse.
//
// Writes to entities that the profile keeps on the device stay pre-images; the rest of their group is numbered.
//
// Runs inside a write transaction of the caller. Order of operations: inserts and updates by (entity, key),
// entities in reference order, then deletes in reverse, so that a parent comes before its children.
#pragma once

#include <set>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "store/meta.hpp"
#include "store/tables.hpp"

namespace skerry::store {

// A transaction of number_kept: what was collected over months must not become one that no frame holds. Its rows belong
// to no transaction of the app's any more.
inline constexpr std::size_t kKeptRowsMax = 5'000;
inline constexpr std::size_t kKeptBytesMax = 4u << 20;

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
    // What a device-only entity has collected (model::Download::kNever), which number() leaves alone, in as many transactions as
    // it takes. True if there was anything. number() first: its rows may refer to others.
    Result<bool> number_kept(EntityIx ix);
    // The same for every entity that was device-only and is not any more: the profile or the model has changed.
    Result<void> number_released();
    // No pre-image is left but those; an assertion for checkpoints (a left-over would turn server rows into local edits).
    Result<bool> nothing_open();

  private:
    struct Group;
    struct Bounds;
    struct Touched {
        std::vector<EntityIx> open;
        std::vector<EntityIx> kept;
    };
    using Values = std::vector<Value>;
    Result<Touched> touched();
    Result<std::set<EntityIx>> kept_entities();
    Result<void> remember_kept(const std::set<EntityIx>& kept);
    Result<void> begin_group(Group& group);
    Result<void> collect(EntityIx ix, Group& group, Bounds* bounds);
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
