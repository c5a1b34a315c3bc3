#include <algorithm>
#include <utility>

#include "base/planted.hpp"
#include "engine/engine_impl.hpp"

namespace skerry::engine {

void Engine::Impl::step() {
    do {
        run_ended = false;
        look_again = false;
        start_runs();
        if (!wants_work()) break;
        if (auto stepped = try_step(); !stepped) store_failed(std::move(stepped.error()));
    } while (run_ended || look_again);
    if (!wants_work()) give_turn_back();
    refresh_status();
    arm_timer();
}

// CONFLICT    Two programs have the same store open, and both are to sync it.
// RESOLUTION  One does, for both; the other asks again until its turn comes. A run does not wait for it for ever.
// WHY         Two that push and pull from one journal and one cursor do the work twice, and tear each other's checkpoints. To
//             write needs no turn: what any program commits is sent by whoever has it.
Result<bool> Engine::Impl::take_turn() {
    TurnPort* port = shared.store.turn();
    if (port == nullptr || has_turn) return true;
    const Micros now = shared.clock.mono();
    if (shared.status.elsewhere && now < turn_at) return false;
    SKERRY_ASSIGN(has_turn, port->take());
    const bool waited = std::exchange(shared.status.elsewhere, !has_turn);
    if (has_turn) {
        // Whatever the other one left undone is in the file.
        if (waited) go_on();
        return true;
    }
    turn_at = now + kTurnAgain;
    if (rhythm.running() && now - begun >= kTurnWait) finish(Error{Code::kSyncElsewhere, "another program syncs this store", {}});
    return false;
}

void Engine::Impl::give_turn_back() {
    shared.status.elsewhere = false;
    if (std::exchange(has_turn, false)) shared.store.turn()->give_back();
}

// More than one only where they end at once, for want of a network.
void Engine::Impl::start_runs() {
    while (!held() && !rhythm.running()) {
        bool unsent = false;
        if (rhythm.write_is_due()) {
            // If the store cannot say, the run says what ails it.
            const auto state = shared.store.state();
            unsent = !state || state->unsent > 0;
        }
        const auto run = rhythm.next(shared.status.network, unsent);
        if (!run) return;
        begin_run(*run);
    }
}

void Engine::Impl::begin_run(const Run& run) {
    shared.round = {};
    shared.status.rows_left = 0;
    shared.status.send_left = 0;
    begun = shared.clock.mono();
    pace.begin(sample());
    if (shared.status.network == Network::kNone) return finish(Error{Code::kOffline, "the device has no network", {}});
    // Somebody waits for what was asked for; what triggers start comes after what a live channel waits for.
    if (run.asked_for)
        for (Lane* lane : lanes) lane->stop_waiting();
    model_asked = false;
    shared.push_dirty = true;
    if (run.round.kind == RoundKind::kPendingOnly) return;
    // A pull that is open may have read its snapshot before what this run is to bring.
    if (pull.state() == State::kReceiving) pull.cancel();
    pull.expect_to_catch_up();
    shared.pull_dirty = true;
    if (run.round.kind != RoundKind::kSelected) return;
    auto last = shared.store.select(run.round.entities);
    if (!last) return store_failed(std::move(last.error()));
    push_upto = *last;
}

Result<void> Engine::Impl::try_step() {
    SKERRY_ASSIGN(const bool ours, take_turn());
    if (!ours) return {};
    SKERRY_ASSIGN(SyncState state, shared.store.state());
    SKERRY_ASSIGN(const bool moved, push.take_new_identity(state));
    if (moved) {
        if (pull.state() == State::kReceiving) pull.cancel();
        shared.pull_dirty = true;
        SKERRY_ASSIGN(state, shared.store.state());
        // Numbers are new: all of them go.
        if (runs(RoundKind::kSelected)) {
            SKERRY_ASSIGN(push_upto, shared.store.select(rhythm.running()->round.entities));
        }
    }
    shared.status.send_left = state.unsent;
    const bool must_enrol = !state.has_model || !state.enrolled || push.enrol_wanted();
    if (push.state() == State::kIdle) {
        if (must_enrol) {
            push.start_enrolment(state);
        } else if (std::exchange(shared.push_dirty, false)) {
            const bool to_its_last = runs(RoundKind::kSelected) && !shared.live;
            SKERRY_TRY(push.start(state, to_its_last ? std::optional(push_upto) : std::nullopt));
        }
    }
    if (pull.state() == State::kReceiving && pull.is_outdated(state)) {
        pull.cancel();
        pull.expect_to_catch_up();
        shared.pull_dirty = true;
    }
    if (may_pull(must_enrol) && pull.state() == State::kIdle && shared.pull_dirty) {
        shared.pull_dirty = false;
        pull.start(state, wish());
    }
    SKERRY_TRY(maybe_finish(state, must_enrol));
    return check_while_live();
}

// Where no run ever comes, the comparison is one of its own when it is time.
Result<void> Engine::Impl::check_while_live() {
    CheckPort* port = shared.store.checks();
    if (port == nullptr || !shared.live || rhythm.running() || !pull.caught_up() || shared.clock.mono() < check_after) return {};
    SKERRY_ASSIGN(const bool due, port->due());
    if (!due) return {};
    check_after = shared.clock.mono() + kCheckAgain;
    look_again = true;
    SKERRY_TRY(rhythm.trigger(kUnitCheck));
    return {};
}

// In a run the pull comes after the push, so that one round brings the outcomes. It comes even if the push failed:
// downloads do not wait for uploads.
bool Engine::Impl::may_pull(bool must_enrol) const {
    if (must_enrol) return false;
    if (shared.live && !runs(RoundKind::kSelected)) return true;
    if (runs(RoundKind::kPendingOnly)) return false;
    if (push.state() == State::kWaiting) return !is_shared(push.problem()->code);
    return push.state() != State::kReceiving;
}

PullChannel::Wish Engine::Impl::wish() const {
    if (runs(RoundKind::kSelected)) return {.live = false, .first = rhythm.running()->round.entities, .only_first = true};
    return {.live = shared.live, .first = preferred, .only_first = false, .repair = check.repairs()};
}

Result<void> Engine::Impl::maybe_finish(const SyncState& state, bool must_enrol) {
    const auto ended = [this](std::optional<Error> problem) {
        finish(std::move(problem));
        return Result<void>{};
    };
    if (!rhythm.running()) return {};
    if (push.state() == State::kReceiving || (push.state() == State::kIdle && shared.push_dirty)) return {};
    if (!runs(RoundKind::kPendingOnly)) {
        if (pull.state() == State::kReceiving && !(shared.live && pull.caught_up())) return {};
        if (pull.state() == State::kIdle && shared.pull_dirty && may_pull(must_enrol)) return {};
        if (pull.state() == State::kWaiting) return ended(pull.problem());
    }
    if (push.state() == State::kWaiting) return ended(push.problem());
    if (push.identity_taken() && !runs(RoundKind::kPendingOnly))
        return ended(Error{Code::kServerFailed, std::to_string(state.unsettled - state.unsent) + " transactions that the server knows did not settle", {}});
    SKERRY_ASSIGN(const bool comparing, compare());
    if (comparing) return {};
    if (check.state() == State::kWaiting && runs(RoundKind::kCheck)) return ended(check.problem());
    return ended(std::nullopt);
}

// A run of `check`, and a full one when it is time, ends with a comparison. Of a full one it is no part: where it fails the
// run has done its work all the same.
Result<bool> Engine::Impl::compare() {
    CheckPort* port = shared.store.checks();
    if (port == nullptr || !(runs(RoundKind::kCheck) || runs(RoundKind::kFull))) return false;
    if (check.state() == State::kReceiving) return true;
    if (check.state() == State::kWaiting) {
        check_after = shared.clock.mono() + kCheckAgain;
        return false;
    }
    if (!check.comparing() && runs(RoundKind::kFull)) {
        if (shared.clock.mono() < check_after) return false;
        SKERRY_ASSIGN(const bool due, port->due());
        if (!due) return false;
    }
    auto need = check.go_on(*port);
    if (!need) {
        // As an answer that did not fit: nothing is left half done.
        check.wait(std::move(need.error()));
        return compare();
    }
    if (*need == CheckChannel::Need::kPull) {
        if (pull.state() == State::kReceiving) pull.cancel();
        pull.expect_to_catch_up();
        shared.pull_dirty = true;
        look_again = true;
    }
    return *need != CheckChannel::Need::kNothing;
}

void Engine::Impl::finish(std::optional<Error> problem) {
    const RunId run = rhythm.running()->id;
    const bool selected = runs(RoundKind::kSelected);
    check.give_up_comparing();
    RoundReport report = shared.round;
    shared.round.hints.clear();
    report.took = shared.clock.mono() - begun;
    const Millis asked_to_wait = std::max(push.asked_to_wait(), pull.asked_to_wait());
    if (run == asked) {
        finished = true;
        finish_problem = problem;
    }
    last_problem = problem;
    rhythm.ended(std::move(report), std::move(problem), shared.backoff, asked_to_wait);
    run_ended = true;
    if (!shared.live) return end_lanes();
    // What it pulled is not the live pull: that one is opened again.
    if (selected) {
        if (pull.state() == State::kReceiving) pull.cancel();
        shared.pull_dirty = true;
        pull.expect_to_catch_up();
    }
}

void Engine::Impl::end_lanes() {
    for (Lane* lane : lanes) {
        if (lane->state() == State::kReceiving) lane->cancel();
        lane->stop_waiting();
    }
}

void Engine::Impl::go_on() {
    for (Lane* lane : lanes) {
        lane->forget_failures();
        lane->stop_waiting();
    }
    model_asked = false;
    shared.push_dirty = true;
    if (pull.state() == State::kIdle) shared.pull_dirty = true;
}

void Engine::Impl::hold(bool& why) {
    if (why) return;
    if (!held()) held_since = shared.clock.mono();
    why = true;
    end_lanes();
}

void Engine::Impl::let_go(bool& why) {
    if (!why) return;
    why = false;
    if (held()) return;
    begun += shared.clock.mono() - held_since;
    pace.begin(sample());
    go_on();
}

// ---- failures ----

void Engine::Impl::store_failed(Error error) {
    error.context.emplace_back("using the device's store");
    // Nothing was half done: every call of the store is one transaction. Another try is made after a while.
    for (Lane* lane : lanes) {
        if (lane->state() == State::kReceiving) lane->cancel();
        if (lane->state() == State::kIdle) lane->wait(error);
    }
    shared.push_dirty = shared.pull_dirty = true;
    if (rhythm.running()) finish(std::move(error));
}

void Engine::Impl::fail_lane(Lane& lane, Error error) {
    if (is_out_of_reach(error.code)) out_of_reach();
    if (planted(Plant::kOutboxDeletedOnUnauthorized) && error.code == Code::kUnauthorized) {
        if (auto batch = shared.store.next_push(TxnNo{}, wire::kPushBytesTarget); batch) {
            std::vector<wire::Outcome> all;
            for (TxnNo no = batch->first; no && no <= batch->last; no = no.next()) all.push_back({no, wire::Verdict::kApplied, Code::kInternal, {}, {}});
            static_cast<void>(shared.store.note_verdicts(all));
        }
    }
    const bool was_pull = &lane == &pull;
    const bool enrol_wanted = push.enrol_wanted();
    if (error.code == Code::kNotEnrolled) push.want_enrolment();
    const bool of_the_enrolment = !was_pull && push.enrolling();
    // (The other channel may be refused too before the enrolment has begun.)
    const bool enrols = error.code == Code::kModelMismatch || error.code == Code::kNotEnrolled;
    if (enrols && !of_the_enrolment && (!model_asked || enrol_wanted)) {
        // CONFLICT    The server has another model than this device, or does not know it (any more).
        // RESOLUTION  Enrol again at once, which brings the server's model; the store takes it if it is a successor.
        // WHY         A model is changed in place while devices hold the old one. Where the new one is none that this
        //             store can take, the second refusal is for a person.
        model_asked = true;
        push.want_enrolment();
        lane.idle();
    } else {
        lane.wait(std::move(error));
    }
    (was_pull ? shared.pull_dirty : shared.push_dirty) = true;
}

// CONFLICT    An open answer has fallen silent; another request has no byte of an answer yet, and may have been sent just now.
// RESOLUTION  Both are given up, and sent again on new connections.
// WHY         A router that forgot its connections forgot all of them, and tells nobody. Each would take its whole time to be found out,
//             one after the other.
void Engine::Impl::end_silence() {
    const Micros now = shared.clock.mono();
    const auto is_silent = [&](const Lane* lane) { return lane->state() == State::kReceiving && now >= lane->silent_at(); };
    if (std::ranges::none_of(lanes, is_silent)) return;
    for (Lane* lane : lanes)
        if (is_silent(lane) || lane->is_unanswered())
            give_up(*lane, Error{Code::kOffline, "no byte arrived for " + std::to_string(kSilenceMax.count() / 1000) + " seconds", {}});
}

void Engine::Impl::give_up(Lane& lane, Error error) {
    if (lane.state() != State::kReceiving) return;
    lane.close();
    fail_lane(lane, std::move(error));
}

}  // namespace skerry::engine
