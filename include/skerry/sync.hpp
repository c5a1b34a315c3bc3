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

/// What a unit sends and receives.
enum class SyncKind {
    kFull,         ///< sends everything, then receives up to what the server had
    kPendingOnly,  ///< sends only; verdicts are hints, and settle with the next sync that receives
    kSelected,     ///< sends up to the last change of `entities`, then receives; of what is still to be downloaded, those only
    kCheck,        ///< as `kFull`; then compares every row with the server's and reads anew what differs, as Device::check()
};

/// What is synced together, and when: Device::define_unit(). Units are run one after the other, in the order in which they were asked
/// for. One that waits already is not put there twice. One with a trigger is tried again by itself when it fails: later after each failure,
/// without end.
struct SyncUnit {
    std::string name;                   ///< 1 to 63 letters, digits, '_' and '-'; "full", "pending" and "check" exist, without triggers; they may be given some, and keep their kinds
    SyncKind kind = SyncKind::kFull;    ///< what it sends and receives
    std::vector<std::string> entities;  ///< of `kSelected`, at least one. One that the profile never sends is sent when it is named here
    bool on_start = false;              ///< runs as soon as the unit is defined
    bool on_online = false;             ///< runs when the network came back: Device::set_network()
    bool on_resume = false;             ///< runs at Device::resumed()
    bool after_write = false;           ///< runs half a second after a write, three at most while writing goes on
    std::chrono::milliseconds every{0}; ///< runs so long after the last run's end; at least a second; 0: not
    bool unmetered_only = false;        ///< it waits while the network is metered
};

/// Where Device::trigger() puts a run.
struct SyncOptions {
    bool discard_pending = false;  ///< runs of other units that wait are dropped (sync_discarded); the one under way is finished
    bool first = false;            ///< goes before those that wait
};

/// What one run of a unit did.
struct SyncReport {
    std::uint64_t run = 0;                   ///< the run's number, as Device::trigger() gave it
    std::string unit;                        ///< the unit's name
    std::uint64_t rows_received = 0;         ///< rows and deletions that arrived
    std::uint64_t transactions_sent = 0;     ///< transactions made here that the server has confirmed
    std::uint64_t transactions_settled = 0;  ///< transactions made here whose verdict is settled since
    std::uint64_t bytes_received = 0;        ///< bytes that came from the server
    std::uint64_t bytes_sent = 0;            ///< bytes that went to the server
    std::chrono::milliseconds took{0};       ///< without pauses
};

/// What the platform knows of the network: Device::set_network().
enum class Network {
    kUnknown,   ///< nobody said: it is tried
    kNone,      ///< there is none: it is not tried
    kWifi,      ///< not metered
    kCellular,  ///< metered
    kMetered,   ///< metered, of another kind, such as a tethered phone
};
/// The network in a word: "unknown", "none", "wifi", "cellular" or "metered".
std::string_view network_name(Network network);

/// What Device::on_sync() calls, in this order, each once a run: started, then completed or failed. A run that is dropped before it began
/// fails with sync_discarded and was not started. A call that asks for another sync from in here is fine; a loop is refused (sync_loop).
/// Those that are left empty are not called.
struct SyncCallbacks {
    std::function<void(std::uint64_t run, const std::string& unit)> started{};                    ///< the run begins
    std::function<void(const SyncReport& report)> completed{};                                    ///< it ended, with everything done
    std::function<void(const SyncReport& report, const Error& error)> failed{};  ///< it ended otherwise; the report: as far as it came
};

}  // namespace skerry
