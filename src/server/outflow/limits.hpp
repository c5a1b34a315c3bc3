// Every limit of the outflow, with its reason.
#pragma once

#include "base/clock.hpp"
#include "wire/messages.hpp"

namespace skerry::server::outflow {

// One frame of rows or leaves: a transfer that is gone on with begins at a frame, so it is what a tear costs at most.
inline constexpr std::size_t kFramePayloadTarget = 16u << 10;
// One call of Body::next(): what a socket takes at once.
inline constexpr std::size_t kChunkTarget = 64u << 10;
// A slice is lost as a whole when the line breaks: a minute on the slowest network, no more. Larger ones would not be faster either: what
// is at hand on server and device while one is made and applied stays in the processor's cache.
inline constexpr std::size_t kSlicePayloadTarget = 1u << 20;
// While slices are small because the line breaks, their rows are taken for this many bytes each: it is bytes that get through.
inline constexpr std::size_t kCarefulRowBytes = 256;
inline constexpr std::uint32_t kSliceRowsDefault = 2'000;  // until the device has measured what it can apply
// A delta beyond this is a long apply already: it comes without a slice, which follows in the next checkpoint.
inline constexpr std::uint64_t kDeltaSmall = wire::kSliceRowsMax;
// One kOutcomes frame.
inline constexpr std::size_t kOutcomesPerFrame = 500;
// Half of what a device waits before it takes a silent line for dead, less a margin.
inline constexpr Millis kHeartbeat{3'000};
// What the principal has is not read again for so long, if nothing at all was written: his queries may ask for the time.
inline constexpr Micros kGrantsFor = std::chrono::seconds(1);
// A delta up to this is kept for others that go on from the same place; a larger one goes through a file anyway.
inline constexpr std::size_t kSharedDeltaMax = 32u << 10;
// What all checkpoints of one state may have in common: so much is kept, then it begins anew.
inline constexpr std::size_t kSharedBytesMax = 4u << 20;
inline constexpr std::size_t kSharedCursorsMax = 1'000;
inline constexpr std::size_t kSharedGrantsMax = 1'000;
// Foreign commits that arrive between sequencing and snapshot, again and again: then the device comes back later.
inline constexpr int kSnapshotAttempts = 50;

// A check: rows of one question to the database, and about what is read before others are served (some 10 ms).
inline constexpr std::size_t kCheckRowsAtOnce = 500;
inline constexpr std::size_t kCheckRowsPerStep = 2'000;

}  // namespace skerry::server::outflow
