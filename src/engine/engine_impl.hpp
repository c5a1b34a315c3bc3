// What an Engine is made of. engine.cpp has its events, engine_step.cpp what to do next, engine_status.cpp what it says.
#pragma once

#include "engine/check_channel.hpp"
#include "engine/engine.hpp"
#include "engine/pull_channel.hpp"
#include "engine/push_channel.hpp"

namespace skerry::engine {

struct Engine::Impl {
    Shared shared;
    PushChannel push{shared};
    PullChannel pull{shared};
    CheckChannel check{shared};
    Lane* const lanes[3] = {&push, &pull, &check};
    Rhythm rhythm{shared.clock, shared.random};

    bool stopped = false;
    bool model_asked = false;         // the server's newer one, since something last went well or was waited for
    std::vector<EntityIx> preferred;  // what the app shows
    Micros clocks_apart{0};           // wall less mono

    bool has_turn = false;
    Micros turn_at{0};                // mono; when it is asked for again

    // The run under way.
    TxnNo push_upto;                  // of a selected one
    bool run_ended = false;           // just now: the next one may start
    bool look_again = false;          // something became due just now
    Micros check_after{0};            // mono; one that nobody asked for, and that failed, is not tried at each sync
    Micros begun{0};
    Micros held_since{0};             // paused or suspended
    PaceMeter pace;
    std::optional<Error> last_problem;  // of the run that ended last

    RunId asked = 0;                  // by sync()
    bool finished = false;
    std::optional<Error> finish_problem;

    Impl(StorePort& store, const Clock& clock, Random& random);

    bool held() const { return stopped || shared.status.paused || shared.status.suspended; }
    bool wants_work() const { return !held() && shared.status.network != Network::kNone && (rhythm.running() || shared.live); }
    bool runs(RoundKind kind) const { return rhythm.running() && rhythm.running()->round.kind == kind; }
    Lane* lane_of(RequestId id);

    // ---- engine_step.cpp ----
    // Looks at what is due and starts it. The one place that decides what to do next.
    void step();
    void start_runs();
    void begin_run(const Run& run);
    Result<void> try_step();
    Result<bool> take_turn();
    void give_turn_back();
    bool may_pull(bool must_enrol) const;
    PullChannel::Wish wish() const;
    Result<void> maybe_finish(const SyncState& state, bool must_enrol);
    Result<void> check_while_live();
    // True: the run goes on with comparing.
    Result<bool> compare();
    void finish(std::optional<Error> problem);
    // Cancels what is open; nothing waits.
    void end_lanes();
    // What end_lanes() broke off is begun anew.
    void go_on();
    void hold(bool& why);
    void let_go(bool& why);
    void store_failed(Error error);
    // The request of the lane has failed and is closed.
    void fail_lane(Lane& lane, Error error);
    // The request is still open.
    void end_silence();
    void give_up(Lane& lane, Error error);

    // ---- engine_status.cpp ----
    void out_of_reach();
    void arm_timer();
    void refresh_status();
    void refresh_phase(Status& status) const;
    PaceMeter::Sample sample() const;
};

}  // namespace skerry::engine
