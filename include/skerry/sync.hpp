// When a device syncs, and what: units, what is told of their runs, and the network. docs/rhythm.md shows them in use.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <skerry/error.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace skerry {

enum class SyncKind {
    kFull,         // sends everything, then receives up to what the server had
    kPendingOnly,  // sends only; verdicts are hints, and settle with the next sync that receives
    kSelected,     // sends up to the last change of `entities`, then receives; of what is still to be downloaded, those only
};

// Units are run one after the other, in the order in which they were asked for. One that waits already is not put there twice.
// One with a trigger is tried again by itself when it fails: later after each failure, without end.
struct SyncUnit {
    std::string name;                   // letters, digits, '_' and '-'; "full" and "pending" exist, without triggers
    SyncKind kind = SyncKind::kFull;
    std::vector<std::string> entities;  // of kSelected. One that the profile never sends is sent when it is named here
    bool on_start = false;              // as soon as the unit is defined
    bool on_online = false;             // the network came back: set_network()
    bool on_resume = false;             // resumed()
    bool after_write = false;           // half a second after a write, three at most while writing goes on
    std::chrono::milliseconds every{0}; // after the last run's end; at least a second; 0: not
    bool unmetered_only = false;        // it waits while the network is metered
};

struct SyncOptions {
    bool discard_pending = false;  // runs that wait are dropped; the one under way is finished
    bool first = false;            // goes before those that wait
};

struct SyncReport {
    std::uint64_t run = 0;  // as trigger() gave it
    std::string unit;
    std::uint64_t rows_received = 0;
    std::uint64_t transactions_sent = 0;
    std::uint64_t transactions_settled = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;
    std::chrono::milliseconds took{0};  // without pauses
};

enum class Network {
    kUnknown,   // nobody said: it is tried
    kNone,      // it is not tried
    kWifi,
    kCellular,  // metered
    kMetered,
};
// "unknown", "none", "wifi", "cellular", "metered".
std::string_view network_name(Network network);

// Told in this order, each once a run: started, then completed or failed. A run that is dropped before it began fails with
// sync_discarded and was not started. A call that asks for another sync from in here is fine; a loop is refused (sync_loop).
struct SyncCallbacks {
    std::function<void(std::uint64_t run, const std::string& unit)> started{};
    std::function<void(const SyncReport& report)> completed{};
    std::function<void(const SyncReport& report, const Error& error)> failed{};  // the report: as far as it came
};

}  // namespace skerry
