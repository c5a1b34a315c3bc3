// Running many seeds: shared by the tests and by skerry-sim.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "kit/world/runner.hpp"

namespace skerry::kit {

inline constexpr std::uint64_t kFirstSeed = 0x5EED'0000;
inline constexpr std::uint64_t kShards = 5;  // of the worlds of a test run, for ctest -j
// In so many worlds every mark has to fire (marks.hpp), and the rare ones in so many.
inline constexpr std::uint64_t kWorldsForMarks = 250;
inline constexpr std::uint64_t kWorldsForRareMarks = 5'000;

#ifdef SKERRY_MARKS_DIR
inline std::string marks_file(std::uint64_t shard) { return SKERRY_MARKS_DIR "/marks-" + std::to_string(shard) + ".txt"; }
#endif

inline std::string replay_command(std::uint64_t seed, int plant = 0, bool crash_points = false) {
    char text[96];
    std::snprintf(text, sizeof text, "skerry-sim%s --seed 0x%llx --trace", plant != 0 ? "-planted" : "", static_cast<unsigned long long>(seed));
    std::string out = text;
    if (crash_points) out += " --crash-points";
    if (plant != 0) out += " --plant " + std::to_string(plant);
    return out;
}

// A number from the environment, or `otherwise`.
inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

inline std::string marks_text(const std::map<std::string, std::uint64_t>& marks) {
    std::string out;
    for (const auto& [name, n] : marks) out += "  " + name + " " + std::to_string(n) + "\n";
    return out;
}

}  // namespace skerry::kit
