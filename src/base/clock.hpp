// Time comes in through here. wall() may jump; mono() never goes back. The simulator has its own.
#pragma once

#include <chrono>
#include <cstdint>

namespace skerry {

using Micros = std::chrono::microseconds;
using Millis = std::chrono::milliseconds;

class Clock {
  public:
    virtual ~Clock() = default;
    virtual Micros wall() const = 0;  // since 1970-01-01T00:00:00Z
    virtual Micros mono() const = 0;  // since some fixed moment of this process
};

// The operating system's clock.
class SystemClock final : public Clock {
  public:
    Micros wall() const override;
    Micros mono() const override;
};

}  // namespace skerry
