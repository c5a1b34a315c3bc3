// Figures in the text format that Prometheus reads: what came in and went out by route, and what the other rooms
// counted. Thread rule: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "server/storage/storage.hpp"
#include "server/tally/tally.hpp"

namespace skerry::server::ops {

// Of the histogram: from a lookup to a push of many rows.
inline constexpr std::array<double, 9> kBucketSeconds{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10};

// What the routes did since the process began.
struct Traffic {
    struct Route {
        std::map<int, std::uint64_t> answers;  // by status
        std::uint64_t bytes_in = 0;            // of bodies
        std::uint64_t bytes_out = 0;
        std::array<std::uint64_t, kBucketSeconds.size()> buckets{};  // each counts what its own bound and no lower one holds
        std::uint64_t timed = 0;
        Micros time{0};
    };
    std::map<std::string, Route, std::less<>> routes;
    std::uint64_t bodies_open = 0;  // answers being written or waiting for changes

    void timed(Route& route, Micros took);
};

struct Seen {
    const Traffic& traffic;
    const Tally& tally;
    storage::Figures figures;
    std::uint64_t last_seq = 0;
    std::uint64_t rows_sequenced = 0;
};
std::string metrics_text(const Seen& seen);

}  // namespace skerry::server::ops
