// Answers that are kept, encoded, until their reader has them: a delta cannot be cut into several checkpoints, and one that is
// slow to transfer would never get through a line that breaks, nor may it hold a snapshot of the database for an hour.
//
// A spool belongs to one device, user, set of grants and cursor; it is forgotten with its process, when its device gets another
// one, and when it was not touched for long. Bytes are appended to its end and never change.
#pragma once

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/random.hpp"
#include "server/transit/file.hpp"

namespace skerry::server::transit {

inline constexpr std::uint64_t kSpoolBytesMax = 4ull << 30;      // of all; beyond it the longest untouched go, never the newest
inline constexpr Micros kSpoolAgeMax = std::chrono::hours(24 * 3);  // since it was last read

struct SpoolOwner {
    DeviceId device;
    std::string user;
    std::uint64_t grants = 0;     // what it was made for
    std::uint64_t continues = 0;  // hash64 of the token that its checkpoint continues
    friend bool operator==(const SpoolOwner&, const SpoolOwner&) = default;
};

struct SpoolState {
    SpoolOwner owner;
    std::uint64_t bytes = 0;  // so far
    bool whole = false;
};

class Spool {
  public:
    Spool(File& file, Random& random) : file_(file), random_(random) {}

    // A new, empty one in place of the device's last; gives its id.
    Result<Bytes> begin(const SpoolOwner& owner, Micros now);
    // not_found when it was forgotten meanwhile, here and below.
    Result<void> append(BytesView id, BytesView bytes, bool whole);
    Result<std::optional<SpoolState>> find(BytesView id);
    // Appends to `out` what follows `offset`, at least a byte if there is one, about `most` at most.
    Result<void> read(BytesView id, std::uint64_t offset, std::size_t most, Bytes& out, Micros now);
    Result<void> forget(BytesView id);

  private:
    Result<void> make_room(sqlite::Database& db, Micros now);

    File& file_;
    Random& random_;
};

}  // namespace skerry::server::transit
