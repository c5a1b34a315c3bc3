#include "base/random.hpp"

#include <unistd.h>

#include <bit>

#include "base/assert.hpp"

namespace skerry {

std::uint64_t Random::u64() {
    std::uint8_t b[8];
    fill(b);
    std::uint64_t v = 0;
    for (int i = 0; i < 8; ++i) v |= static_cast<std::uint64_t>(b[i]) << (8 * i);
    return v;
}

std::uint64_t Random::below(std::uint64_t bound) {
    SKERRY_ASSERT(bound > 0);
    // Values of the incomplete last span would favour the small results.
    const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    for (;;) {
        const std::uint64_t v = u64();
        if (v < limit) return v % bound;
    }
}

void SystemRandom::fill(std::span<std::uint8_t> out) {
    while (!out.empty()) {  // getentropy gives at most 256 bytes a call
        const std::size_t n = out.size() < 256 ? out.size() : 256;
        SKERRY_ASSERT(getentropy(out.data(), n) == 0);
        out = out.subspan(n);
    }
}

SeededRandom::SeededRandom(std::uint64_t seed) {
    for (auto& s : state_) {  // splitmix64 spreads a small seed over the state
        seed += 0x9e3779b97f4a7c15ULL;
        std::uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        s = z ^ (z >> 31);
    }
}

std::uint64_t SeededRandom::next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

void SeededRandom::fill(std::span<std::uint8_t> out) {
    for (std::size_t i = 0; i < out.size();) {
        std::uint64_t v = next();
        for (int k = 0; k < 8 && i < out.size(); ++k, ++i, v >>= 8)
            out[i] = static_cast<std::uint8_t>(v);
    }
}

}  // namespace skerry
