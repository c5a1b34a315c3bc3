#include "engine/engine.hpp"

#include <utility>

#include "base/assert.hpp"
#include "engine/engine_impl.hpp"

namespace skerry::engine {

namespace {
// A clock that is put right moves less, or means no harm: a request is made anew.
constexpr Micros kSlept = std::chrono::seconds(30);
}  // namespace

Engine::Impl::Impl(StorePort& store, const Clock& clock, Random& random) : shared{store, clock, random} {
    clocks_apart = clock.wall() - clock.mono();
    const bool all = rhythm.define({.name = std::string(kUnitFull)}) &&
                      rhythm.define({.name = std::string(kUnitPending), .round = {.kind = RoundKind::kPendingOnly}}) &&
                      rhythm.define({.name = std::string(kUnitCheck), .round = {.kind = RoundKind::kCheck}});
    SKERRY_ASSERT(all);
}

Lane* Engine::Impl::lane_of(RequestId id) {
    for (Lane* lane : lanes)
        if (lane->receives(id)) return lane;
    return nullptr;
}

Engine::Engine(StorePort& store, const Clock& clock, Random& random) : impl_(std::make_unique<Impl>(store, clock, random)) {}
Engine::~Engine() = default;

// ---- what the app asks ----

Result<void> Engine::define(Unit unit) {
    if ((unit.name == kUnitFull && unit.round.kind != RoundKind::kFull) || (unit.name == kUnitPending && unit.round.kind != RoundKind::kPendingOnly) ||
        (unit.name == kUnitCheck && unit.round.kind != RoundKind::kCheck))
        return fail(Code::kInvalidArgument, "the unit " + unit.name + " keeps its kind");
    SKERRY_TRY(impl_->rhythm.define(std::move(unit)));
    impl_->step();
    return {};
}

Result<RunId> Engine::trigger(std::string_view unit, TriggerOptions options) {
    SKERRY_ASSIGN(const RunId run, impl_->rhythm.trigger(unit, options));
    impl_->stopped = false;
    impl_->step();
    return run;
}

bool Engine::cancel(RunId run) {
    Impl& i = *impl_;
    const auto& running = i.rhythm.running();
    if (running && running->id == run) {
        const bool pulls = running->round.kind != RoundKind::kPendingOnly;
        if (i.push.state() == State::kReceiving) i.push.cancel();
        if (pulls && i.pull.state() == State::kReceiving) i.pull.cancel();
        i.finish(Error{Code::kSyncDiscarded, "the app cancelled it", {}});
        if (i.shared.live) i.go_on();
    } else if (!i.rhythm.discard(run)) {
        return false;
    }
    i.step();
    return true;
}

void Engine::sync() {
    Impl& i = *impl_;
    i.finished = false;
    const auto run = i.rhythm.trigger(kUnitFull);
    SKERRY_ASSERT(run.has_value());
    i.asked = *run;
    i.stopped = false;
    i.step();
}

void Engine::set_live(bool live) {
    Impl& i = *impl_;
    if (i.shared.live == live) return;
    i.shared.live = live;
    i.pull.expect_to_catch_up();
    if (i.pull.state() == State::kReceiving) i.pull.cancel();
    if (live) i.stopped = false;
    if (live || i.rhythm.running()) i.go_on();
    else i.end_lanes();
    i.step();
}

void Engine::app_wrote() {
    Impl& i = *impl_;
    i.shared.push_dirty = true;
    if (!i.shared.live) i.rhythm.wrote();
    i.step();
}

void Engine::prefer(std::vector<EntityIx> entities) {
    Impl& i = *impl_;
    if (i.preferred == entities) return;
    i.preferred = std::move(entities);
    // At most a slice is lost.
    if (i.pull.state() == State::kReceiving && i.shared.status.rows_left > 0 && !i.runs(RoundKind::kSelected)) {
        i.pull.cancel();
        i.shared.pull_dirty = true;
    }
    i.step();
}

void Engine::pause() {
    impl_->hold(impl_->shared.status.paused);
    ++impl_->shared.status.changes;
    impl_->step();
}

void Engine::resume() {
    impl_->let_go(impl_->shared.status.paused);
    ++impl_->shared.status.changes;
    impl_->step();
}

void Engine::stop() {
    Impl& i = *impl_;
    i.stopped = true;
    i.shared.live = false;
    i.rhythm.discard_all("syncing was stopped");
    if (i.rhythm.running()) i.finish(Error{Code::kSyncDiscarded, "syncing was stopped", {}});
    i.end_lanes();
    i.step();
}

// ---- what the platform says ----

void Engine::set_network(Network network) {
    Impl& i = *impl_;
    const Network before = std::exchange(i.shared.status.network, network);
    if (before == network) return;
    ++i.shared.status.changes;
    if (network == Network::kNone) {
        i.out_of_reach();
        i.end_lanes();
        if (i.rhythm.running()) i.finish(Error{Code::kOffline, "the device has no network", {}});
        return i.step();
    }
    // Connections of another network are dead, though nothing says so. That somebody names the network for the first time
    // kills nothing.
    if (before != Network::kUnknown) {
        if (i.last_problem && is_out_of_reach(i.last_problem->code)) i.last_problem.reset();
        i.end_lanes();
        i.go_on();
        i.rhythm.came_online();
    }
    i.step();
}

void Engine::network_available() {
    impl_->go_on();
    impl_->rhythm.came_online();
    impl_->step();
}

void Engine::set_in_front(bool in_front) {
    if (std::exchange(impl_->shared.backoff.in_front, in_front) == in_front || !in_front) return;
    // Somebody looks: what waits for long waits no longer.
    impl_->go_on();
    impl_->step();
}

void Engine::suspended() {
    impl_->hold(impl_->shared.status.suspended);
    impl_->step();
}

void Engine::resumed() {
    Impl& i = *impl_;
    i.clocks_apart = i.shared.clock.wall() - i.shared.clock.mono();
    if (!i.shared.status.suspended) return;
    i.let_go(i.shared.status.suspended);
    i.rhythm.resumed();
    i.step();
}

void Engine::look_at_clocks() {
    Impl& i = *impl_;
    const Micros apart = i.shared.clock.wall() - i.shared.clock.mono();
    const Micros moved = apart - std::exchange(i.clocks_apart, apart);
    if (moved < kSlept || i.held()) return;
    i.end_lanes();
    i.go_on();
    i.rhythm.came_online();
    i.rhythm.resumed();
    i.step();
}

// ---- what the host reports ----

void Engine::response_started(RequestId id, int status, std::string_view, Millis retry_after) {
    if (Lane* lane = impl_->lane_of(id); lane != nullptr) lane->started(status, retry_after);
}

void Engine::response_bytes(RequestId id, BytesView bytes, std::optional<std::size_t> transferred) {
    Lane* lane = impl_->lane_of(id);
    if (lane == nullptr) return;
    if (auto taken = lane->bytes(bytes, transferred.value_or(bytes.size())); !taken) impl_->give_up(*lane, std::move(taken.error()));
    impl_->step();
}

void Engine::response_ended(RequestId id) {
    Impl& i = *impl_;
    Lane* lane = i.lane_of(id);
    if (lane == nullptr) return;
    if (auto ended = lane->ended(); !ended) {
        i.fail_lane(*lane, std::move(ended.error()));
    } else if (lane == &i.push) {
        // What was sent settles by a pull; one that is open brings it by itself.
        i.shared.pull_dirty = i.shared.pull_dirty || i.pull.state() == State::kIdle;
    } else {
        i.model_asked = false;
        // A live pull that ends in order (the server stops gracefully) is asked for again.
        if (i.shared.live) i.shared.pull_dirty = true;
    }
    i.step();
}

void Engine::request_failed(RequestId id, Error error) {
    Lane* lane = impl_->lane_of(id);
    if (lane == nullptr) return;
    impl_->fail_lane(*lane, std::move(error));
    impl_->step();
}

void Engine::timer_fired() {
    Impl& i = *impl_;
    look_at_clocks();
    const Micros now = i.shared.clock.mono();
    i.end_silence();
    for (Lane* lane : i.lanes) {
        if (lane->state() != State::kWaiting || now < lane->retry_at()) continue;
        lane->stop_waiting();
        i.model_asked = false;
    }
    i.step();
}

std::vector<Action> Engine::take_actions() { return std::exchange(impl_->shared.actions, {}); }

const Status& Engine::status() const { return impl_->shared.status; }

void Engine::measure_pace() {
    Status& status = impl_->shared.status;
    status.pace = impl_->rhythm.running() && !impl_->held() ? impl_->pace.measure(impl_->sample(), status.rows_left + status.send_left) : Pace{};
}

std::vector<wire::Outcome> Engine::take_outcomes() { return impl_->pull.take_outcomes(); }

std::vector<RunEvent> Engine::take_events() { return impl_->rhythm.take_events(); }

bool Engine::take_finished(std::optional<Error>* problem) {
    if (!impl_->finished) return false;
    impl_->finished = false;
    if (problem != nullptr) *problem = impl_->finish_problem;
    return true;
}

}  // namespace skerry::engine
