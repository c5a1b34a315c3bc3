// What the engine says of itself, and its limits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/network.hpp"
#include "engine/pace.hpp"

namespace skerry::engine {

// Every limit with its reason.
// No byte for so long on an open answer: it is dead. Two heartbeats (3 s) and a second: after an outage TCP may take as long again as that
// took before it sends anew, and eleven seconds after it everybody is to be equal.
inline constexpr Millis kSilenceMax{7'000};
// What one request carries, and so what a tear costs: it shrinks where requests fail and grows where they get through. It begins
// small, so that an app that is closed after each tear gets on too.
inline constexpr std::size_t kChunkFirst = 64u << 10;
inline constexpr std::size_t kChunkMin = 8u << 10;  // smaller ones take longer for their heads than for themselves
// A slower line is taken for a dead one, until chunks have shrunk: kChunkMin at 1 KB/s is in time.
inline constexpr std::size_t kUploadBytesPerMs = 2;
inline constexpr int kStraysMax = 3;  // answers in a row that belong to another question: something keeps old ones
inline constexpr std::uint32_t kSliceRowsMin = 20;
inline constexpr std::uint32_t kSliceRowsFirst = 100;
inline constexpr Micros kCheckAgain = std::chrono::hours(1);  // after a comparison that nobody asked for has failed
inline constexpr Millis kTurnAgain{250};       // another program syncs the store: asking again costs one call of the system
inline constexpr Millis kTurnWait{5'000};      // a run waits so long for its turn: longer than most syncs, and a person still waits
inline constexpr Millis kSliceTarget{50};      // applying one slice should take no longer: the app can write between

enum class Phase {
    kIdle,
    kSyncing,    // a round is under way
    kLive,       // in step, and connected for what comes
    kWaiting,    // something failed that time mends: it is tried again
    kOffline,    // the server is out of reach, or there is no network
    kAttention,  // something failed that a person has to mend; it is tried again all the same
};

struct Status {
    Phase phase = Phase::kIdle;
    bool reachable = false;                   // the last request was answered by the server
    std::optional<Micros> offline_since{};    // wall; unset once the server was reached
    std::optional<Error> problem{};           // why it waits, is offline or needs attention
    std::optional<Micros> retry_at{};         // mono; the next attempt
    Network network = Network::kUnknown;
    bool paused = false;
    bool suspended = false;
    bool elsewhere = false;                   // there is something to do, and another program has the turn
    std::string running{};                    // the unit
    std::vector<std::string> waiting{};       // units, in order

    // Of the round under way, or of the last one.
    std::uint64_t rows_received = 0;
    std::uint64_t rows_left = 0;              // an estimate
    std::uint64_t sent = 0;                   // transactions
    std::uint64_t send_left = 0;
    std::uint64_t rows_compared = 0;          // by a check
    Pace pace{};

    // Since the engine was made.
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t checkpoints = 0;
    std::uint64_t changes = 0;                // counts whenever something but the counters is another than before
};

}  // namespace skerry::engine
