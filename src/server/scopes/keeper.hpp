// Forgets what nobody needs any more: in small steps, between requests, so that nobody waits for it.
//
//   every hour:   kOld ──> kPlan ──> kTombstones ──> kScopes ──> kRest ──> until the next
//
// A tombstone goes when every device that holds its scope has passed it, or when the retention is over; who comes later
// finds its cursor below the scope's floor and reads anew, keeping its rows meanwhile. A plan that has become old is no
// danger: the floor decides what a device is told, whatever was thought of it. A scope goes when it is empty and no device is known to
// hold it; one that holds it all the same loses it, and nothing with it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.hpp"
#include "server/scopes/sequencer.hpp"
#include "server/storage/storage.hpp"

namespace skerry::server::scopes {

inline constexpr Micros kKeeperEvery = std::chrono::hours(1);
inline constexpr std::size_t kKeeperStep = 500;  // lines of each kind in one database transaction
// Sets of grants are read so many scopes at a time.
inline constexpr std::size_t kPlanStep = 50'000;
// What is younger stays although no device is known to need it: a device may be on its way that has been told of a scope, or given a
// set of grants, and has not come back with the cursor that says so.
inline constexpr Micros kInFlight = std::chrono::hours(24 * 7);

class Keeper {
  public:
    explicit Keeper(Micros retention) : retention_(retention) {}
    // Does one step if one is due. busy when another process writes: the step is tried again at the next tick.
    Result<void> tick(storage::Backend& backend, Sequencer& sequencer, const Clock& clock);

  private:
    enum class Stage { kOld, kPlan, kTombstones, kScopes, kRest };
    Result<bool> old(storage::Backend& backend, Sequencer& sequencer, Micros wall);
    Result<bool> plan(storage::Backend& backend, Micros wall);
    Result<bool> tombstones(storage::Backend& backend);
    Result<bool> scopes(storage::Backend& backend);
    Result<bool> rest(storage::Backend& backend, Micros wall);
    Seq needless(wire::ScopeId scope) const;

    Micros retention_;
    std::optional<Micros> due_;  // on the monotonic clock; at first at once
    Stage stage_ = Stage::kOld;

    // The plan of this round.
    bool planned_ = false;
    Seq old_;       // the last batch that is older than the retention
    Seq settled_;   // the last batch that nothing in flight can be older than
    std::vector<storage::Holding> holdings_;  // not in needed_ yet
    std::map<wire::ScopeId, Seq> passed_;     // what every device that holds the scope has
    std::vector<std::uint64_t> young_;        // sets that a device may be on its way with; not in given_ yet
    std::set<wire::ScopeId> given_;           // by them
    storage::TombstoneAt at_;
    wire::ScopeId at_scope_;
};

}  // namespace skerry::server::scopes
