// How fast a round goes, and how long it may take still: from the last seconds, so that it follows the line's changes.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/clock.hpp"

namespace skerry::engine {

struct Pace {
    double rows_per_second = 0;
    double bytes_per_second = 0;
    std::optional<double> fraction{};  // of the rows and transactions; unset: not known
    std::optional<Millis> time_left{};
};

class PaceMeter {
  public:
    struct Sample {
        Micros at{0};            // mono
        std::uint64_t done = 0;  // rows received and transactions sent
        std::uint64_t bytes = 0;
    };
    // After a pause too: the time in between does not count.
    void begin(const Sample& start);
    // `left` rows and transactions.
    Pace measure(const Sample& now, std::uint64_t left);

  private:
    std::deque<Sample> samples_;  // a quarter of a second apart, of the last ten seconds
};

}  // namespace skerry::engine
