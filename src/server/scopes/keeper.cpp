#include "server/scopes/keeper.hpp"

namespace skerry::server::scopes {

Result<void> Keeper::tick(storage::Backend& backend, Sequencer& sequencer, const Clock& clock) {
    const Micros now = clock.mono();
    if (due_ && now < *due_) return {};
    SKERRY_ASSIGN(const auto txn, backend.begin_write(storage::Patience::kNone));
    SKERRY_ASSIGN(const bool more, txn->purge_older(clock.wall() - retention_, kKeeperStep));
    // Closed conflict records are rows: devices are told that they go.
    SKERRY_ASSIGN(const storage::Mark mark, sequencer.sequence(*txn));
    SKERRY_TRY(txn->commit());
    sequencer.committed(mark);
    due_ = more ? now : now + kKeeperEvery;
    return {};
}

}  // namespace skerry::server::scopes
