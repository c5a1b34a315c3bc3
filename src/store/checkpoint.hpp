// Checkpoints: frames are staged as they arrive, then applied in one transaction with the cursor.
//
//   begin | outcomes | lines | rows | leaves | lost scopes | slice | complete | checkpoint
//
// Order inside the transaction: number what is open (no pre-image may be left) · settle outcomes · rows become
// bases where operations are unsettled, else the table's · leaves and sweeps · recompute what changed below or
// above · cursor. Settling comes before recomputing, so that nothing counts twice. A checkpoint that does not
// continue the store's cursor is dropped whole.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "base/result.hpp"
#include "store/tables.hpp"
#include "wire/messages.hpp"

namespace skerry::store {

class Store;

// Frames beyond this go from memory to skerry_stage: a month's delta does not fit a phone's memory.
inline constexpr std::size_t kStageMemoryMax = 8u << 20;

// Rows that were visible and are not any more, by reason (wire::Left).
struct LeftCounts {
    std::uint64_t deleted = 0;
    std::uint64_t moved = 0;
    std::uint64_t lost = 0;
    std::uint64_t outside = 0;
    void add(wire::Left why, std::uint64_t n);
};

struct ApplyReport {
    bool continues = true;  // false: nothing was applied
    std::uint64_t rows = 0;
    LeftCounts left;
    std::vector<wire::Outcome> settled;
};

class Staging {
  public:
    explicit Staging(Store& store) : store_(store) {}

    // The checkpoint that the server keeps and that was not finished, and how much of it is here; none if it does not continue
    // the store's cursor (any more).
    Result<std::optional<wire::Spooled>> resume();
    // The frames that follow are of that checkpoint, or, at offset 0, of a new one: they survive a torn line and a restart.
    Result<void> stage_spooled(const wire::Spooled& spooled);
    Result<void> stage(wire::FrameType type, BytesView payload);
    // No more of them come. Those of a checkpoint that the server keeps are saved, all others given up.
    void discard();
    // Consumes what is staged, whether it succeeds or not.
    Result<ApplyReport> apply();

  private:
    struct Held {
        wire::FrameType type;
        Bytes payload;
    };
    Result<ApplyReport> apply_staged();
    Result<void> spill();
    Result<void> claim();
    Result<void> purge();
    Result<bool> is_ours();
    void forget_memory();

    Store& store_;
    std::vector<Held> memory_;
    std::size_t memory_bytes_ = 0;
    bool spilled_ = false;  // skerry_stage is ours
    bool spooled_ = false;  // the server keeps the checkpoint
    Bytes mark_;            // kStaged while it is ours
#ifdef SKERRY_PLANTED
    Bytes planted_token_;
#endif
};

}  // namespace skerry::store
