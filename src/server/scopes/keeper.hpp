// Forgets what is older than the retention: in small steps, between requests, so that nobody waits for it.
#pragma once

#include <optional>

#include "base/clock.hpp"
#include "server/scopes/sequencer.hpp"
#include "server/storage/storage.hpp"

namespace skerry::server::scopes {

inline constexpr Micros kKeeperEvery = std::chrono::hours(1);
inline constexpr std::size_t kKeeperStep = 500;  // lines of each kind in one database transaction

class Keeper {
  public:
    explicit Keeper(Micros retention) : retention_(retention) {}
    // Does one step if one is due. busy when another process writes: the step is tried again at the next tick.
    Result<void> tick(storage::Backend& backend, Sequencer& sequencer, const Clock& clock);

  private:
    Micros retention_;
    std::optional<Micros> due_;  // on the monotonic clock; at first at once
};

}  // namespace skerry::server::scopes
