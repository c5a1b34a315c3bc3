// What is in a checkpoint.
#include <algorithm>

#include "base/planted.hpp"
#include "server/access/devices.hpp"
#include "server/outflow/checkpoint.hpp"
#include "server/outflow/limits.hpp"
#include "server/outflow/order.hpp"
#include "wire/continuing.hpp"

namespace skerry::server::outflow {

namespace {

bool holds(const std::vector<wire::ScopeId>& scopes, wire::ScopeId scope) { return std::binary_search(scopes.begin(), scopes.end(), scope); }

}  // namespace

// A row waits in the queue only if another program committed between our sequencing and our snapshot: then the
// snapshot could show half of what belongs to one transaction under an older seq, so it is closed and taken
// again (pitfall 5).
Result<void> Checkpoint::open_view() {
    for (int attempt = 0; attempt < kSnapshotAttempts; ++attempt) {
        SKERRY_ASSIGN(view_, c_.backend.snapshot());
        SKERRY_ASSIGN(const storage::ViewOf of, view_->of());
        if (const auto last = c_.shared.last(of)) {
            to_ = *last;
            return {};
        }
        SKERRY_ASSIGN(const bool empty, view_->queue_empty());
        if (empty) {
            SKERRY_ASSIGN(to_, view_->last());
            c_.sequencer.committed(to_);
            c_.shared.begin(of, to_);
            return {};
        }
        view_.reset();
        SKERRY_TRY(c_.sequencer.catch_up(storage::Patience::kSome));
    }
    return fail(Code::kServerBusy, "other programs write faster than their changes can be put in order");
}

// A snapshot in which every scope of the principal has an id and the set of them has its name. What is missing is written
// first, and then everything is read again.
Result<void> Checkpoint::open(const std::string& authorization, const wire::Pull& request, const From& from) {
    for (int attempt = 0; attempt < kSnapshotAttempts; ++attempt) {
        SKERRY_TRY(open_view());
        SKERRY_ASSIGN(const auto principal, access::authenticate(*view_, authorization, c_.clock.wall()));
        SKERRY_ASSIGN(device_, access::own_device(*view_, principal, request.device));
        const scopes::Who who{principal, request.chosen};
        const Micros now = c_.clock.mono();
        grants_ = c_.shared.grants(who, now);
        if (!grants_) {
            SKERRY_ASSIGN(auto grants, scopes::grants_of(c_.backend.model(), c_.sequencer.rules(), *view_, who));
            grants_ = std::make_shared<const scopes::Grants>(std::move(grants));
            c_.shared.keep(who, now, grants_);
        }
        holder_ = {request.device, principal.user};
        presented_ = c_.sealer.open(from.cursor, holder_);
        if (grants_->without_id.empty()) {
            if (presented_ && presented_->grants == grants_->hash) return {};
            SKERRY_ASSIGN(const auto known, view_->grant_set(grants_->hash));
            if (known) return {};
        }
        view_.reset();
        SKERRY_TRY(scopes::keep(c_.backend, *grants_, c_.clock.wall()));
    }
    return fail(Code::kServerBusy, "what the principal has changes faster than it can be written down");
}

// The scopes that the cursor stands for; empty when it cannot be continued: everything is read again then.
Result<std::optional<std::vector<wire::ScopeId>>> Checkpoint::held_by(const scopes::Cursor& cursor) {
    using None = std::optional<std::vector<wire::ScopeId>>;
    if ((cursor.epoch != c_.backend.epoch() && !planted(Plant::kEpochIgnored)) || !cursor.at) return None{};
    for (const scopes::Download& download : cursor.downloads)
        if (!c_.backend.model().has(download.entity)) return None{};
    std::vector<wire::ScopeId> held = scopes::ids_of(grants_->scopes);
    if (cursor.grants == grants_->hash) {
        auto continues = c_.shared.continues(cursor);
        if (!continues) {
            SKERRY_ASSIGN(continues, reaches(cursor, held));
            c_.shared.keep(cursor, *continues);
        }
        return *continues ? std::optional(std::move(held)) : std::nullopt;
    }
    SKERRY_ASSIGN(auto set, view_->grant_set(cursor.grants));
    if (!set) return None{};
    held = std::move(*set);
    SKERRY_ASSIGN(const bool continues, reaches(cursor, held));
    return continues ? std::optional(std::move(held)) : std::nullopt;
}

// Everything between the cursor and the last batch is still known.
Result<bool> Checkpoint::reaches(const scopes::Cursor& cursor, const std::vector<wire::ScopeId>& held) {
    if (*cursor.at != to_ && *cursor.at != storage::Mark{}) {  // the latter: nothing had been sequenced yet
        // A server restored from a backup does not know the mark, or knows another batch under the number (pitfall 24).
        SKERRY_ASSIGN(const bool known, view_->knows(*cursor.at));
        if (!known && !planted(Plant::kFloorForgotten) && !planted(Plant::kEpochIgnored)) return false;
    }
    if (cursor.at->seq < to_.seq) {
        SKERRY_ASSIGN(const Seq floor, view_->floor(held));
        if (floor > cursor.at->seq && !planted(Plant::kFloorForgotten)) return false;
    }
    return true;
}

Result<std::unique_ptr<Checkpoint>> Checkpoint::plan(const OutflowContext& context, const std::string& authorization,
                                                     const wire::Pull& request, const From& from) {
    std::unique_ptr<Checkpoint> self(new Checkpoint(context));
    SKERRY_TRY(self->open(authorization, request, from));
    for (const wire::ScopeInfo& scope : self->grants_->scopes) self->granted_[scope.entity].push_back(scope.id);

    std::optional<std::vector<wire::ScopeId>> held;
    if (self->presented_) {
        SKERRY_ASSIGN(held, self->held_by(*self->presented_));
        if (held && from.presented) context.floor.note(self->device_, self->presented_->at->seq, self->presented_->grants, context.clock.wall());
    }
    // Nothing to continue although the device had a token, or repair: everything is read again by slices, and the
    // device keeps its rows until their slice has passed.
    self->begin_.verify = from.verify || (!held && !from.token.empty());
    if (self->begin_.verify || !held) {
        SKERRY_TRY(self->start_all(request));
    } else {
        self->repair_ = request.repair;
        SKERRY_TRY(self->exchange_grants(*self->presented_, *held));
        SKERRY_TRY(self->plan_delta(*self->presented_));
    }
    SKERRY_TRY(self->plan_slices(request));
    self->empty_ = held && !self->begin_.verify && self->begin_.scopes.empty() && self->lost_.empty() && self->outcomes_.empty() &&
                   !self->delta_ && self->delta_begun_.empty() && self->slices_.empty();

    self->cursor_.epoch = context.backend.epoch();
    self->cursor_.grants = self->grants_->hash;
    if (!self->cursor_.at) self->cursor_.at = self->to_;
    self->token_ = context.sealer.seal(self->cursor_, self->holder_);
    self->begin_.from = wire::continues(request.device, from.token);
    self->begin_.seen = self->device_.seen;
    self->begin_.profile = self->grants_->profile;
    self->begin_.caught_up = !self->more() && self->to_.seq >= from.target.value_or(self->to_.seq);
    return self;
}

Result<void> Checkpoint::start_all(const wire::Pull& request) {
    begin_.scopes = grants_->scopes;
    SKERRY_TRY(start_downloads(granted_));
    return plan_outcomes_of_all(request);
}

// New scopes of one entity are one download: their rows come merged, each body once.
Result<void> Checkpoint::start_downloads(const ByEntity& scopes) {
    for (const auto& [entity, of_entity] : scopes) {
        scopes::Download& download = cursor_.downloads.emplace_back(scopes::Download{entity, of_entity, {}, 0});
        SKERRY_ASSIGN(download.rows_left, view_->member_count(entity, of_entity));
    }
    return {};
}

Checkpoint::ByEntity Checkpoint::downloading() const {
    ByEntity scopes;
    for (const scopes::Download& download : cursor_.downloads) {
        auto& of_entity = scopes[download.entity];
        of_entity.insert(of_entity.end(), download.scopes.begin(), download.scopes.end());
    }
    for (auto& [entity, of_entity] : scopes) std::sort(of_entity.begin(), of_entity.end());
    return scopes;
}

Result<void> Checkpoint::exchange_grants(const scopes::Cursor& cursor, const std::vector<wire::ScopeId>& held) {
    cursor_.downloads = cursor.downloads;
    if (cursor.grants == grants_->hash) {
        kept_ = granted_;
        return {};
    }
    const std::vector<wire::ScopeId> ids = scopes::ids_of(grants_->scopes);
    if (!planted(Plant::kLostScopeKept)) std::set_difference(held.begin(), held.end(), ids.begin(), ids.end(), std::back_inserter(lost_));
    ByEntity added;
    for (const wire::ScopeInfo& scope : grants_->scopes) {
        if (holds(held, scope.id)) {
            kept_[scope.entity].push_back(scope.id);
        } else {
            added[scope.entity].push_back(scope.id);
            begin_.scopes.push_back(scope);
        }
    }
    for (scopes::Download& download : cursor_.downloads)
        std::erase_if(download.scopes, [&](wire::ScopeId scope) { return !holds(ids, scope); });
    std::erase_if(cursor_.downloads, [](const scopes::Download& download) { return download.scopes.empty(); });
    SKERRY_TRY(start_downloads(added));
    if (lost_.empty()) return {};
    SKERRY_TRY(leave_what_was_lost(added));
    ByEntity arriving;
    for (const auto& [entity, of_entity] : downloading())
        if (!std::any_of(of_entity.begin(), of_entity.end(), scopes::is_whole)) arriving.emplace(entity, of_entity);
    lines_.emplace(*view_, lost_, std::move(arriving), cursor.at->seq);
    return {};
}

// Rows of a lost scope stay where all of their entity arrives: they need no lines for it. So those that are deleted since have
// to leave the new scope, though its tombstones are older than the right to it.
Result<void> Checkpoint::leave_what_was_lost(const ByEntity& added) {
    SKERRY_ASSIGN(const auto entities, view_->entities_of(lost_));
    for (const auto& [entity, of_entity] : added) {
        const auto lost_any = [&](const std::optional<EntityIx>& of_lost) { return !of_lost || *of_lost == entity; };
        if (scopes::is_whole(of_entity.front()) && std::any_of(entities.begin(), entities.end(), lost_any)) kept_[entity] = of_entity;
    }
    return {};
}

// Without a cursor there is no delta that could bring a transaction's rows together with its outcome, and the
// slice with the row may come later, or have come: so the outcomes come first, with their rows.
Result<void> Checkpoint::plan_outcomes_of_all(const wire::Pull& request) {
    SKERRY_ASSIGN(outcomes_, view_->outcomes_from(device_.ix, request.keep_from));
    SKERRY_ASSIGN(const auto refs, view_->result_keys_from(device_.ix, request.keep_from));
    std::map<EntityIx, std::vector<std::string>> keys;
    for (const storage::KeyRef& ref : refs) keys[ref.entity].push_back(ref.key);
    std::map<EntityIx, std::vector<storage::Member>> members;
    std::vector<EntityIx> entities;
    for (const auto& [entity, of_entity] : keys) {
        const auto granted = granted_.find(entity);
        if (granted == granted_.end()) continue;
        SKERRY_ASSIGN(members[entity], view_->memberships(entity, granted->second, of_entity));
        entities.push_back(entity);
    }
    if (!entities.empty())
        delta_ = std::make_unique<Delta>(*view_, c_.backend.model(), std::move(entities), listed(std::move(members)), Delta::Members{}, c_.log);
    return {};
}

Result<void> Checkpoint::plan_delta(const scopes::Cursor& cursor) {
    Seq after = cursor.at->seq;
    if (planted(Plant::kDeltaFromSeqInclusive)) after = after.next();
    if (after >= to_.seq) return {};
    SKERRY_ASSIGN(outcomes_, view_->outcomes_between(device_.ix, after, to_.seq));
    const bool alike = cursor.grants == grants_->hash && !planted(Plant::kBatchSplitOverCheckpoints);
    return alike ? share_delta(cursor, after) : find_delta(after);
}

// Devices that go on from the same place with the same grants are sent the same frames.
Result<void> Checkpoint::share_delta(const scopes::Cursor& cursor, Seq after) {
    if (const Shared::Delta* known = c_.shared.delta(cursor)) {
        delta_rows_ = known->rows;
        delta_begun_ = known->frames;
        return {};
    }
    SKERRY_TRY(find_delta(after));
    bool more = delta_ != nullptr;
    while (more && delta_begun_.size() < kSharedDeltaMax) {
        SKERRY_ASSIGN(more, delta_->next(delta_begun_));
    }
    if (more) return {};
    delta_.reset();
    c_.shared.keep(cursor, {delta_rows_, delta_begun_});
    return {};
}

Result<void> Checkpoint::find_delta(Seq after) {
    std::vector<EntityIx> changed;
    for (const auto& [entity, of_entity] : granted_) {
        SKERRY_ASSIGN(storage::Changed found, view_->changed_in(of_entity, after, to_.seq, kDeltaSmall + 1));
        delta_rows_ += found.members;
        if (found.members == 0) continue;
        changed.push_back(entity);
        if (const auto kept = kept_.find(entity); kept != kept_.end())
            std::erase_if(kept->second, [&](wire::ScopeId scope) { return !holds(found.scopes, scope); });
        changed_[entity] = std::move(found.scopes);
    }
    if (planted(Plant::kBatchSplitOverCheckpoints) && changed.size() > 1 && begin_.scopes.empty() && lost_.empty()) {
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
    // What left a new scope before it was granted is older than the right: not even its key is told.
    const auto members = [this, after](const ByEntity& scopes, storage::Live live) -> Delta::Members {
        return [this, after, &scopes, live](EntityIx entity) -> Result<std::unique_ptr<storage::MemberCursor>> {
            const auto of_entity = scopes.find(entity);
            if (of_entity == scopes.end()) return nullptr;
            if (planted(Plant::kLeavesNotSent) && live == storage::Live::kNo && !scopes::is_whole(of_entity->second.front())) return nullptr;
            return view_->changed(entity, of_entity->second, after, to_.seq, live);
        };
    };
    delta_ = std::make_unique<Delta>(*view_, c_.backend.model(), std::move(changed), members(changed_, storage::Live::kYes),
                                     members(kept_, storage::Live::kNo), c_.log);
    return {};
}

Result<void> Checkpoint::plan_slices(const wire::Pull& request) {
    const std::size_t of_first = put_in_order(cursor_.downloads, c_.backend.model(), grants_->profile, request.first);
    downloads_wanted_ = request.only_first ? of_first : cursor_.downloads.size();
    for (std::size_t i = 0; i < downloads_wanted_; ++i) begin_.rows_left += cursor_.downloads[i].rows_left;
    if (delta_rows_ > kDeltaSmall) return {};
    const std::size_t rows = request.slice_rows == 0 ? kSliceRowsDefault : std::min(request.slice_rows, wire::kSliceRowsMax);
    const bool careful = request.slice_rows < request.slice_rows_max;
    const SliceSize size{rows, careful ? std::min(kSlicePayloadTarget, rows * kCarefulRowBytes) : kSlicePayloadTarget};
    SKERRY_TRY(plan_repair(size));
    return slices_.empty() ? plan_download(size) : Result<void>{};
}

// Ranges are read anew over all scopes but those that a download reads anyway.
Result<void> Checkpoint::plan_repair(SliceSize size) {
    const ByEntity busy = downloading();
    std::size_t done = 0;
    std::size_t sent = 0;
    std::size_t bytes = 0;
    while (done < repair_.size() && sent < size.rows && bytes < size.bytes) {
        wire::KeyRange& range = repair_[done];
        SliceRange wanted{range.entity, {}, range.after, range.upto};
        if (const auto granted = granted_.find(range.entity); granted != granted_.end()) {
            const auto taken = busy.find(range.entity);
            for (const wire::ScopeId scope : granted->second)
                if (taken == busy.end() || !holds(taken->second, scope)) wanted.scopes.push_back(scope);
        }
        if (!wanted.scopes.empty()) {
            SKERRY_ASSIGN(NextSlice next, next_slice(*view_, c_.backend.model(), wanted, {size.rows - sent, size.bytes - bytes}, c_.log));
            sent += next.rows + 1;  // an empty slice is work too
            bytes += next.bytes;
            if (!next.complete) range.after = *next.slice.upto;
            const bool complete = next.complete;
            slices_.push_back(std::move(next.slice));
            if (!complete) break;
        }
        ++done;
    }
    repair_.erase(repair_.begin(), repair_.begin() + static_cast<std::ptrdiff_t>(done));
    return {};
}

Result<void> Checkpoint::plan_download(SliceSize size) {
    if (downloads_wanted_ == 0) return {};
    scopes::Download& first = cursor_.downloads.front();
    SKERRY_ASSIGN(NextSlice next, next_slice(*view_, c_.backend.model(), {first.entity, first.scopes, first.after, std::nullopt}, size, c_.log));
    slices_.push_back(std::move(next.slice));
    if (next.complete) {
        completed_ = first.scopes;
        cursor_.downloads.erase(cursor_.downloads.begin());
        --downloads_wanted_;
        return {};
    }
    first.after = *slices_.back().upto;
    first.rows_left -= std::min<std::uint64_t>(first.rows_left, next.rows);
    return {};
}

}  // namespace skerry::server::outflow
