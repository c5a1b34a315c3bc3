// How a device stands: what the store and the engine say, in one answer.
#include <skerry/device.hpp>

#include "api/device_impl.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "store/freshness.hpp"

namespace skerry {

namespace {

constexpr std::chrono::milliseconds kLookEvery{250};  // at least four times a second, as progress is told

std::string_view phase_name(engine::Phase phase) {
    switch (phase) {
        case engine::Phase::kIdle: return "idle";
        case engine::Phase::kSyncing: return "syncing";
        case engine::Phase::kLive: return "live";
        case engine::Phase::kWaiting: return "waiting";
        case engine::Phase::kOffline: return "offline";
        case engine::Phase::kAttention: return "attention";
    }
    return "?";
}

// What a change of is told; counters of progress are not among it.
std::uint64_t fingerprint(const DeviceStatus& status) {
    Bytes bytes;
    Writer out(bytes);
    const auto texts = [&](const std::vector<std::string>& list) {
        out.u64(list.size());
        for (const std::string& one : list) out.bytes(one);
    };
    out.bytes(status.phase);
    out.bytes(status.user);
    out.u8(status.reachable ? 1 : 0);
    out.u8(static_cast<std::uint8_t>(status.network));
    out.u8(status.paused ? 1 : 0);
    out.u64(status.offline_since_us ? static_cast<std::uint64_t>(*status.offline_since_us) : 0);
    out.bytes(status.running);
    texts(status.queued);
    texts(status.incomplete);
    for (const std::uint64_t n : {status.waiting_to_send, status.waiting_to_settle, status.drafts, status.conflicts, status.quarantined, status.mended_rows, std::uint64_t{status.synced_elsewhere}}) out.u64(n);
    if (status.problem) {
        out.bytes(code_name(status.problem->code));
        out.bytes(status.problem->message);
    }
    return hash64(bytes);
}

}  // namespace

std::string_view network_name(Network network) {
    switch (network) {
        case Network::kUnknown: return "unknown";
        case Network::kNone: return "none";
        case Network::kWifi: return "wifi";
        case Network::kCellular: return "cellular";
        case Network::kMetered: return "metered";
    }
    return "?";
}

Result<void> Device::Impl::stored_status(DeviceStatus& status) {
    store::Meta& meta = store->meta();
    SKERRY_TRY(store->number_open());
    SKERRY_ASSIGN(const DeviceId device, meta.device());
    status.device_id = hex(device.view());
    SKERRY_ASSIGN(const auto user, meta.bytes(store::key::kUser));
    status.user = user.value_or("");
    status.server_url = server_url;
    SKERRY_ASSIGN(const auto counts, store::Journal(*store).counts());
    status.waiting_to_send = counts.unsent;
    status.waiting_to_settle = counts.unsettled;
    const auto count = [&](std::string_view query, std::uint64_t& into) -> Result<void> {
        SKERRY_ASSIGN(const std::int64_t n, store->db().integer(std::string(query)));
        into = static_cast<std::uint64_t>(n);
        return {};
    };
    SKERRY_TRY(count("SELECT count(*) FROM skerry_draft WHERE state = 1", status.drafts));
    if (store->has_model()) SKERRY_TRY(count("SELECT count(*) FROM skerry_conflict WHERE state = 'open'", status.conflicts));
    SKERRY_TRY(count("SELECT count(*) FROM skerry_quarantine", status.quarantined));
    SKERRY_ASSIGN(status.synced_at_us, meta.integer(store::key::kSyncedAt));
    SKERRY_ASSIGN(status.fresh_as_of_us, meta.integer(store::key::kFreshAt));
    SKERRY_ASSIGN(status.checked_at_us, meta.integer(store::key::kCheckedAt));
    SKERRY_ASSIGN(const auto mended, meta.integer(store::key::kMended));
    status.mended_rows = static_cast<std::uint64_t>(mended.value_or(0));
    SKERRY_ASSIGN(status.mended_at_us, meta.integer(store::key::kMendedAt));
    SKERRY_ASSIGN(status.offline_since_us, meta.integer(store::key::kOfflineSince));
    SKERRY_ASSIGN(const auto incomplete, store::incomplete(*store));
    for (const EntityIx ix : incomplete) status.incomplete.push_back(store->model().entity(ix).name);
    return {};
}

void Device::Impl::engine_status(DeviceStatus& status) {
    session->engine().measure_pace();
    const engine::Status& sync = session->engine().status();
    status.phase = phase_name(sync.phase);
    // Before this process has tried, the last attempt of an earlier one tells.
    if (sync.phase == engine::Phase::kIdle && sync.bytes_sent == 0 && status.offline_since_us) status.phase = "offline";
    status.reachable = sync.reachable;
    status.network = static_cast<Network>(sync.network);
    status.synced_elsewhere = sync.elsewhere || session->synced_elsewhere();
    status.paused = sync.paused || sync.suspended;
    if (sync.offline_since) status.offline_since_us = sync.offline_since->count();
    if (sync.retry_at) status.retry_in = std::max(std::chrono::ceil<Millis>(*sync.retry_at - clock.mono()), Millis{0});
    status.running = sync.running;
    status.queued = sync.waiting;
    if (sync.problem) status.problem = sync.problem;
    status.rows_received = sync.rows_received;
    status.rows_left = sync.rows_left;
    status.rows_compared = sync.rows_compared;
    status.transactions_sent = sync.sent;
    status.fraction = sync.pace.fraction;
    status.rows_per_second = sync.pace.rows_per_second;
    status.bytes_per_second = sync.pace.bytes_per_second;
    status.time_left = sync.pace.time_left;
    status.bytes_received = sync.bytes_received;
    status.bytes_sent = sync.bytes_sent;
}

Result<DeviceStatus> Device::Impl::status() {
    DeviceStatus status;
    SKERRY_TRY(stored_status(status));
    status.phase = "idle";
    status.problem = deliver_problem;
    if (const Error* failing = live_queries->problem(); failing != nullptr && !status.problem) status.problem = *failing;
    if (session) engine_status(status);
    return status;
}

Result<DeviceStatus> Device::status() { return impl_->status(); }

void Device::on_status(std::function<void(const DeviceStatus&)> callback) {
    impl_->on_status = std::move(callback);
    impl_->told_status.reset();
}

// Since when the server is out of reach is kept in the file: the next process knows it too.
Result<void> Device::Impl::keep_offline_since() {
    const engine::Status& sync = session->engine().status();
    if (sync.changes == seen_changes) return {};
    const bool attempted = sync.reachable || sync.offline_since;
    if (attempted) {
        SKERRY_ASSIGN(const auto kept, store->meta().integer(store::key::kOfflineSince));
        if (sync.reachable && kept) SKERRY_TRY(store->meta().erase(store::key::kOfflineSince));
        if (!sync.reachable && !kept) SKERRY_TRY(store->meta().set(store::key::kOfflineSince, sync.offline_since->count()));
    }
    seen_changes = sync.changes;
    return {};
}

Result<void> Device::Impl::tell_status() {
    if (!on_status) return {};
    const std::uint64_t changes = session ? session->engine().status().changes : 0;
    const Micros now = clock.mono();
    if (told_status && changes == told_changes && now < look_at) return {};
    told_changes = changes;
    look_at = now + kLookEvery;
    SKERRY_ASSIGN(const DeviceStatus now_is, status());
    const std::uint64_t print = fingerprint(now_is);
    if (told_status == print && now_is.phase != "syncing") return {};
    told_status = print;
    const auto callback = on_status;  // it may set another
    callback(now_is);
    return {};
}

}  // namespace skerry
