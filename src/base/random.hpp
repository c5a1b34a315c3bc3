// Randomness comes in through here: ids, marks, nonces, jitter. Production binds it to the operating
// system's generator (secrets depend on it), the simulator to a seed.
#pragma once

#include <cstdint>
#include <span>

#include "base/ids.hpp"

namespace skerry {

class Random {
  public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;

    std::uint64_t u64();
    // Uniform in [0, bound); bound > 0.
    std::uint64_t below(std::uint64_t bound);
    template <class Id>
    Id id() {
        Id id;
        fill(id.bytes);
        return id;
    }
};

// The operating system's generator.
class SystemRandom final : public Random {
  public:
    void fill(std::span<std::uint8_t> out) override;
};

// A small seeded generator (xoshiro256**, https://prng.di.unimi.it) for tests and simulation. Never for secrets.
class SeededRandom final : public Random {
  public:
    explicit SeededRandom(std::uint64_t seed);
    void fill(std::span<std::uint8_t> out) override;
    std::uint64_t next();

  private:
    std::uint64_t state_[4];
};

}  // namespace skerry
