// Every limit of the outflow, with its reason.
#pragma once

#include "base/clock.hpp"
#include "wire/messages.hpp"

namespace skerry::server::outflow {

// One frame of rows or leaves: small enough to stage and to hold in memory, large enough that its head costs nothing.
inline constexpr std::size_t kFramePayloadTarget = 256u << 10;
// One call of Body::next(): what a socket takes at once.
inline constexpr std::size_t kChunkTarget = 64u << 10;
// A slice is lost as a whole when the line breaks: a minute on the slowest network, no more.
inline constexpr std::size_t kSlicePayloadTarget = 1u << 20;
inline constexpr std::uint32_t kSliceRowsDefault = 2'000;  // until the device has measured what it can apply
// A delta beyond this is a long apply already: it comes without a slice, which follows in the next checkpoint.
inline constexpr std::uint64_t kDeltaSmall = wire::kSliceRowsMax;
// One kOutcomes frame.
inline constexpr std::size_t kOutcomesPerFrame = 500;
// Half of what a device waits before it takes a silent line for dead, less a margin.
inline constexpr Millis kHeartbeat{5'000};
// Foreign commits that arrive between sequencing and snapshot, again and again: then the device comes back later.
inline constexpr int kSnapshotAttempts = 50;

}  // namespace skerry::server::outflow
