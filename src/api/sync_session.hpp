// Engine and native host over one store, for the public Device.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "engine/engine.hpp"
#include "host/store_link.hpp"

namespace skerry::api {

// Sleeps; for a device without a server whose run_for() has nothing else to do.
void wait_for(std::chrono::milliseconds time);

class SyncSession {
  public:
    static Result<std::unique_ptr<SyncSession>> open(store::Store& store, const std::string& server_url, const std::string& token,
                                                     const Clock& clock, Random& random);
    ~SyncSession();

    engine::Engine& engine();
    bool synced_elsewhere() const;  // another session has the turn
    const store::CheckReport& check_report() const;  // of the last comparison
    // Enrols and stops: for a new store, which cannot be used before it has its model.
    Result<void> fetch_model();
    void app_wrote();
    // Looks at the clocks, and at the file's version: what other programs committed is numbered and sent.
    void notice_foreign_writes();
    std::vector<engine::RunEvent> take_events();
    void run_for(std::chrono::milliseconds limit);

  private:
    struct Impl;
    explicit SyncSession(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace skerry::api
