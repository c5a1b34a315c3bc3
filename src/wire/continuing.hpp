// What a checkpoint says that it continues (Begin::from), and what a device compares with its cursor.
#pragma once

#include "base/hash.hpp"
#include "base/ids.hpp"

namespace skerry::wire {

// Tokens differ from device to device; having none does not. So the device stands for it: a cache that gives the first answer of
// one device to another gives it nothing that it takes.
inline std::uint64_t continues(const DeviceId& device, BytesView token) { return hash64(token.empty() ? device.view() : token); }

}  // namespace skerry::wire
