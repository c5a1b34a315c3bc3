#include "engine/pace.hpp"

namespace skerry::engine {

namespace {
constexpr Micros kApart = Millis{250};
constexpr std::size_t kSamples = 41;
// Beyond it nobody believes an estimate, and the number would not fit.
constexpr double kLongest = 100.0 * 3600 * 24;
}  // namespace

void PaceMeter::begin(const Sample& start) { samples_.assign(1, start); }

Pace PaceMeter::measure(const Sample& now, std::uint64_t left) {
    Pace pace;
    if (now.done + left > 0) pace.fraction = static_cast<double>(now.done) / static_cast<double>(now.done + left);
    if (samples_.empty()) return pace;
    const Sample& first = samples_.front();
    const double seconds = std::chrono::duration<double>(now.at - first.at).count();
    if (seconds > 0) {
        pace.rows_per_second = static_cast<double>(now.done - first.done) / seconds;
        pace.bytes_per_second = static_cast<double>(now.bytes - first.bytes) / seconds;
        if (const double longest = static_cast<double>(left); left > 0 && pace.rows_per_second * kLongest > longest)
            pace.time_left = Millis{static_cast<std::int64_t>(longest / pace.rows_per_second * 1000)};
    }
    if (left == 0) pace.time_left = Millis{0};
    if (now.at - samples_.back().at >= kApart) {
        samples_.push_back(now);
        if (samples_.size() > kSamples) samples_.pop_front();
    }
    return pace;
}

}  // namespace skerry::engine
