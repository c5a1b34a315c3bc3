#include "server/scopes/sequencer.hpp"

namespace skerry::server::scopes {

Sequencer::Sequencer(storage::Backend& backend, Rules rules, const Clock& clock, Random& random)
    : backend_(backend), clock_(clock), random_(random), rules_(std::move(rules)) {}

Result<void> Sequencer::adopt() {
    SKERRY_ASSIGN(const auto txn, backend_.begin_write());
    SKERRY_TRY(txn->adopt_rules(rules_.all, random_.u64(), clock_.wall()));
    return txn->commit();
}

Result<storage::Mark> Sequencer::sequence(storage::WriteTxn& txn) {
    SKERRY_ASSIGN(const storage::Sequenced done, txn.sequence(random_.u64(), rules_.all, clock_.wall()));
    rows_uncommitted_ = done.rows;
    return done.mark;
}

void Sequencer::committed(const storage::Mark& mark) {
    rows_ += std::exchange(rows_uncommitted_, 0);
    if (mark.seq <= last_) return;
    last_ = mark.seq;
    moved_ = true;
}

Result<void> Sequencer::catch_up(storage::Patience patience) {
    storage::Mark mark;
    bool waiting = false;
    rows_uncommitted_ = 0;
    {
        SKERRY_ASSIGN(const auto view, backend_.snapshot());
        SKERRY_ASSIGN(mark, view->last());
        SKERRY_ASSIGN(const bool empty, view->queue_empty());
        waiting = !empty;
    }
    if (waiting) {
        SKERRY_ASSIGN(const auto txn, backend_.begin_write(patience));
        SKERRY_ASSIGN(mark, sequence(*txn));
        SKERRY_TRY(txn->commit());
    }
    committed(mark);
    return {};
}

Result<bool> Sequencer::look() {
    SKERRY_ASSIGN(const bool foreign, backend_.foreign_commit());
    if (!foreign && !look_again_) return false;
    look_again_ = true;  // until it went well: another process may hold the lock just now
    const Seq before = last_;
    SKERRY_TRY(catch_up(storage::Patience::kNone));
    look_again_ = false;
    return last_ > before;
}

bool Sequencer::take_moved() { return std::exchange(moved_, false); }

}  // namespace skerry::server::scopes
