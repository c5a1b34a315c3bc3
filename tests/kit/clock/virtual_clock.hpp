// The clock of one simulated node: world time, and a wall clock that may be wrong and may jump.
#pragma once

#include "base/clock.hpp"

namespace skerry::kit {

// 2026-01-01T00:00:00Z: world time 0 on a wall clock that is right.
inline constexpr Micros kWorldBegins{1'767'225'600'000'000};

class VirtualClock final : public Clock {
  public:
    // `now` is the world's time (EventQueue::now_ref) and must outlive the clock.
    explicit VirtualClock(const Micros& now) : now_(now) {}
    Micros wall() const override { return kWorldBegins + now_ + skew_; }
    Micros mono() const override { return now_; }
    // Moves the wall clock, either way. mono() goes on.
    void jump(Micros by) { skew_ += by; }

  private:
    const Micros& now_;
    Micros skew_{0};
};

}  // namespace skerry::kit
