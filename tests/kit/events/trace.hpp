// What happened, as lines: hashed all, the last ones kept for a person. Two runs of one seed have equal hashes.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "kit/events/event_queue.hpp"

namespace skerry::kit {

class Trace {
  public:
    explicit Trace(const Micros& now) : now_(now) {}
    void line(std::string_view who, std::string_view what);
    void echo(bool on) { echo_ = on; }  // to stderr as well
    std::uint64_t hash() const { return hash_; }
    std::vector<std::string> last() const { return {last_.begin(), last_.end()}; }

    // Coverage marks: counts of what was hit in this world, printed and summed at the end.
    void mark(std::string_view name) { ++marks_[std::string(name)]; }
    const std::map<std::string, std::uint64_t>& marks() const { return marks_; }

  private:
    static constexpr std::size_t kKept = 80;
    const Micros& now_;
    std::uint64_t hash_ = 0;
    bool echo_ = false;
    std::deque<std::string> last_;
    std::map<std::string, std::uint64_t> marks_;
};

}  // namespace skerry::kit
