#include "kit/events/event_queue.hpp"

namespace skerry::kit {

EventId EventQueue::after(Micros delay, std::function<void()> what) {
    const EventId id{now_ + std::max(delay, Micros{0}), next_ordinal_++};
    events_.emplace(id, std::move(what));
    return id;
}

void EventQueue::cancel(EventId id) { events_.erase(id); }

bool EventQueue::step(Micros until) {
    const auto first = events_.begin();
    if (first == events_.end() || first->first.time > until) {
        now_ = std::max(now_, until);
        return false;
    }
    now_ = std::max(now_, first->first.time);
    const auto what = std::move(first->second);
    events_.erase(first);
    ++count_;
    what();
    return true;
}

}  // namespace skerry::kit
