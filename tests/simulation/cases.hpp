// Failures that users of sync really met are replayed end to end, with devices, a server and a network in one world: what those
// tests begin with.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>

#include "kit/world/world.hpp"

namespace skerry::kit {

using Lines = std::vector<std::string>;

inline constexpr std::uint64_t kSeed = 41;

// A world in which ann and ben both hold note k1 = ('x', 5, NULL), settled.
struct Pair {
    World w{kSeed};
    Device& ann = w.device("ann");
    Device& ben = w.device("ben");
    Pair() {
        ann.sql("INSERT INTO note(id, text, n) VALUES('k1', 'x', 5)");
        w.sync(ann);
        w.sync(ben);
    }
};

inline std::string note(const std::string& key, const std::string& text, int n) {
    return "INSERT INTO note(id, text, n) VALUES('" + key + "', '" + text + "', " + std::to_string(n) + ")";
}
inline std::string numbered(const std::string& prefix, int i) {
    char text[32];
    std::snprintf(text, sizeof text, "%s%03d", prefix.c_str(), i);
    return text;
}

}  // namespace skerry::kit
