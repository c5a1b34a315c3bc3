// One seed, many streams. Each purpose (workload, net, disk, ids, clock) and each object draws from a stream
// of its own, so that taking one fault out of a plan does not reshuffle all the others.
#pragma once

#include <string_view>

#include "base/hash.hpp"
#include "base/random.hpp"

namespace skerry::kit {

inline std::uint64_t sub_seed(std::uint64_t seed, std::string_view purpose, std::uint64_t a = 0,
                              std::uint64_t b = 0) {
    Bytes bytes;
    Writer out(bytes);
    out.u64(seed);
    out.u64(a);
    out.u64(b);
    out.raw(purpose);
    return hash64(bytes);
}

inline SeededRandom stream(std::uint64_t seed, std::string_view purpose, std::uint64_t a = 0,
                           std::uint64_t b = 0) {
    return SeededRandom(sub_seed(seed, purpose, a, b));
}

// True `permille` times in a thousand.
inline bool chance(Random& random, std::uint64_t permille) {
    return permille > 0 && random.below(1000) < permille;
}

// Uniform in [low, high].
inline std::int64_t between(Random& random, std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low) + 1));
}

}  // namespace skerry::kit
