#include "server/outflow/checkpoint.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/planted.hpp"
#include "server/access/devices.hpp"
#include "server/outflow/limits.hpp"

namespace skerry::server::outflow {

// A row waits in the queue only if another program committed between our sequencing and our snapshot: then the
// snapshot could show half of what belongs to one transaction under an older seq, so it is closed and taken
// again (pitfall 5).
Result<void> Checkpoint::open_view() {
    for (int attempt = 0; attempt < kSnapshotAttempts; ++attempt) {
        SKERRY_ASSIGN(view_, c_.backend.snapshot());
        SKERRY_ASSIGN(const bool empty, view_->queue_empty());
        if (empty) {
            SKERRY_ASSIGN(to_, view_->last());
            c_.sequencer.committed(to_);
            return {};
        }
        view_.reset();
        SKERRY_TRY(c_.sequencer.catch_up(storage::Patience::kSome));
    }
    return fail(Code::kServerBusy, "other programs write faster than their changes can be put in order");
}

Result<bool> Checkpoint::usable(const scopes::Cursor& cursor, const scopes::Grants& grants) {
    if (cursor.epoch != c_.backend.epoch() || cursor.grants != grants.hash || !cursor.at) return false;
    for (const scopes::Download& download : cursor.downloads)
        if (!c_.backend.model().has(download.scope.entity)) return false;
    if (*cursor.at == storage::Mark{}) return true;  // nothing had been sequenced yet
    // A server restored from a backup does not know the mark, or knows another batch under the number (pitfall 24).
    return view_->knows(*cursor.at);
}

Result<std::unique_ptr<Checkpoint>> Checkpoint::plan(const OutflowContext& context, const std::string& authorization,
                                                     const wire::Pull& request, const From& from) {
    std::unique_ptr<Checkpoint> self(new Checkpoint(context));
    SKERRY_TRY(self->open_view());
    SKERRY_ASSIGN(const auto principal, access::authenticate(*self->view_, authorization, context.clock.wall()));
    SKERRY_ASSIGN(self->device_, access::own_device(*self->view_, principal, request.device));
    const scopes::Grants grants = scopes::grants_of(context.backend.model(), principal.user);
    const scopes::Holder holder{request.device, principal.user};

    std::optional<storage::Mark> after;
    if (const auto presented = context.sealer.open(from.token, holder)) {
        SKERRY_ASSIGN(const bool usable, self->usable(*presented, grants));
        if (usable) {
            if (from.presented) context.floor.note(self->device_, presented->at->seq);
            after = presented->at;
            self->cursor_.downloads = presented->downloads;
        }
    }
    // Nothing usable although the device had a token, or repair: everything is read again by slices, and the device
    // keeps its rows until their slice has passed.
    self->begin_.verify = from.verify || (!after && !from.token.empty());
    if (self->begin_.verify) after.reset();
    if (!after) {
        self->begin_.scopes = grants.scopes;
        SKERRY_TRY(self->start_downloads(grants));
        SKERRY_TRY(self->plan_outcomes_of_all(request));
    } else {
        SKERRY_TRY(self->plan_delta(after->seq));
    }
    for (const scopes::Download& download : self->cursor_.downloads) self->begin_.rows_left += download.rows_left;
    SKERRY_TRY(self->plan_slice(request.slice_rows));

    self->cursor_.epoch = context.backend.epoch();
    self->cursor_.grants = grants.hash;
    if (!self->cursor_.at) self->cursor_.at = self->to_;
    self->token_ = context.sealer.seal(self->cursor_, holder);
    self->begin_.from = hash64(from.token);
    self->begin_.seen = self->device_.seen;
    self->begin_.caught_up = !self->more() && self->to_.seq >= from.target.value_or(self->to_.seq);
    return self;
}

Result<void> Checkpoint::start_downloads(const scopes::Grants& grants) {
    cursor_.downloads.clear();
    for (const wire::ScopeInfo& scope : grants.scopes) {
        scopes::Download& download = cursor_.downloads.emplace_back();
        download.scope = {scope.id, scope.entity};
        SKERRY_ASSIGN(download.rows_left, view_->member_count(download.scope));
    }
    return {};
}

// Without a cursor there is no delta that could bring a transaction's rows together with its outcome, and the
// slice with the row may come later, or have come: so the outcomes come first, with their rows.
Result<void> Checkpoint::plan_outcomes_of_all(const wire::Pull& request) {
    SKERRY_ASSIGN(outcomes_, view_->outcomes_from(device_.ix, request.keep_from));
    SKERRY_ASSIGN(auto refs, view_->result_keys_from(device_.ix, request.keep_from));
    if (refs.empty()) return {};
    delta_ = std::make_unique<Delta>(*view_, c_.backend.model(), scopes::whole_scopes(c_.backend.model()),
                                     keys_of(std::move(refs)), Delta::Keys{}, c_.log);
    return {};
}

Result<void> Checkpoint::plan_delta(Seq after) {
    if (planted(Plant::kDeltaFromSeqInclusive)) after = after.next();
    if (after >= to_.seq) return {};
    SKERRY_ASSIGN(outcomes_, view_->outcomes_between(device_.ix, after, to_.seq));
    std::vector<storage::WholeScope> changed;
    for (const storage::WholeScope& scope : scopes::whole_scopes(c_.backend.model())) {
        SKERRY_ASSIGN(const std::uint64_t n, view_->changed_count(scope, after, to_.seq, kDeltaSmall + 1));
        if (n > 0) changed.push_back(scope);
        delta_rows_ += n;
    }
    if (planted(Plant::kBatchSplitOverCheckpoints) && changed.size() > 1) {
        // Half of it now; the checkpoint after it starts where this one did and brings the whole.
        static bool half = false;
        half = !half;
        if (half) {
            split_ = true;
            changed.pop_back();
            SKERRY_ASSIGN(const auto mark, view_->mark_of(after));
            cursor_.at = storage::Mark{after, mark.value_or(0)};
        }
    }
    if (changed.empty()) return {};
    const auto keys = [this, after](storage::Live live) {
        return [this, after, live](const storage::WholeScope& scope) {
            return view_->changed(scope, after, to_.seq, live);
        };
    };
    delta_ = std::make_unique<Delta>(*view_, c_.backend.model(), std::move(changed), keys(storage::Live::kYes),
                                     keys(storage::Live::kNo), c_.log);
    return {};
}

Result<void> Checkpoint::plan_slice(std::uint32_t rows) {
    if (cursor_.downloads.empty() || delta_rows_ > kDeltaSmall) return {};
    if (rows == 0) rows = kSliceRowsDefault;
    rows = std::min(rows, wire::kSliceRowsMax);
    scopes::Download& first = cursor_.downloads.front();
    SKERRY_ASSIGN(slice_, next_slice(*view_, c_.backend.model(), first, rows, c_.log));
    if (slice_->complete) {
        completed_ = first.scope.scope;
        cursor_.downloads.erase(cursor_.downloads.begin());
    }
    return {};
}

Result<bool> Checkpoint::next(Bytes& out) {
    switch (part_) {
        case Part::kBegin:
            wire::put(out, begin_);
            part_ = Part::kOutcomes;
            return true;
        case Part::kOutcomes: {
            const std::size_t n = std::min(outcomes_.size() - outcomes_sent_, kOutcomesPerFrame);
            if (n > 0) {
                const auto from = outcomes_.begin() + static_cast<std::ptrdiff_t>(outcomes_sent_);
                wire::put_outcomes(out, {from, from + static_cast<std::ptrdiff_t>(n)});
                outcomes_sent_ += n;
                return true;
            }
            part_ = Part::kDelta;
            return next(out);
        }
        case Part::kDelta:
            if (delta_) {
                SKERRY_ASSIGN(const bool wrote, delta_->next(out));
                if (wrote) return true;
            }
            part_ = Part::kSlice;
            return next(out);
        case Part::kSlice:
            part_ = Part::kCheckpoint;
            if (!slice_) return next(out);
            wire::put(out, slice_->slice);
            if (completed_) wire::put_number(out, wire::FrameType::kComplete, completed_->value);
            return true;
        case Part::kCheckpoint:
            wire::put(out, wire::Checkpoint{token_, more()});
            part_ = Part::kDone;
            return false;
        case Part::kDone: break;
    }
    SKERRY_ASSERT(part_ != Part::kDone);
    return false;
}

}  // namespace skerry::server::outflow
