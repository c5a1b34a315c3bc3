// XXH3, for checksums and for recognising equal rows. Not for secrets: it is no cryptographic hash.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"

namespace skerry {

std::uint64_t hash64(BytesView bytes);

using Hash128 = std::array<std::uint8_t, 16>;
Hash128 hash128(BytesView bytes);

inline BytesView view_of(const Hash128& hash) {
    return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

}  // namespace skerry
