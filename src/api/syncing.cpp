// Units, their runs, and what the platform says, of the public Device.
#include <skerry/device.hpp>

#include <algorithm>

#include "api/device_impl.hpp"
#include "store/freshness.hpp"

namespace skerry {

namespace {

constexpr std::chrono::milliseconds kProgressEvery{200};

Error no_server() { return Error{Code::kInvalidArgument, "the store has no server: open it with a server URL and a token", {}}; }

engine::RoundKind to_engine(SyncKind kind) {
    switch (kind) {
        case SyncKind::kFull: return engine::RoundKind::kFull;
        case SyncKind::kPendingOnly: return engine::RoundKind::kPendingOnly;
        case SyncKind::kSelected: return engine::RoundKind::kSelected;
        case SyncKind::kCheck: return engine::RoundKind::kCheck;
    }
    return engine::RoundKind::kFull;
}

SyncReport to_report(const engine::RunEvent& event) {
    const engine::RoundReport& from = event.report;
    return {.run = event.run, .unit = event.unit, .rows_received = from.rows_received, .transactions_sent = from.sent,
            .transactions_settled = from.settled, .bytes_received = from.bytes_received, .bytes_sent = from.bytes_sent,
            .took = std::chrono::duration_cast<std::chrono::milliseconds>(from.took)};
}

// Where sync() waits for the end of its run.
class Waiting {
  public:
    Waiting(std::vector<std::pair<std::uint64_t, std::optional<Result<void>>>>& list, std::uint64_t run) : list_(list), run_(run) { list_.emplace_back(run, std::nullopt); }
    ~Waiting() { list_.erase(find()); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    std::optional<Result<void>> end() const { return find()->second; }

  private:
    std::vector<std::pair<std::uint64_t, std::optional<Result<void>>>>::iterator find() const {
        return std::ranges::find_if(list_, [&](const auto& one) { return one.first == run_; });
    }
    std::vector<std::pair<std::uint64_t, std::optional<Result<void>>>>& list_;
    std::uint64_t run_;
};

}  // namespace

Result<std::vector<EntityIx>> Device::Impl::entities_named(const std::vector<std::string>& names) {
    std::vector<EntityIx> found;
    for (const std::string& name : names) {
        SKERRY_ASSIGN(const EntityIx ix, store->entity_named(name));
        if (std::ranges::find(found, ix) == found.end()) found.push_back(ix);
    }
    return found;
}

void Device::Impl::tell_runs() {
    for (engine::RunEvent& event : session->take_events()) {
        const SyncCallbacks callbacks = on_sync;  // one of them may set others
        const int outer = std::exchange(chain, event.chain + 1);
        if (event.kind == engine::RunEvent::Kind::kStarted) {
            if (callbacks.started) callbacks.started(event.run, event.unit);
        } else {
            for (auto& [run, end] : waiting_for)
                if (run == event.run) end = event.error ? Result<void>(fail(Error(*event.error))) : Result<void>{};
            if (!event.error && callbacks.completed) callbacks.completed(to_report(event));
            if (event.error && callbacks.failed) callbacks.failed(to_report(event), *event.error);
        }
        chain = outer;
    }
}

Result<void> Device::define_unit(const SyncUnit& unit) {
    Impl& i = *impl_;
    if (!i.session) return fail(no_server());
    SKERRY_ASSIGN(auto entities, i.entities_named(unit.entities));
    return i.session->engine().define({.name = unit.name,
                                       .round = {.kind = to_engine(unit.kind), .entities = std::move(entities)},
                                       .on_start = unit.on_start,
                                       .on_online = unit.on_online,
                                       .on_resume = unit.on_resume,
                                       .after_write = unit.after_write,
                                       .every = unit.every,
                                       .unmetered_only = unit.unmetered_only});
}

Result<std::uint64_t> Device::trigger(std::string_view unit, SyncOptions options) {
    Impl& i = *impl_;
    if (!i.session) return fail(no_server());
    return i.session->engine().trigger(unit, {.discard_pending = options.discard_pending, .first = options.first, .chain = i.chain});
}

bool Device::cancel_sync(std::uint64_t run) { return impl_->session && impl_->session->engine().cancel(run); }

void Device::on_sync(SyncCallbacks callbacks) { impl_->on_sync = std::move(callbacks); }

Result<void> Device::Impl::may_sync() const {
    if (store->in_transaction()) return fail(Code::kInvalidArgument, "syncing inside a transaction");
    if (!session) return fail(no_server());
    return {};
}

Result<DeviceStatus> Device::run_unit(std::string_view unit, const std::function<void(const DeviceStatus&)>& progress) {
    Impl& i = *impl_;
    SKERRY_TRY(i.may_sync());
    SKERRY_ASSIGN(const std::uint64_t run, trigger(unit));
    const Waiting waiting(i.waiting_for, run);
    Micros next_report = i.clock.mono() + kProgressEvery;
    SKERRY_TRY(i.deliver());
    while (!waiting.end()) {
        i.session->notice_foreign_writes();
        i.turn(kProgressEvery);
        if (!progress || i.clock.mono() < next_report) continue;
        SKERRY_ASSIGN(const DeviceStatus now, status());
        progress(now);
        next_report = i.clock.mono() + kProgressEvery;
    }
    SKERRY_TRY(i.deliver());
    if (auto end = *waiting.end(); !end) return fail(std::move(end.error()), "syncing with " + i.server_url);
    return status();
}

Result<DeviceStatus> Device::sync(const std::function<void(const DeviceStatus&)>& progress) { return run_unit(engine::kUnitFull, progress); }

Result<CheckReport> Device::check(const std::function<void(const DeviceStatus&)>& progress) {
    SKERRY_TRY(run_unit(engine::kUnitCheck, progress));
    const store::CheckReport& found = impl_->session->check_report();
    CheckReport report{found.rows, found.different, found.left, {}};
    for (const auto& [entity, key] : found.examples) report.examples.push_back({impl_->store->model().entity(entity).name, key});
    return report;
}

Result<DeviceStatus> Device::repair(const std::function<void(const DeviceStatus&)>& progress) {
    SKERRY_TRY(impl_->may_sync());
    SKERRY_TRY(impl_->store->meta().set(store::key::kVerify, 1));
    return sync(progress);
}

void Device::set_live(bool live) {
    if (impl_->session) impl_->session->engine().set_live(live);
}

Result<void> Device::prefer(const std::vector<std::string>& entities) {
    SKERRY_ASSIGN(auto found, impl_->entities_named(entities));
    if (impl_->session) impl_->session->engine().prefer(std::move(found));
    return {};
}

void Device::pause() {
    if (impl_->session) impl_->session->engine().pause();
}

void Device::resume() {
    if (impl_->session) impl_->session->engine().resume();
}

void Device::set_network(Network network) {
    if (impl_->session) impl_->session->engine().set_network(static_cast<engine::Network>(network));
}

void Device::set_foreground(bool in_front) {
    if (impl_->session) impl_->session->engine().set_in_front(in_front);
}

void Device::suspended() {
    if (!impl_->session) return;
    impl_->session->engine().suspended();
    // What is open is closed now: the app may not get another turn.
    impl_->session->run_for(std::chrono::milliseconds(0));
}

void Device::resumed() {
    if (impl_->session) impl_->session->engine().resumed();
}

Result<Freshness> Device::freshness(const std::vector<std::string>& entities) {
    SKERRY_ASSIGN(const auto found, impl_->entities_named(entities));
    return store::freshness(*impl_->store, found);
}

Result<Freshness> Device::freshness_of_query(std::string_view query) {
    SKERRY_ASSIGN(const auto read, store::LiveQueries(*impl_->store).entities_of(std::string(query)));
    return store::freshness(*impl_->store, read);
}

}  // namespace skerry
