// One round of syncing: what is asked of the channels, and what came of it.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "wire/transaction.hpp"

namespace skerry::engine {

enum class RoundKind {
    kFull,         // send everything, then receive up to what the server had when the round began
    kPendingOnly,  // send only; verdicts are hints, and settle with the next checkpoint
    kCheck,        // a full one, then everything that is held whole is compared with the server, and mended
    kSelected,     // send up to the last change of the entities, then receive; of downloads those of the entities only
};

struct Round {
    RoundKind kind = RoundKind::kFull;
    std::vector<EntityIx> entities{};  // of kSelected
    friend bool operator==(const Round&, const Round&) = default;
};

struct RoundReport {
    std::uint64_t rows_received = 0;
    std::uint64_t sent = 0;     // transactions that the server confirmed
    std::uint64_t settled = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;
    Micros took{0};             // without pauses
    std::vector<wire::Outcome> hints{};  // what the server said at once to what was sent; the newest, at most kHintsMax
};

inline constexpr std::size_t kHintsMax = 1000;  // a person looks at them; the rest is in the log

}  // namespace skerry::engine
