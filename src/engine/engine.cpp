#include "engine/engine.hpp"

#include <algorithm>
#include <limits>

#include "base/assert.hpp"
#include "base/hash.hpp"
#include "base/planted.hpp"

namespace skerry::engine {

namespace {

// What an open request is for; one of each channel at a time.
enum class Channel : std::size_t { kPush = 0, kPull = 1 };
constexpr std::size_t kChannels = 2;

enum class State { kIdle, kReceiving, kWaiting };

bool is_legal(State from, State to) {
    switch (from) {
        case State::kIdle: return to == State::kReceiving || to == State::kWaiting || to == State::kIdle;
        case State::kReceiving: return to == State::kIdle || to == State::kWaiting;
        case State::kWaiting: return to == State::kIdle;
    }
    return false;
}

// Waiting does not mend these: a person or another program has to.
bool needs_attention(Code code) {
    switch (code) {
        case Code::kUnauthorized:
        case Code::kDeviceOfOtherUser:
        case Code::kModelMismatch:
        case Code::kModelInvalid:
        case Code::kProtocolTooNew:
        case Code::kFormatTooNew:
        case Code::kGapLost:
        case Code::kCorruptStore:
        case Code::kDiskFull:
        case Code::kReadOnly: return true;
        default: return false;
    }
}

// What ails one channel ails the other: trying it would only take time.
bool is_shared(Code code) {
    switch (code) {
        case Code::kOffline:
        case Code::kForeignAnswer:
        case Code::kUnauthorized:
        case Code::kServerBusy:
        case Code::kDeviceOfOtherUser:
        case Code::kModelMismatch:
        case Code::kProtocolTooNew: return true;
        default: return false;
    }
}

struct Lane {
    State state = State::kIdle;
    RequestId request = 0;
    int status = 0;
    bool started = false;
    std::optional<wire::FrameReader> reader;
    bool ended_well = false;          // kEnd was seen
    int failures = 0;                 // in a row
    Micros retry_at{0};
    Micros last_byte{0};
    Millis asked_to_wait{0};
    std::optional<Error> problem;
};

}  // namespace

struct Engine::Impl {
    StorePort& store;
    const Clock& clock;
    Random& random;

    std::vector<Action> actions;
    Status status;
    Lane lanes[kChannels];
    RequestId next_request = 1;

    bool sync_wanted = false;      // a one-off sync is under way
    bool live = false;
    bool stopped = true;
    bool push_dirty = false;       // look for something to send
    bool pull_dirty = false;       // a pull is due
    bool identity_taken = false;
    TxnNo taken_no;                // the number that the server knows otherwise
    bool enrol_wanted = false;     // the server said that it does not know this device, or has a newer model
    bool enrolling = false;        // what the push channel's request is for
    bool model_asked = false;      // for that newer model, since something last went well or was waited for
    bool finished = false;
    std::optional<Error> finish_problem;

    bool checkpoint_open = false;  // frames are being staged
    bool caught_up = false;        // of the checkpoint being staged
    bool caught_up_once = false;   // of any since the pull channel was last started anew
    std::uint32_t slice_rows = 0;
    std::uint64_t slice_carried = 0;
    TxnNo sent_before_pull;        // what the server had when the pull began has to settle by its caught-up checkpoint
    std::vector<wire::Outcome> verdicts;   // of the answer being read
    std::vector<wire::Outcome> outcomes;   // settled and not yet taken

    Impl(StorePort& s, const Clock& c, Random& r) : store(s), clock(c), random(r) {}

    Lane& push() { return lanes[static_cast<std::size_t>(Channel::kPush)]; }
    Lane& pull() { return lanes[static_cast<std::size_t>(Channel::kPull)]; }
    bool wants_work() const { return !stopped && (sync_wanted || live); }

    void enter(Lane& lane, State to) {
        SKERRY_ASSERT(is_legal(lane.state, to));
        lane.state = to;
    }

    Lane* lane_of(RequestId id) {
        for (Lane& lane : lanes)
            if (lane.state == State::kReceiving && lane.request == id) return &lane;
        return nullptr;
    }

    // ---- starting requests ----

    void send(Lane& lane, std::string_view path, wire::Kind answer, Bytes body) {
        lane.request = next_request++;
        lane.started = false;
        lane.ended_well = false;
        lane.status = 0;
        lane.asked_to_wait = Millis{0};
        lane.reader.emplace(answer);
        lane.last_byte = clock.mono();
        enter(lane, State::kReceiving);
        status.bytes_sent += body.size();
        actions.push_back(SendRequest{lane.request, std::string(path), std::move(body)});
    }

    void start_enrolment(const SyncState& state) {
        Bytes body;
        wire::put_header(body, wire::Kind::kEnrollRequest);
        wire::put(body, wire::Enroll{state.device, state.device_name, state.model_hash});
        wire::put_empty(body, wire::FrameType::kEnd);
        enrolling = true;
        send(push(), wire::kPathEnroll, wire::Kind::kEnrollResponse, std::move(body));
    }

    // True if a request went out.
    Result<bool> start_push(const SyncState& state) {
        if (identity_taken) return false;  // first everything that the server knows settles
        SKERRY_ASSIGN(PushBatch batch, store.next_push(TxnNo{}));
        if (batch.frames.empty()) return false;
        Bytes body;
        wire::put_header(body, wire::Kind::kPushRequest);
        wire::put(body, wire::PushHello{state.device, state.model_hash, state.keep_from});
        for (const Bytes& frame : batch.frames) wire::put_frame(body, wire::FrameType::kTransaction, frame);
        wire::put_empty(body, wire::FrameType::kEnd);
        verdicts.clear();  // of an answer that was cut: they come again
        enrolling = false;
        send(push(), wire::kPathPush, wire::Kind::kPushResponse, std::move(body));
        return true;
    }

    void start_pull(const SyncState& state) {
        Bytes body;
        wire::put_header(body, wire::Kind::kPullRequest);
        wire::Pull pull_request{.device = state.device, .model_hash = state.model_hash, .keep_from = state.keep_from,
                                .live = live, .verify = state.verify_wanted, .slice_rows = slice_rows, .token = state.token};
        wire::put(body, pull_request);
        wire::put_empty(body, wire::FrameType::kEnd);
        checkpoint_open = false;
        sent_before_pull = state.unsettled > state.unsent ? state.sent_upto : TxnNo{};
        store.discard_staged();
        send(pull(), wire::kPathPull, wire::Kind::kPullResponse, std::move(body));
    }

    // Looks at what is due and starts it. The one place that decides what to do next.
    // (`unsent` counts one more than `unsettled` can hold while settled transactions are sent again.)
    void step() {
        if (!wants_work()) return arm_timer();
        auto state = store.state();
        if (!state) return store_failed(std::move(state.error()));
        if (identity_taken && state->unsettled <= state->unsent) {
            // The server knows all numbers below the one that was taken. If one of those is unsent again (its outcome
            // was forgotten), it is asked for first: moved with the rest it would be applied twice.
            const auto unsent = store.next_push(TxnNo{});
            if (!unsent) return store_failed(unsent.error());
            if (unsent->first && unsent->first < taken_no) {
                identity_taken = false;
                push_dirty = true;
            }
        }
        if (identity_taken && state->unsettled <= state->unsent) {
            if (auto taken = store.take_new_identity(); !taken) return store_failed(std::move(taken.error()));
            identity_taken = false;
            push_dirty = true;
            if (pull().state == State::kReceiving) cancel(pull());
            pull_dirty = true;
            state = store.state();
            if (!state) return store_failed(std::move(state.error()));
        }
        const bool must_enrol = !state->has_model || !state->enrolled || enrol_wanted;
        if (push().state == State::kIdle) {
            if (must_enrol) {
                start_enrolment(*state);
            } else if (push_dirty) {
                push_dirty = false;
                const auto sent = start_push(*state);
                if (!sent) return store_failed(sent.error());
            }
        }
        if (may_pull(must_enrol) && pull().state == State::kIdle && pull_dirty) {
            pull_dirty = false;
            start_pull(*state);
        }
        maybe_finish(*state, must_enrol);
        refresh_phase();
        arm_timer();
    }

    // In a one-off sync the pull comes after the push, so that one round brings the outcomes. It comes even
    // if the push failed: downloads do not wait for uploads.
    bool may_pull(bool must_enrol) {
        if (must_enrol) return false;
        if (live) return true;
        if (push().state == State::kWaiting) return !is_shared(push().problem->code);
        return push().state != State::kReceiving;
    }

    void maybe_finish(const SyncState& state, bool must_enrol) {
        if (!sync_wanted) return;
        const bool pushing = push().state == State::kReceiving || (push().state == State::kIdle && push_dirty);
        const bool pulling = (pull().state == State::kReceiving && !(live && caught_up_once)) ||
                             (pull().state == State::kIdle && pull_dirty && may_pull(must_enrol));
        if (pushing || pulling) return;
        if (pull().state == State::kWaiting) return finish(pull().problem);
        if (push().state == State::kWaiting) return finish(push().problem);
        if (identity_taken)
            return finish(Error{Code::kServerFailed, std::to_string(state.unsettled - state.unsent) + " transactions that the server knows did not settle", {}});
        finish(std::nullopt);
    }

    void finish(std::optional<Error> problem) {
        sync_wanted = false;
        finished = true;
        finish_problem = std::move(problem);
        if (!live) {
            for (Lane& lane : lanes) {
                if (lane.state == State::kReceiving) cancel(lane);
                if (lane.state == State::kWaiting) enter(lane, State::kIdle);
            }
        }
    }

    void cancel(Lane& lane) {
        actions.push_back(CancelRequest{lane.request});
        store_discard_if_pull(lane);
        enter(lane, State::kIdle);
    }

    void store_discard_if_pull(Lane& lane) {
        if (&lane != &pull()) return;
        checkpoint_open = false;
        store.discard_staged();
    }

    // ---- failures ----

    void store_failed(Error error) {
        error.context.push_back("using the device's store");
        // Nothing was half done: every call of the store is one transaction. Another try is made after a while.
        for (Lane& lane : lanes) {
            if (lane.state == State::kReceiving) cancel(lane);
            if (lane.state == State::kIdle) wait(lane, error);
        }
        if (sync_wanted) finish(error);
        refresh_phase();
        arm_timer();
    }

    void wait(Lane& lane, Error error) {
        ++lane.failures;
        const int doublings = std::min(lane.failures - 1, 10);
        Millis delay = std::min<Millis>(kBackoffFirst * (1 << doublings), kBackoffMax);
        // Full jitter over the upper half: a herd of devices spreads, nobody waits long.
        delay = delay / 2 + Millis{static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(delay.count() / 2 + 1)))};
        delay = std::max(delay, lane.asked_to_wait);
        if (needs_attention(error.code)) delay = kBackoffMax;
        lane.retry_at = clock.mono() + delay;
        lane.problem = std::move(error);
        store_discard_if_pull(lane);
        enter(lane, State::kWaiting);
    }

    void fail_lane(Lane& lane, Error error) {
        if (error.code == Code::kOffline || error.code == Code::kForeignAnswer) status.reachable = false;
        if (planted(Plant::kOutboxDeletedOnUnauthorized) && error.code == Code::kUnauthorized) {
            if (auto batch = store.next_push(TxnNo{}); batch) {
                std::vector<wire::Outcome> all;
                for (TxnNo no = batch->first; no && no <= batch->last; no = no.next()) all.push_back({no, wire::Verdict::kApplied, Code::kInternal, {}, {}});
                static_cast<void>(store.note_verdicts(all));
            }
        }
        const bool was_pull = &lane == &pull();
        if (error.code == Code::kNotEnrolled) enrol_wanted = true;
        const bool of_the_enrolment = !was_pull && enrolling;
        // (The other channel may be refused too before the enrolment has begun.)
        if (error.code == Code::kModelMismatch && !of_the_enrolment && (!model_asked || enrol_wanted)) {
            // CONFLICT    The server has another model than this device.
            // RESOLUTION  Enrol again at once, which brings the server's model; the store takes it if it is a successor.
            // WHY         A model is changed in place while devices hold the old one. Where the new one is none that this
            //             store can take, the second refusal is for a person.
            model_asked = true;
            enrol_wanted = true;
            store_discard_if_pull(lane);
            enter(lane, State::kIdle);
        } else {
            wait(lane, std::move(error));
        }
        if (was_pull) {
            pull_dirty = true;
        } else {
            push_dirty = true;
        }
    }

    // ---- answers ----

    void bytes(Lane& lane, BytesView chunk) {
        lane.last_byte = clock.mono();
        status.bytes_received += chunk.size();
        lane.reader->feed(chunk);
        for (;;) {
            auto frame = lane.reader->next();
            if (!frame) return give_up(lane, std::move(frame.error()));
            if (!*frame) return;
            status.reachable = true;
            const RequestId request = lane.request;
            Result<void> taken = &lane == &pull() ? on_pull_frame(**frame) : on_push_frame(**frame);
            if (!taken) return give_up(lane, std::move(taken.error()));
            // Taking a frame may have ended the request (a checkpoint that does not continue).
            if (lane.state != State::kReceiving || lane.request != request) return;
        }
    }

    void give_up(Lane& lane, Error error) {
        if (lane.state != State::kReceiving) return;
        actions.push_back(CancelRequest{lane.request});
        fail_lane(lane, std::move(error));
    }

    void ended(Lane& lane) {
        if (!lane.ended_well) {
            const bool foreign = !lane.reader->header_seen();
            return fail_lane(lane, foreign ? Error{Code::kForeignAnswer, "the answer (HTTP status " + std::to_string(lane.status) + ") is not Skerry's", {}}
                                           : Error{Code::kTruncated, "the answer stopped before its end", {}});
        }
        lane.failures = 0;
        lane.problem.reset();
        if (&lane == &pull()) model_asked = false;
        enter(lane, State::kIdle);
    }

    Result<void> on_push_frame(const wire::Frame& frame) {
        switch (frame.type) {
            case wire::FrameType::kHeartbeat: return {};
            case wire::FrameType::kError: {
                SKERRY_ASSIGN(const auto failure, wire::get_failure(frame.payload));
                push().asked_to_wait = Millis{failure.retry_after_ms};
                return fail(wire::to_error(failure));
            }
            case wire::FrameType::kEnrolled: {
                SKERRY_ASSIGN(const auto answer, wire::get_enrolled(frame.payload));
                SKERRY_TRY(store.enrolled(answer));
                enrol_wanted = false;
                return {};
            }
            case wire::FrameType::kVerdict: {
                SKERRY_ASSIGN(auto verdict, wire::get_verdict(frame.payload));
                verdicts.push_back(std::move(verdict));
                return {};
            }
            case wire::FrameType::kExpect: {
                SKERRY_TRY(note());
                SKERRY_ASSIGN(const std::uint64_t no, wire::get_number(frame.payload));
                push_dirty = true;
                return store.server_expects(TxnNo{no});
            }
            case wire::FrameType::kIdentityTaken: {
                SKERRY_TRY(note());
                SKERRY_ASSIGN(taken_no.value, wire::get_number(frame.payload));
                identity_taken = true;
                return {};
            }
            case wire::FrameType::kEnd: {
                SKERRY_TRY(note());
                push().ended_well = true;
                push_dirty = true;  // more may be waiting; the next look finds out
                pull_dirty = pull_dirty || pull().state == State::kIdle;
                return {};
            }
            default: return fail(Code::kDamagedFrame, "the answer to a push holds a frame that does not belong there");
        }
    }

    Result<void> note() {
        auto noted = store.note_verdicts(verdicts);
        verdicts.clear();
        return noted;
    }

    Result<void> on_pull_frame(const wire::Frame& frame) {
        switch (frame.type) {
            case wire::FrameType::kHeartbeat: return {};
            case wire::FrameType::kError: {
                SKERRY_ASSIGN(const auto failure, wire::get_failure(frame.payload));
                pull().asked_to_wait = Millis{failure.retry_after_ms};
                return fail(wire::to_error(failure));
            }
            case wire::FrameType::kEnd:
                if (checkpoint_open) return fail(Code::kTruncated, "the answer ended inside a checkpoint");
                pull().ended_well = true;
                return {};
            case wire::FrameType::kBegin: {
                SKERRY_ASSIGN(const auto begin, wire::get_begin(frame.payload));
                if (checkpoint_open) return fail(Code::kDamagedFrame, "a checkpoint begins inside another");
                checkpoint_open = true;
                caught_up = begin.caught_up;
                status.rows_left = begin.rows_left;
                slice_carried = 0;
                if (begin.verify) {
                    // A server that was restored from a backup lacks what it once confirmed.
                    SKERRY_ASSIGN(const SyncState state, store.state());
                    if (begin.seen < state.sent_upto) {
                        SKERRY_TRY(store.server_expects(begin.seen.next()));
                        push_dirty = true;
                    }
                }
                return store.stage(frame.type, frame.payload);
            }
            case wire::FrameType::kCheckpoint: {
                if (!checkpoint_open) return fail(Code::kDamagedFrame, "a checkpoint ends that did not begin");
                SKERRY_TRY(store.stage(frame.type, frame.payload));
                return apply();
            }
            default:
                if (!checkpoint_open) return fail(Code::kDamagedFrame, "a frame arrived outside a checkpoint");
                if (frame.type == wire::FrameType::kSlice) slice_carried += 1;
                return store.stage(frame.type, frame.payload);
        }
    }

    // CONFLICT    What the server confirmed has no outcome in the checkpoint that must have held it.
    // RESOLUTION  Send it again: the server knows it and says so, as an outcome that settles it.
    // WHY         This file is a copy: the device it was copied from settled the transaction, and the server has
    //             forgotten the outcome. Waiting would never end.
    Result<void> ask_again_what_did_not_settle() {
        const TxnNo upto = std::exchange(sent_before_pull, TxnNo{});
        if (!upto) return {};
        SKERRY_ASSIGN(const SyncState state, store.state());
        if (state.unsettled <= state.unsent || state.keep_from > upto) return {};
        push_dirty = true;
        return store.server_expects(state.keep_from);
    }

    Result<void> apply() {
        checkpoint_open = false;
        bool continues = false;
        SKERRY_ASSIGN(Applied applied, store.apply(&continues));
        if (!continues) {
            // Another process moved the cursor, or this answer is an old one: ask again from where we stand.
            pull_dirty = true;
            cancel(pull());
            return {};
        }
        ++status.checkpoints;
        status.rows_received += applied.rows;
        outcomes.insert(outcomes.end(), applied.outcomes.begin(), applied.outcomes.end());
        if (applied.settled > 0) push_dirty = true;
        if (slice_carried > 0 && applied.rows > 0) size_next_slice(applied);
        caught_up_once = caught_up_once || caught_up;
        pull().failures = 0;
        return caught_up ? ask_again_what_did_not_settle() : Result<void>{};
    }

    // The wish for the next request: as many rows as were applied in the time that the app may be kept waiting.
    void size_next_slice(const Applied& applied) {
        const auto took = std::max<std::int64_t>(applied.took.count(), 1);
        const std::int64_t rows = static_cast<std::int64_t>(applied.rows) * Micros(kSliceTarget).count() / took;
        slice_rows = static_cast<std::uint32_t>(std::clamp<std::int64_t>(rows, 200, wire::kSliceRowsMax));
    }

    // ---- time and status ----

    void arm_timer() {
        std::optional<Micros> next;
        const auto earliest = [&](Micros at) { next = next ? std::min(*next, at) : at; };
        for (const Lane& lane : lanes) {
            if (lane.state == State::kWaiting) earliest(lane.retry_at);
            if (lane.state == State::kReceiving) earliest(lane.last_byte + kSilenceMax);
        }
        if (!next) return;
        const Micros wait_for = std::max(*next - clock.mono(), Micros{0});
        actions.push_back(SetTimer{std::chrono::ceil<Millis>(wait_for)});
    }

    void refresh_phase() {
        const Lane* trouble = nullptr;
        for (const Lane& lane : lanes)
            if (lane.state == State::kWaiting) trouble = &lane;
        if (trouble != nullptr) {
            status.phase = needs_attention(trouble->problem->code) ? Phase::kAttention : Phase::kWaiting;
            status.problem = trouble->problem;
            status.retry_at = trouble->retry_at;
            return;
        }
        if (finish_problem && !sync_wanted && !live) {
            status.phase = needs_attention(finish_problem->code) ? Phase::kAttention : Phase::kIdle;
            status.problem = finish_problem;
            return;
        }
        status.problem.reset();
        const bool busy = push().state == State::kReceiving || (pull().state == State::kReceiving && !(live && caught_up_once));
        if (live && !stopped && pull().state == State::kReceiving && !busy) {
            status.phase = Phase::kLive;
        } else {
            status.phase = busy ? Phase::kSyncing : Phase::kIdle;
        }
    }

    void begin_work() {
        stopped = false;
        push_dirty = true;
        pull_dirty = true;
        model_asked = false;
        for (Lane& lane : lanes)
            if (lane.state == State::kWaiting) enter(lane, State::kIdle);
    }
};

Engine::Engine(StorePort& store, const Clock& clock, Random& random) : impl_(std::make_unique<Impl>(store, clock, random)) {}
Engine::~Engine() = default;

void Engine::sync() {
    Impl& i = *impl_;
    if (!i.sync_wanted) {
        i.sync_wanted = true;
        i.finished = false;
        i.finish_problem.reset();
        i.status.rows_received = 0;
    }
    i.caught_up_once = false;
    // A pull that is open may have read its snapshot before what this sync is to bring.
    if (i.pull().state == State::kReceiving) i.cancel(i.pull());
    i.begin_work();
    i.step();
}

void Engine::set_live(bool live) {
    Impl& i = *impl_;
    if (i.live == live) return;
    i.live = live;
    i.caught_up_once = false;
    if (i.pull().state == State::kReceiving) i.cancel(i.pull());
    if (live) {
        i.begin_work();
    } else if (!i.sync_wanted) {
        return stop();
    } else {
        i.pull_dirty = true;
    }
    i.step();
}

void Engine::app_wrote() {
    Impl& i = *impl_;
    i.push_dirty = true;
    if (i.live) i.step();
}

void Engine::network_available() {
    Impl& i = *impl_;
    for (Lane& lane : i.lanes) {
        lane.failures = 0;
        if (lane.state == State::kWaiting) i.enter(lane, State::kIdle);
    }
    i.step();
}

void Engine::stop() {
    Impl& i = *impl_;
    i.stopped = true;
    i.live = false;
    for (Lane& lane : i.lanes) {
        if (lane.state == State::kReceiving) i.cancel(lane);
        if (lane.state == State::kWaiting) i.enter(lane, State::kIdle);
    }
    if (i.sync_wanted) i.finish(Error{Code::kOffline, "the sync was stopped", {}});
    i.refresh_phase();
}

void Engine::response_started(RequestId id, int status, std::string_view, Millis retry_after) {
    Lane* lane = impl_->lane_of(id);
    if (lane == nullptr) return;
    lane->started = true;
    lane->status = status;
    lane->asked_to_wait = std::min<Millis>(retry_after, std::chrono::hours(1));
    lane->last_byte = impl_->clock.mono();
}

void Engine::response_bytes(RequestId id, BytesView bytes) {
    Lane* lane = impl_->lane_of(id);
    if (lane == nullptr) return;
    impl_->bytes(*lane, bytes);
    impl_->step();
}

void Engine::response_ended(RequestId id) {
    Lane* lane = impl_->lane_of(id);
    if (lane == nullptr) return;
    impl_->ended(*lane);
    // A live pull that ends in order (the server stops gracefully) is asked for again.
    if (lane == &impl_->pull() && impl_->live && lane->state == State::kIdle) impl_->pull_dirty = true;
    impl_->step();
}

void Engine::request_failed(RequestId id, Error error) {
    Lane* lane = impl_->lane_of(id);
    if (lane == nullptr) return;
    impl_->fail_lane(*lane, std::move(error));
    impl_->step();
}

void Engine::timer_fired() {
    Impl& i = *impl_;
    const Micros now = i.clock.mono();
    for (Lane& lane : i.lanes) {
        if (lane.state == State::kReceiving && now >= lane.last_byte + kSilenceMax)
            i.give_up(lane, Error{Code::kOffline, "no byte arrived for " + std::to_string(kSilenceMax.count() / 1000) + " seconds", {}});
        if (lane.state != State::kWaiting || now < lane.retry_at) continue;
        i.enter(lane, State::kIdle);
        i.model_asked = false;
    }
    i.step();
}

std::vector<Action> Engine::take_actions() { return std::exchange(impl_->actions, {}); }

const Status& Engine::status() const { return impl_->status; }

std::vector<wire::Outcome> Engine::take_outcomes() { return std::exchange(impl_->outcomes, {}); }

bool Engine::take_finished(std::optional<Error>* problem) {
    if (!impl_->finished) return false;
    impl_->finished = false;
    if (problem != nullptr) *problem = impl_->finish_problem;
    return true;
}

}  // namespace skerry::engine
