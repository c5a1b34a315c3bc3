#include <algorithm>
#include <utility>

#include "engine/engine_impl.hpp"

namespace skerry::engine {

void Engine::Impl::out_of_reach() {
    shared.status.reachable = false;
    if (!shared.status.offline_since) shared.status.offline_since = shared.clock.wall();
}

void Engine::Impl::arm_timer() {
    std::optional<Micros> next;
    const auto earliest = [&](Micros at) { next = next ? std::min(*next, at) : at; };
    for (const Lane* lane : lanes) {
        if (lane->state() == State::kWaiting) earliest(lane->retry_at());
        if (lane->state() == State::kReceiving) earliest(lane->silent_at());
    }
    if (shared.status.elsewhere) earliest(turn_at);
    if (!held() && !rhythm.running())
        if (const auto due = rhythm.due(shared.status.network)) earliest(*due);
    if (!next) return;
    const Micros wait_for = std::max(*next - shared.clock.mono(), Micros{0});
    shared.actions.push_back(SetTimer{std::chrono::ceil<Millis>(wait_for)});
}

PaceMeter::Sample Engine::Impl::sample() const {
    return {.at = shared.clock.mono(), .done = shared.round.rows_received + shared.round.sent,
            .bytes = shared.round.bytes_received + shared.round.bytes_sent};
}

void Engine::Impl::refresh_status() {
    Status& status = shared.status;
    const Phase phase = status.phase;
    const std::optional<Code> problem = status.problem ? std::optional(status.problem->code) : std::nullopt;
    const std::string running = std::exchange(status.running, rhythm.running() ? rhythm.running()->unit : "");
    const std::vector<std::string> waiting = std::exchange(status.waiting, rhythm.waiting());
    if (status.reachable) status.offline_since.reset();
    status.rows_received = shared.round.rows_received;
    status.sent = shared.round.sent;
    refresh_phase(status);
    if (phase != status.phase || problem != (status.problem ? std::optional(status.problem->code) : std::nullopt) ||
        running != status.running || waiting != status.waiting)
        ++status.changes;
}

void Engine::Impl::refresh_phase(Status& status) const {
    status.problem.reset();
    status.retry_at.reset();
    const auto troubled = [&](const Error& error) {
        status.problem = error;
        if (needs_attention(error.code)) status.phase = Phase::kAttention;
        else if (is_out_of_reach(error.code)) status.phase = Phase::kOffline;
        else status.phase = status.retry_at ? Phase::kWaiting : Phase::kIdle;
    };
    if (status.network == Network::kNone) return troubled(Error{Code::kOffline, "the device has no network", {}});
    if (status.elsewhere) {
        status.retry_at = turn_at;
        return troubled(Error{Code::kSyncElsewhere, "another program syncs this store", {}});
    }
    for (const Lane* lane : lanes) {
        if (lane->state() != State::kWaiting) continue;
        status.retry_at = lane->retry_at();
        troubled(*lane->problem());
    }
    if (status.retry_at) return;
    const bool pulling = pull.state() == State::kReceiving;
    const bool follows = shared.live && pulling && pull.caught_up();
    if (!held() && (rhythm.running() || push.state() == State::kReceiving || (pulling && !follows))) {
        status.phase = Phase::kSyncing;
        return;
    }
    if (follows) {
        status.phase = Phase::kLive;
        return;
    }
    status.phase = Phase::kIdle;
    if (!last_problem || last_problem->code == Code::kSyncDiscarded) return;
    if (!held()) status.retry_at = rhythm.due(status.network);
    troubled(*last_problem);
}

}  // namespace skerry::engine
