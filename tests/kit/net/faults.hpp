// What can go wrong between a device and the server, as data.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.hpp"

namespace skerry::kit {

// The fate of one request. TCP drops no bytes: what is "lost" is a reset or, worse, silence.
enum class FateKind {
    kNone,
    kLoseRequest,   // never reaches the server
    kLoseResponse,  // handled; not a byte of the answer comes back
    kDuplicate,     // a proxy repeats the request; the second answer goes nowhere
    kCut,           // reset after `at_byte` bytes of the body
    kSilence,       // nothing more after `at_byte` bytes: half-open
    kStall,         // a pause of `pause` after `at_byte` bytes
    kTruncate,      // a clean end after `at_byte` bytes
    kPortal,        // 200 with the HTML of a captive portal
    kEmpty,         // 204 without a body
    kBadGateway,    // 502 with HTML
    kStale,         // an earlier answer to the same path, replayed by a cache
};
inline constexpr FateKind kAllFates[] = {
    FateKind::kLoseRequest, FateKind::kLoseResponse, FateKind::kDuplicate, FateKind::kCut,
    FateKind::kSilence,     FateKind::kStall,        FateKind::kTruncate,  FateKind::kPortal,
    FateKind::kEmpty,       FateKind::kBadGateway,   FateKind::kStale};
inline constexpr std::size_t kFates = std::size(kAllFates) + 1;
std::string_view fate_name(FateKind kind);

struct Fate {
    FateKind kind = FateKind::kNone;
    std::uint64_t at_byte = 0;
    Micros pause{0};
    bool silent = false;  // of kLoseRequest, kLoseResponse: silence instead of a reset
};

// Which way is closed.
enum class Partition { kNone, kRequests, kResponses, kBoth };

struct NetConditions {
    std::uint64_t permille[kFates] = {};  // chance per request, by FateKind
    std::int64_t latency_ms_max = 20;
    std::uint64_t chunk_bytes_max = 65'536;
    std::int64_t chunk_gap_ms_max = 0;  // a slow link: pause between chunks
};

}  // namespace skerry::kit
