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

struct ApplyReport {
    bool continues = true;  // false: nothing was applied
    std::uint64_t rows = 0;
    std::vector<wire::Outcome> settled;
};

class Staging {
  public:
    explicit Staging(Store& store) : store_(store) {}

    Result<void> stage(wire::FrameType type, BytesView payload);
    void discard();
    // Consumes what is staged, whether it succeeds or not.
    Result<ApplyReport> apply();

  private:
    struct Held {
        wire::FrameType type;
        Bytes payload;
    };
    Result<void> spill();

    Store& store_;
    std::vector<Held> memory_;
    std::size_t memory_bytes_ = 0;
    bool spilled_ = false;
#ifdef SKERRY_PLANTED
    Bytes planted_token_;
#endif
};

}  // namespace skerry::store
