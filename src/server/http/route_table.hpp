// Every route of the server and what it costs at most: the one table from which requests are routed, refused and measured, and from
// which docs/limits.md and the tests of access are made. What is not in it is not there: 404 for every path and method else.
//
// A path matches byte by byte or not at all. Nothing is decoded, folded or cut off, so no two spellings can lead to one handler
// past another's gate.
#pragma once

#include <array>
#include <string_view>

#include "model/value.hpp"
#include "wire/check.hpp"
#include "wire/json/requests.hpp"
#include "wire/messages.hpp"

namespace skerry::server::http {

// Who is let in.
enum class Gate {
    kNobodyAsked,  // everybody: what it tells must be harmless
    kUser,         // the token of a user
    kMetrics,      // a token with the label "metrics"
};

struct Route {
    std::string_view path;
    std::string_view method;
    Gate gate;
    std::size_t body_bytes_max;   // of a request in frames; 0: a request has no body
    std::size_t lines_bytes_max;  // of a request in lines of JSON; 0: not taken
    bool streams;                 // the answer may be long, or stay open
};

namespace route_limits {
inline constexpr std::size_t kEnroll = 64u << 10;
// A token, what is chosen, and ranges to be read anew, of two keys each.
inline constexpr std::size_t kPull =
    wire::kTokenBytesMax + (wire::kChosenMax + 2 * wire::kRepairRangesMax) * (model::kKeyBytesMax + 8) + (16u << 10);
// A token, what is chosen, and ranges of two keys with their digests.
inline constexpr std::size_t kCheck = wire::kTokenBytesMax + wire::kChosenMax * (model::kKeyBytesMax + 8) +
                                      wire::kCheckRangesMax * (2 * model::kKeyBytesMax + 48) + (16u << 10);
inline constexpr std::size_t kPush =
    wire::kPushBytesMax + wire::kHeaderBytes + (wire::kPushTxnsMax + 2) * wire::kFrameOverhead + (4u << 10);

constexpr std::size_t lines(std::size_t frames) { return frames < wire::json::kRequestBytesMax ? frames : wire::json::kRequestBytesMax; }
}  // namespace route_limits

inline constexpr std::array kRoutes{
    Route{wire::kPathEnroll, "POST", Gate::kUser, route_limits::kEnroll, route_limits::lines(route_limits::kEnroll), false},
    Route{wire::kPathPush, "POST", Gate::kUser, route_limits::kPush, route_limits::lines(route_limits::kPush), false},
    Route{wire::kPathPull, "POST", Gate::kUser, route_limits::kPull, route_limits::lines(route_limits::kPull), true},
    Route{wire::kPathCheck, "POST", Gate::kUser, route_limits::kCheck, route_limits::lines(route_limits::kCheck), true},
    Route{"/healthz", "GET", Gate::kNobodyAsked, 0, 0, false},
    Route{"/readyz", "GET", Gate::kNobodyAsked, 0, 0, false},
    Route{"/metrics", "GET", Gate::kMetrics, 0, 0, false},
};

// Null: there is no such path.
constexpr const Route* find_route(std::string_view target) {
    for (const Route& route : kRoutes)
        if (route.path == target) return &route;
    return nullptr;
}

}  // namespace skerry::server::http
