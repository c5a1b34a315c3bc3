// Gives what was written its place: all that waits becomes one batch with the next seq and a random mark.
//
// The push sequences in its own database transaction before it commits; what other programs wrote is
// sequenced at the start of every pull and when the host ticks. So SQLite's snapshots hold nothing
// unsequenced, and no old images of rows are needed to read one.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "server/scopes/rules.hpp"

namespace skerry::server::scopes {

class Sequencer {
  public:
    // `rules` are what the backend goes by from adopt() on.
    Sequencer(storage::Backend& backend, Rules rules, const Clock& clock, Random& random);

    // Before anything else, once: scopes of rules that are new are filled, those of rules that went are forgotten.
    Result<void> adopt();
    const Rules& rules() const { return rules_; }

    // Inside a push's transaction, right before its commit. `committed()` after it.
    Result<storage::Mark> sequence(storage::WriteTxn& txn);
    // The transaction of sequence() was committed up to `mark`: readers may want it.
    void committed(const storage::Mark& mark);

    // Sequences what others queued, in a transaction of its own; does nothing (and takes no lock) when nothing
    // waits. busy when another process writes and `patience` is at its end.
    Result<void> catch_up(storage::Patience patience);
    // catch_up() without waiting, and only if somebody else committed since: cheap enough for every tick.
    // True if there is anything new for readers.
    Result<bool> look();

    // Rows that were given a place since the process began.
    std::uint64_t rows() const { return rows_; }
    // The last seq that this process knows to be committed.
    Seq last() const { return last_; }
    // True once after last() moved.
    bool take_moved();

  private:
    storage::Backend& backend_;
    const Clock& clock_;
    Random& random_;
    Rules rules_;
    std::uint64_t rows_ = 0;
    std::uint64_t rows_uncommitted_ = 0;
    Seq last_;
    bool moved_ = false;
    bool look_again_ = true;
};

}  // namespace skerry::server::scopes
