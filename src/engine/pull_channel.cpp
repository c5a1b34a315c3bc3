#include "engine/pull_channel.hpp"

#include <algorithm>
#include <utility>

namespace skerry::engine {

void PullChannel::start(const SyncState& state, Wish wish) {
    chosen_ = state.chosen;
    verify_ = state.verify_wanted;
    resume_ = state.verify_wanted ? std::nullopt : state.resume;
    Bytes body;
    wire::put_header(body, wire::Kind::kPullRequest);
    wire::put(body, wire::Pull{.device = state.device, .model_hash = state.model_hash, .keep_from = state.keep_from,
                               .live = wish.live, .verify = state.verify_wanted, .only_first = wish.only_first,
                               .slice_rows = careful_rows_ != 0 ? careful_rows_ : slice_rows_,
                               .slice_rows_max = careful_rows_ != 0 ? rows_wished() : 0, .token = state.token, .first = std::move(wish.first), .chosen = state.chosen,
                               .repair = std::move(wish.repair), .resume = resume_});
    wire::put_empty(body, wire::FrameType::kEnd);
    asked_unmeasured_ = slice_rows_ == 0;
    sent_before_ = state.unsettled > state.unsent ? state.sent_upto : TxnNo{};
    confirmed_before_ = state.heals ? TxnNo{} : state.sent_upto;
    interrupted();
    caught_up_once_ = false;
    send(wire::kPathPull, wire::Kind::kPullResponse, std::move(body));
}

// A slice cannot be gone on with: where one was torn, smaller ones get through.
void PullChannel::failed(Code code) {
    if (!open_ || spooled_ || (code != Code::kOffline && code != Code::kTruncated)) return;
    torn_ = true;
    careful_rows_ = std::max((careful_rows_ != 0 ? careful_rows_ : rows_wished()) / 4, kSliceRowsMin);
}

void PullChannel::interrupted() {
    open_ = false;
    spooled_ = false;
    resumed_ = false;
    shared_.store.discard_staged();
}

Result<void> PullChannel::on_frame(const wire::Frame& frame) {
    switch (frame.type) {
        case wire::FrameType::kHeartbeat: return {};
        case wire::FrameType::kError: {
            SKERRY_ASSIGN(const auto failure, wire::get_failure(frame.payload));
            ask_to_wait(Millis{failure.retry_after_ms});
            return fail(wire::to_error(failure));
        }
        case wire::FrameType::kEnd:
            if (open_) return fail(Code::kTruncated, "the answer ended inside a checkpoint");
            ended_well();
            return {};
        case wire::FrameType::kSpool: return spooled(frame);
        case wire::FrameType::kBegin: return begin(frame);
        case wire::FrameType::kCheckpoint: {
            if (!open_) return fail(Code::kDamagedFrame, "a checkpoint ends that did not begin");
            SKERRY_TRY(shared_.store.stage(frame.type, frame.payload));
            if (!spooled_ && asked_unmeasured_ && is_too_much_at_once()) {
                shared_.pull_dirty = true;
                cancel();
                return {};
            }
            return apply();
        }
        default:
            if (!open_) return fail(Code::kDamagedFrame, "a frame arrived outside a checkpoint");
            if (frame.type == wire::FrameType::kSlice) {
                slices_ += 1;
                slice_bytes_ += frame.payload.size();
            }
            return shared_.store.stage(frame.type, frame.payload);
    }
}

Result<void> PullChannel::spooled(const wire::Frame& frame) {
    SKERRY_ASSIGN(const auto spooled, wire::get_spooled(frame.payload));
    if (open_ || spooled_) return fail(Code::kDamagedFrame, "a checkpoint begins inside another");
    spooled_ = true;
    resumed_ = resume_ && spooled == *resume_;
    if (!resumed_ && spooled.offset != 0) return fail(Code::kDamagedFrame, "the answer goes on with what was not asked for");
    // What goes before is here already, its begin with it.
    open_ = spooled.offset != 0;
    caught_up_ = false;
    slices_ = 0;
    slice_bytes_ = 0;
    return shared_.store.stage_spooled(spooled);
}

Result<void> PullChannel::begin(const wire::Frame& frame) {
    SKERRY_ASSIGN(const auto begin, wire::get_begin(frame.payload));
    if (open_) return fail(Code::kDamagedFrame, "a checkpoint begins inside another");
    open_ = true;
    // What was gone on with is older than this pull.
    caught_up_ = begin.caught_up && !resumed_;
    shared_.status.rows_left = begin.rows_left;
    slices_ = 0;
    slice_bytes_ = 0;
    seen_ = begin.seen;
    if (begin.verify) {
        SKERRY_ASSIGN(const SyncState state, shared_.store.state());
        if (seen_ < state.sent_upto) SKERRY_TRY(send_again_what_it_lacks());
    }
    return shared_.store.stage(frame.type, frame.payload);
}

Result<void> PullChannel::apply() {
    open_ = false;
    spooled_ = false;
    const bool resumed = std::exchange(resumed_, false);
    bool continues = false;
    SKERRY_ASSIGN(Applied applied, shared_.store.apply(&continues));
    if (!continues) {
        // Another process moved the cursor, or this answer is an old one: ask again from where we stand.
        if (++strays_ >= kStraysMax) {
            strays_ = 0;
            return fail(Code::kForeignAnswer, "what arrives belongs to an older question: something on the way keeps old answers");
        }
        shared_.pull_dirty = true;
        cancel();
        return {};
    }
    Status& status = shared_.status;
    ++status.checkpoints;
    status.rows_left -= std::min(status.rows_left, applied.rows);
    shared_.round.rows_received += applied.rows;
    shared_.round.settled += applied.settled;
    outcomes_.insert(outcomes_.end(), applied.outcomes.begin(), applied.outcomes.end());
    if (applied.settled > 0) shared_.push_dirty = true;
    if (resumed) shared_.pull_dirty = true;
    if (slices_ > 0 && applied.rows > 0) size_next_slice(applied);
    caught_up_once_ = caught_up_once_ || caught_up_;
    forget_failures();
    strays_ = 0;
    if (!resumed && seen_ < std::exchange(confirmed_before_, TxnNo{})) return send_again_what_it_lacks();
    return caught_up_ ? ask_again_what_did_not_settle() : Result<void>{};
}

// CONFLICT    The server says that it knows less than it had confirmed before it was asked.
// RESOLUTION  All behind that is sent again, from the archive as well.
// WHY         It was restored from a backup. That is not over with the answers to a push: a proxy may repeat those of
//             the time before. Only a pull that continues the cursor tells what the server has.
Result<void> PullChannel::send_again_what_it_lacks() {
    shared_.push_dirty = true;
    return shared_.store.server_expects(seen_.next());
}

// CONFLICT    What the server confirmed has no outcome in the checkpoint that must have held it.
// RESOLUTION  Send it again: the server knows it and says so, as an outcome that settles it.
// WHY         This file is a copy: the device it was copied from settled the transaction, and the server has
//             forgotten the outcome. Waiting would never end.
Result<void> PullChannel::ask_again_what_did_not_settle() {
    const TxnNo upto = std::exchange(sent_before_, TxnNo{});
    if (!upto) return {};
    SKERRY_ASSIGN(const SyncState state, shared_.store.state());
    if (state.unsettled <= state.unsent || state.first_unsettled > upto) return {};
    shared_.push_dirty = true;
    return shared_.store.server_expects(state.first_unsettled);
}

// The wish for the next request: as many rows as were applied in the time that the app may be kept waiting.
void PullChannel::size_next_slice(const Applied& applied) {
    paces_[0] = paces_[1];
    paces_[1] = {applied.rows, slice_bytes_, std::max(applied.took, Micros{1})};
    std::int64_t rows = 0;
    for (const Pace& pace : paces_)
        if (pace.rows != 0) rows = std::max(rows, static_cast<std::int64_t>(pace.rows) * Micros(kSliceTarget).count() / pace.took.count());
    slice_rows_ = static_cast<std::uint32_t>(std::clamp<std::int64_t>(rows, 200, wire::kSliceRowsMax));
    // The server lets them grow likewise while they get through.
    careful_rows_ *= 2;
    if (torn_ && careful_rows_ < slice_rows_) return;
    torn_ = false;
    careful_rows_ = 0;
}

// By what the two before took, this one would keep the app waiting for twice as long as it may. A server that was told how many rows
// are too many never sends such a one; the first answer of a device that has measured nothing yet may.
bool PullChannel::is_too_much_at_once() const {
    if (slices_ == 0 || slice_bytes_ == 0 || paces_[0].bytes == 0) return false;
    const auto would_take = [&](const Pace& pace) { return static_cast<std::uint64_t>(pace.took.count()) * slice_bytes_ / pace.bytes; };
    return std::min(would_take(paces_[0]), would_take(paces_[1])) > 2 * static_cast<std::uint64_t>(Micros(kSliceTarget).count());
}

std::uint32_t PullChannel::rows_wished() const { return slice_rows_ != 0 ? slice_rows_ : wire::kSliceRowsMax; }

}  // namespace skerry::engine
