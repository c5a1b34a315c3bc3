// How far every device surely is, and what it surely holds: the cursor that it last presented. Only a token that comes back proves that
// what it stands for was applied. Noted in memory and written now and then, many at once: what a crash forgets
// makes the floor lower, which is always safe.
#pragma once

#include <map>

#include "base/clock.hpp"
#include "server/storage/storage.hpp"

namespace skerry::server::scopes {

class Floor {
  public:
    void note(const storage::DeviceRow& device, Seq presented, std::uint64_t grants, Micros wall);
    // Writes what was noted, at most every few seconds; busy leaves it for the next time.
    Result<void> flush(storage::Backend& backend, Micros mono);

  private:
    struct Noted {
        Seq seq;
        std::uint64_t grants = 0;
        Micros heard{0};
    };
    std::map<DeviceId, Noted> noted_;
    Micros next_flush_{0};
};

}  // namespace skerry::server::scopes
