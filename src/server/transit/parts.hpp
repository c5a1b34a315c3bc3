// Transactions that arrive in parts, until they are whole. A device sends its numbers in order, so it has at most one here: the
// first part of another one replaces it.
#pragma once

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "server/transit/file.hpp"
#include "wire/messages.hpp"

namespace skerry::server::transit {

inline constexpr std::uint64_t kPartsBytesMax = 1u << 30;             // of all devices; beyond it the longest untouched go
inline constexpr Micros kPartsAgeMax = std::chrono::hours(24 * 30);   // a device that is away for longer begins anew
// Parts touched within this are not given up for others: whoever would need their place is told to come later.
inline constexpr Micros kPartsInUse = std::chrono::minutes(2);

class Parts {
  public:
    explicit Parts(File& file) : file_(file) {}

    // Takes what continues the part that is here, and gives how much of the transaction is here then. server_busy: no room.
    Result<std::uint64_t> put(const DeviceId& device, const wire::Part& part, Micros now);
    // The transaction that put() said is all here. Empty when it is not what the device said it would be: then it is
    // forgotten and has to come again.
    Result<std::optional<Bytes>> whole(const DeviceId& device, const wire::Part& part);
    Result<void> forget(const DeviceId& device);

  private:
    Result<void> make_room(sqlite::Database& db, const DeviceId& device, std::uint64_t bytes, Micros now);

    File& file_;
};

}  // namespace skerry::server::transit
