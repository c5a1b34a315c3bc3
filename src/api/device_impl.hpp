// What a Device is made of. For device.cpp and activity.cpp only.
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
    std::string server_url;
    bool stop_asked = false;
    std::optional<Error> live_problem;

    Result<void> connect(const DeviceOptions& options);
    Result<void> need_model();
    // What every turn of network work ends with: verdicts, drafts, conflicts and live queries.
    Result<void> deliver();
    void turn(std::chrono::milliseconds limit);
    void wrote();
};

}  // namespace skerry
