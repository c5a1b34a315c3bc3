// One checkpoint: everything in it is read from one snapshot, in which nothing waits to be sequenced.
//
//          the token's C                              R, the last batch in the snapshot
//   log  ──────┼──────────────── delta ──────────────────┼───>      kRows, kLeaves, kOutcomes
//   keys  |---- sent before ----|---- slice ----|-- later checkpoints --|      of one download
//
// The log of an entity that is being downloaded is followed from the start, whatever the position of the
// download: so every row that the device has is as of R. A checkpoint is never continued in
// another snapshot. The snapshot is open from plan() to the destruction.
#pragma once

#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "server/access/principal.hpp"
#include "server/outflow/delta.hpp"
#include "server/outflow/slice.hpp"
#include "server/scopes/floor.hpp"
#include "server/scopes/grants.hpp"
#include "server/scopes/sequencer.hpp"
#include "server/scopes/token.hpp"
#include "server/tally/tally.hpp"

namespace skerry::server::outflow {

struct OutflowContext {
    storage::Backend& backend;
    scopes::Sequencer& sequencer;
    const scopes::Sealer& sealer;
    scopes::Floor& floor;
    const Clock& clock;
    Log& log;
    Tally& tally;
    bool stopping = false;  // the server is about to end: whoever waits for changes is told that this was all
};

// What a checkpoint continues.
struct From {
    Bytes token;
    bool presented = true;      // by the device; false: sent with the last checkpoint of this answer
    bool verify = false;        // the device asked to re-read everything
    std::optional<Seq> target;  // what was sequenced when the pull began; empty = now
};

class Checkpoint {
  public:
    // Reads what decides the checkpoint; appends nothing yet. `authorization` is checked anew in the snapshot: no
    // checkpoint is sent on an older right (pitfall 37). Errors: unauthorized, not_enrolled, server_busy, io, ….
    static Result<std::unique_ptr<Checkpoint>> plan(const OutflowContext& context, const std::string& authorization,
                                                    const wire::Pull& request, const From& from);

    // Appends the next frame. False after kCheckpoint was appended.
    Result<bool> next(Bytes& out);

    const Bytes& token() const { return token_; }   // what the device holds once it applied this
    Seq to() const { return to_.seq; }
    bool more() const { return !cursor_.downloads.empty() || split_; }  // another checkpoint follows at once

  private:
    enum class Part { kBegin, kOutcomes, kDelta, kSlice, kCheckpoint, kDone };

    explicit Checkpoint(const OutflowContext& context) : c_(context) {}
    Result<void> open_view();
    Result<bool> usable(const scopes::Cursor& cursor, const scopes::Grants& grants);
    Result<void> start_downloads(const scopes::Grants& grants);
    Result<void> plan_outcomes_of_all(const wire::Pull& request);
    Result<void> plan_delta(Seq after);
    Result<void> plan_slice(std::uint32_t rows);

    const OutflowContext& c_;
    std::unique_ptr<storage::Snapshot> view_;
    storage::DeviceRow device_;
    storage::Mark to_;
    scopes::Cursor cursor_;  // as it will be
    Bytes token_;
    wire::Begin begin_;
    std::vector<wire::Outcome> outcomes_;
    std::size_t outcomes_sent_ = 0;
    std::unique_ptr<Delta> delta_;  // after view_: its cursors must go first
    std::uint64_t delta_rows_ = 0;
    std::optional<NextSlice> slice_;
    std::optional<wire::ScopeId> completed_;
    Part part_ = Part::kBegin;
    bool split_ = false;  // only ever with Plant::kBatchSplitOverCheckpoints
};

}  // namespace skerry::server::outflow
