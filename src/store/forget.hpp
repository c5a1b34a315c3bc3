// What a device throws away, so that its file does not grow with time. Rows, unsettled operations and open drafts never are.
//
//   archive of settled transactions   the newest 1,000, and up to 10,000 that are younger than 30 days, 32 MB at most:
//                                     with them a server that was restored from a backup is healed
//   drafts that were mended           30 days
//   rows that left                    10,000 (left.hpp)
//
// Pages that become free are used again; the file itself keeps its largest size.
#pragma once

#include "store/store.hpp"

namespace skerry::store {

inline constexpr Micros kForgetEvery = std::chrono::hours(24);
inline constexpr Micros kArchiveAge = std::chrono::hours(24 * 30);
inline constexpr std::int64_t kArchiveAlways = 1'000;
inline constexpr std::int64_t kArchiveMax = 10'000;
inline constexpr std::int64_t kArchiveBytesMax = 32 << 20;
inline constexpr Micros kClosedDraftAge = std::chrono::hours(24 * 30);

// Does it if it was not done for a day, and not while settled transactions are sent again; a read of a line or two else.
Result<void> forget_old(Store& store);

}  // namespace skerry::store
