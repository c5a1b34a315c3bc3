#include "base/hash.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace skerry {

std::uint64_t hash64(BytesView bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

Hash128 hash128(BytesView bytes) {
    const XXH128_hash_t h = XXH3_128bits(bytes.data(), bytes.size());
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, h);
    Hash128 out;
    static_assert(sizeof canonical == sizeof out);
    std::memcpy(out.data(), &canonical, out.size());
    return out;
}

}  // namespace skerry
