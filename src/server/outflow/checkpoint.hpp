// One checkpoint: everything in it is read from one snapshot, in which nothing waits to be sequenced.
//
//          the token's C                              R, the last batch in the snapshot
//   log  ──────┼──────────────── delta ──────────────────┼───>      kRows, kLeaves, kOutcomes
//   keys  |---- sent before ----|---- slice ----|-- later checkpoints --|      of one download
//
//   held      scopes that the token stands for           lost = held - granted: kLostScope, kLines of what stays
//   granted   the principal's, in the snapshot           new = granted - held:  announced, downloaded by slices
//
// The log of a scope that is being downloaded is followed from the start, whatever the position of the download: so every
// row that the device has is as of R. A checkpoint is never continued in another snapshot. The snapshot is open from
// plan() to the destruction. plan.cpp decides what is in it, checkpoint.cpp writes it.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "server/access/principal.hpp"
#include "server/outflow/delta.hpp"
#include "server/outflow/kept_lines.hpp"
#include "server/outflow/live_streams.hpp"
#include "server/outflow/shared.hpp"
#include "server/outflow/slice.hpp"
#include "server/scopes/floor.hpp"
#include "server/scopes/grants.hpp"
#include "server/scopes/sequencer.hpp"
#include "server/scopes/token.hpp"
#include "server/tally/tally.hpp"
#include "server/transit/spool.hpp"

namespace skerry::server::outflow {

class Spooler;

struct OutflowContext {
    storage::Backend& backend;
    scopes::Sequencer& sequencer;
    const scopes::Sealer& sealer;
    scopes::Floor& floor;
    const Clock& clock;
    Log& log;
    Tally& tally;
    Spooler& spooler;
    bool stopping = false;  // the server is about to end: whoever waits for changes is told that this was all
    std::shared_ptr<LiveStreams> live = std::make_shared<LiveStreams>();
    mutable Shared shared{};  // what was read and encoded once need not be again
};

// What a checkpoint continues.
struct From {
    Bytes token;             // the device's: that of the last checkpoint it was sent
    Bytes cursor;            // where to go on: the token, or a later one whose checkpoint had nothing in it and was not sent
    bool presented = true;   // by the device; false: sent with the last checkpoint of this answer
    bool verify = false;     // the device asked to re-read everything
    std::optional<Seq> target{};  // what was sequenced when the pull began; empty = now
};

class Checkpoint {
  public:
    // Reads what decides the checkpoint; appends nothing yet. `authorization` is checked and the grants are computed
    // anew in the snapshot: no checkpoint is sent on an older right (pitfall 37). Errors: unauthorized, not_enrolled,
    // profile_unknown, principal_failed, too_many_scopes, server_busy, io, ….
    static Result<std::unique_ptr<Checkpoint>> plan(const OutflowContext& context, const std::string& authorization,
                                                    const wire::Pull& request, const From& from);

    // Appends the next frame, or a few. False after kCheckpoint was appended.
    Result<bool> next(Bytes& out);

    const Bytes& token() const { return token_; }   // what the device holds once it applied this
    const std::string& profile() const { return begin_.profile; }
    // Whose this is: nobody else is given the rest of it, and he only while his grants are these.
    transit::SpoolOwner owner() const { return {holder_.device, holder_.user, grants_->hash, begin_.from}; }
    Seq to() const { return to_.seq; }
    // Another checkpoint follows at once.
    bool more() const { return downloads_wanted_ > 0 || !repair_.empty() || split_; }
    // It says nothing that the device does not know.
    bool empty() const { return empty_; }
    // Of the request's, those that are still to be read.
    const std::vector<wire::KeyRange>& repair_left() const { return repair_; }

  private:
    enum class Part { kBegin, kOutcomes, kLines, kDelta, kLost, kSlices, kCheckpoint, kDone };
    using ByEntity = std::map<EntityIx, std::vector<wire::ScopeId>>;

    explicit Checkpoint(const OutflowContext& context) : c_(context) {}
    Result<void> open_view();
    Result<void> open(const std::string& authorization, const wire::Pull& request, const From& from);
    Result<std::optional<std::vector<wire::ScopeId>>> held_by(const scopes::Cursor& cursor);
    Result<bool> reaches(const scopes::Cursor& cursor, const std::vector<wire::ScopeId>& held);
    Result<void> start_all(const wire::Pull& request);
    Result<void> exchange_grants(const scopes::Cursor& cursor, const std::vector<wire::ScopeId>& held);
    Result<void> leave_what_was_lost(const ByEntity& added);
    Result<void> start_downloads(const ByEntity& scopes);
    Result<void> plan_outcomes_of_all(const wire::Pull& request);
    Result<void> plan_delta(const scopes::Cursor& cursor);
    Result<void> find_delta(Seq after);
    Result<void> share_delta(const scopes::Cursor& cursor, Seq after);
    Result<void> plan_slices(const wire::Pull& request);
    Result<void> plan_repair(SliceSize size);
    Result<void> plan_download(SliceSize size);
    ByEntity downloading() const;
    void write_outcomes(Bytes& out);

    const OutflowContext& c_;
    std::unique_ptr<storage::Snapshot> view_;
    storage::DeviceRow device_;
    storage::Mark to_;
    std::shared_ptr<const scopes::Grants> grants_;
    std::optional<scopes::Cursor> presented_;
    Bytes token_;
    scopes::Holder holder_;

    // The plan.
    wire::Begin begin_;
    scopes::Cursor cursor_;              // as it will be
    ByEntity granted_;
    ByEntity changed_;                   // of granted_, those with something in the delta
    ByEntity kept_;                      // of granted_, those that may have leaves: the device may hold rows of them
    std::vector<wire::ScopeId> lost_;
    std::vector<wire::Outcome> outcomes_;
    std::optional<KeptLines> lines_;
    std::unique_ptr<Delta> delta_;       // after view_: its cursors must go first
    Bytes delta_begun_;                  // frames that come before what delta_ still gives
    std::uint64_t delta_rows_ = 0;
    std::vector<wire::Slice> slices_;
    std::vector<wire::ScopeId> completed_;
    std::size_t downloads_wanted_ = 0;   // of those that are left, from the front
    std::vector<wire::KeyRange> repair_;
    bool empty_ = false;
    bool split_ = false;                 // only ever with Plant::kBatchSplitOverCheckpoints

    // The writing.
    Part part_ = Part::kBegin;
    std::size_t outcomes_sent_ = 0;
    std::size_t slices_sent_ = 0;
};

}  // namespace skerry::server::outflow
