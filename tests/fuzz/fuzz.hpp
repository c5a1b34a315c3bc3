// What the fuzzers share. Each has one LLVMFuzzerTestOneInput; what must hold is an assertion.
#pragma once

#include <cstdint>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "model/model.hpp"

namespace skerry::fuzz {

inline BytesView view(const std::uint8_t* data, std::size_t size) { return {reinterpret_cast<const char*>(data), size}; }

// Choices out of the input's beginning; 0 once it is used up.
class Choices {
  public:
    explicit Choices(BytesView in) : in_(in) {}
    std::uint8_t byte() {
        if (in_.empty()) return 0;
        const auto b = static_cast<std::uint8_t>(in_.front());
        in_.remove_prefix(1);
        return b;
    }
    std::uint32_t below(std::uint32_t n) {
        const std::uint32_t high = byte();
        return (high << 8 | byte()) % n;
    }
    // So many bytes as a length of 16 bits says, or what is left.
    BytesView piece() {
        const std::size_t wanted = below(1u << 16);  // takes bytes, so before what is left is asked for
        const BytesView out = in_.substr(0, wanted);
        in_.remove_prefix(out.size());
        return out;
    }
    BytesView rest() const { return in_; }
    bool empty() const { return in_.empty(); }

  private:
    BytesView in_;
};

// Hands `bytes` on in pieces of 1 to 64 bytes, whose sizes follow from `seed`; `take` says whether it wants more.
template <class Take>
void in_pieces(BytesView bytes, std::uint8_t seed, const Take& take) {
    std::uint32_t state = seed + 1u;
    while (!bytes.empty()) {
        state = state * 1664525u + 1013904223u;
        const std::size_t n = std::min<std::size_t>(bytes.size(), 1 + (state >> 24) % (seed % 4 == 0 ? 1 : 64));
        if (!take(bytes.substr(0, n))) return;
        bytes.remove_prefix(n);
    }
}

// A small model with a column of every type, a key of each kind and an association. The conflict records are in it too.
const model::Model& small_model();

}  // namespace skerry::fuzz
