#include "base/clock.hpp"

namespace skerry {

Micros SystemClock::wall() const {
    return std::chrono::duration_cast<Micros>(std::chrono::system_clock::now().time_since_epoch());
}

Micros SystemClock::mono() const {
    return std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace skerry
