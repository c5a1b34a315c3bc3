// What a Device is made of. For this room only.
#pragma once

#include <skerry/device.hpp>

#include "api/sync_session.hpp"
#include "store/drafts.hpp"
#include "store/live.hpp"
#include "store/records.hpp"

namespace skerry {

struct Device::Impl {
    SystemClock clock;
    SystemRandom random;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<api::SyncSession> session;  // null: local only
    std::unique_ptr<store::LiveQueries> live_queries;
    std::unique_ptr<store::Records> records;
    std::function<void(const Verdict&)> on_verdict;
    std::function<void(const Draft&)> on_draft;
    std::function<void(const ConflictRecord&)> on_conflict;
    std::function<void(const DeviceStatus&)> on_status;
    SyncCallbacks on_sync;
    std::string server_url;
    bool stop_asked = false;
    std::optional<Error> deliver_problem;       // of the last deliver(); unset: it succeeded
    int chain = 0;                              // of a sync that is asked for now; above 0 while a run's end is told
    std::vector<std::pair<std::uint64_t, std::optional<Result<void>>>> waiting_for;  // runs whose end a call waits for
    std::uint64_t seen_changes = 0;             // of the engine's status: kept in the file so far
    std::uint64_t told_changes = 0;             // told so far
    std::optional<std::uint64_t> told_status;   // the fingerprint of what on_status was told last
    Micros look_at{0};

    Result<void> connect(const DeviceOptions& options);
    Result<void> need_model();
    // Errors: invalid_argument (no server, a transaction is open).
    Result<void> may_sync() const;
    // What every turn of network work ends with: verdicts, drafts, conflicts and live queries.
    Result<void> deliver();
    void tell_runs();
    Result<void> tell_status();
    Result<void> keep_offline_since();
    Result<DeviceStatus> status();
    Result<void> stored_status(DeviceStatus& status);
    void engine_status(DeviceStatus& status);
    Result<std::vector<EntityIx>> entities_named(const std::vector<std::string>& names);
    void turn(std::chrono::milliseconds limit);
    void wrote();
};

}  // namespace skerry
