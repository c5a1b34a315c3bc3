#include "server/scopes/keeper.hpp"

#include <algorithm>

namespace skerry::server::scopes {

Result<void> Keeper::tick(storage::Backend& backend, Sequencer& sequencer, const Clock& clock) {
    const Micros now = clock.mono();
    if (due_ && now < *due_) return {};
    const auto step = [&]() -> Result<bool> {
        switch (stage_) {
            case Stage::kOld: return old(backend, sequencer, clock.wall());
            case Stage::kPlan: return plan(backend, clock.wall());
            case Stage::kTombstones: return tombstones(backend);
            case Stage::kScopes: return scopes(backend);
            case Stage::kRest: return rest(backend, clock.wall());
        }
        return false;
    };
    SKERRY_ASSIGN(const bool more, step());
    due_ = now;
    if (more) return {};
    if (stage_ == Stage::kRest) due_ = now + kKeeperEvery;
    stage_ = stage_ == Stage::kRest ? Stage::kOld : static_cast<Stage>(static_cast<int>(stage_) + 1);
    return {};
}

Result<bool> Keeper::old(storage::Backend& backend, Sequencer& sequencer, Micros wall) {
    SKERRY_ASSIGN(const auto txn, backend.begin_write(storage::Patience::kNone));
    SKERRY_ASSIGN(const bool more, txn->purge_older(wall - retention_, kKeeperStep));
    // Closed conflict records are rows: devices are told that they go.
    SKERRY_ASSIGN(const storage::Mark mark, sequencer.sequence(*txn));
    SKERRY_TRY(txn->commit());
    sequencer.committed(mark);
    return more;
}

Result<bool> Keeper::plan(storage::Backend& backend, Micros wall) {
    SKERRY_ASSIGN(const auto view, backend.snapshot());
    if (!planned_) {
        SKERRY_ASSIGN(old_, view->last_before(wall - retention_));
        SKERRY_ASSIGN(settled_, view->last_before(wall - std::min(kInFlight, retention_)));
        SKERRY_ASSIGN(holdings_, view->holdings(wall - retention_));
        SKERRY_ASSIGN(young_, view->grant_sets_since(wall - std::min(kInFlight, retention_)));
        passed_.clear();
        given_.clear();
        at_ = {};
        at_scope_ = {};
        planned_ = true;
    }
    std::size_t read = 0;
    while (read < kPlanStep && !holdings_.empty()) {
        const storage::Holding& holding = holdings_.back();
        SKERRY_ASSIGN(const auto scopes, view->grant_set(holding.grants));
        if (scopes) {
            for (const wire::ScopeId scope : *scopes) {
                Seq& passed = passed_.try_emplace(scope, holding.acked).first->second;
                passed = std::min(passed, holding.acked);
            }
            read += scopes->size();
        }
        ++read;
        holdings_.pop_back();
    }
    while (read < kPlanStep && !young_.empty()) {
        SKERRY_ASSIGN(const auto scopes, view->grant_set(young_.back()));
        if (scopes) {
            given_.insert(scopes->begin(), scopes->end());
            read += scopes->size();
        }
        ++read;
        young_.pop_back();
    }
    return !holdings_.empty() || !young_.empty();
}

Seq Keeper::needless(wire::ScopeId scope) const {
    const auto held = passed_.find(scope);
    return std::max(old_, held == passed_.end() ? settled_ : std::min(settled_, held->second));
}

Result<bool> Keeper::tombstones(storage::Backend& backend) {
    SKERRY_ASSIGN(const auto txn, backend.begin_write(storage::Patience::kNone));
    const auto decide = [this](wire::ScopeId scope) { return needless(scope); };
    SKERRY_ASSIGN(storage::Forgotten done, txn->forget_tombstones(decide, at_, std::max(old_, settled_), kKeeperStep));
    if (done.removed > 0) SKERRY_TRY(txn->commit());
    at_ = std::move(done.upto);
    return done.looked == kKeeperStep;
}

Result<bool> Keeper::scopes(storage::Backend& backend) {
    SKERRY_ASSIGN(const auto txn, backend.begin_write(storage::Patience::kNone));
    const auto wanted = [this](wire::ScopeId scope) { return passed_.contains(scope) || given_.contains(scope); };
    SKERRY_ASSIGN(const storage::ForgottenScopes done, txn->forget_scopes(wanted, at_scope_, kKeeperStep));
    if (done.removed > 0) SKERRY_TRY(txn->commit());
    at_scope_ = done.upto;
    return done.looked == kKeeperStep;
}

Result<bool> Keeper::rest(storage::Backend& backend, Micros wall) {
    SKERRY_ASSIGN(const auto txn, backend.begin_write(storage::Patience::kNone));
    SKERRY_ASSIGN(const bool marks, txn->forget_marks(old_, kKeeperStep));
    SKERRY_ASSIGN(const bool sets, txn->forget_grant_sets(wall - std::min(kInFlight, retention_), kKeeperStep));
    SKERRY_TRY(txn->commit());
    planned_ = marks || sets;
    return planned_;
}

}  // namespace skerry::server::scopes
