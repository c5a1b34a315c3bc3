// Planted bugs: the negative controls of the simulator. In every build but the test flavour *_planted the
// functions below are constant false and leave nothing behind.
//
// The numbers are those of docs/reliability.md; a test names the bug by number, random worlds must catch it.
#pragma once

namespace skerry {

enum class Plant : int {
    kNone = 0,
    kCursorSavedBeforeApply = 1,     // the cursor moves in a transaction of its own, ahead of the rows
    kDeltaFromSeqInclusive = 2,      // delta asks seq > C + 1: a batch is skipped
    kDedupeForgotten = 3,            // the server no longer knows the numbers it has seen
    kRecomputeBeforeSettle = 4,      // an unsettled change is applied to a base that has it already
    kBatchSplitOverCheckpoints = 5,  // a checkpoint carries half of a batch
    kOutboxDeletedOnUnauthorized = 6,
    kStoreSynchronousNormal = 7,
    kCounterAppliedAsValue = 8,   // of two who count up, one is forgotten
    kUnionForgetsRemoval = 9,     // what one took out of a set that others changed too is still in it
    kRecordNotClosed = 10,        // a decision on a conflict record does not reach anybody else
    kFloorForgotten = 11,         // a device that slept longer than tombstones are kept goes on from its cursor
    kLeavesNotSent = 12,          // rows that move out of a scope stay on the devices that hold it
    kLeaveTakesTheRow = 13,       // a row that left one scope goes, whatever else it is in
};

#ifdef SKERRY_PLANTED
Plant planted_bug();
void plant_bug(Plant bug);
inline bool planted(Plant bug) { return planted_bug() == bug; }
#else
constexpr bool planted(Plant) { return false; }
#endif

}  // namespace skerry
