// What the app's platform says of the network.
#pragma once

#include <cstdint>

namespace skerry::engine {

enum class Network : std::uint8_t {
    kUnknown = 0,   // nobody said: attempts are made
    kNone = 1,      // no attempts
    kWifi = 2,
    kCellular = 3,  // metered
    kMetered = 4,   // of another kind, such as a tethered phone
};

inline bool is_metered(Network network) { return network == Network::kCellular || network == Network::kMetered; }

}  // namespace skerry::engine
