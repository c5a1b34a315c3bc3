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
    kAckBeforeDurable = 14,       // the server answers a push before its commit is on the disk
    kLostScopeKept = 15,          // a device goes on from the rights that it had, though it has lost some
    kCloneNotDetected = 16,       // two copies of a device use one number for two transactions
    kRealShortened = 17,          // reals travel with 15 digits
    kCutAtNul = 18,               // bytes travel up to the first zero
    kRetriesEnd = 19,             // after five failures a channel never tries again
    kOutcomeForgotten = 20,       // the server forgets results that the device has not been told
    kEpochIgnored = 21,           // a cursor from before the server was restored goes on
    kUnnamedNulled = 22,          // what an update does not name becomes NULL
};

#ifdef SKERRY_PLANTED
Plant planted_bug();
void plant_bug(Plant bug);
inline bool planted(Plant bug) { return planted_bug() == bug; }
#else
constexpr bool planted(Plant) { return false; }
#endif

}  // namespace skerry
