// The world's time and what happens in it. An event is (time, ordinal, closure); ordinals make the order of
// equal times the order of posting, so a run is the same every time. Nothing here sleeps.
//
// Thread rule: none; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "base/clock.hpp"

namespace skerry::kit {

struct EventId {
    Micros time{0};
    std::uint64_t ordinal = 0;  // 0 = none
    friend auto operator<=>(const EventId&, const EventId&) = default;
};

class EventQueue {
  public:
    Micros now() const { return now_; }
    const Micros& now_ref() const { return now_; }

    EventId after(Micros delay, std::function<void()> what);
    void cancel(EventId id);
    // Time in which nothing happened: what was due meanwhile is late, and comes next.
    void leap(Micros by) { now_ += by; }
    // Takes the next event and runs it. False: there is none, or it lies beyond `until` (then now = until).
    bool step(Micros until);
    std::uint64_t count() const { return count_; }  // events run so far
    std::size_t waiting() const { return events_.size(); }

  private:
    Micros now_{0};
    std::uint64_t next_ordinal_ = 1;
    std::uint64_t count_ = 0;
    std::map<EventId, std::function<void()>> events_;
};

}  // namespace skerry::kit
