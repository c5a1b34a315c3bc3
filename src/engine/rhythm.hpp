// When to sync, and what: named units, the queue of those that are to run, and what is told of them. It runs nothing: the
// engine takes next(), carries the round out and reports ended().
//
// At most one run at a time. A unit waits at most once: asked for again it is the same run. A run whose unit has automatic
// triggers is tried again by itself when it failed, later after each failure, without end.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "engine/backoff.hpp"
#include "engine/network.hpp"
#include "engine/round.hpp"

namespace skerry::engine {

// Every limit with its reason.
inline constexpr std::size_t kUnitsMax = 100;         // the queue is no longer than this either
inline constexpr std::size_t kUnitNameMax = 63;
inline constexpr int kChainMax = 16;                  // runs in a row, each asked for by the completion of the one before: a loop
inline constexpr Millis kEveryMin{1000};
inline constexpr Millis kAfterWrite{500};             // writes come in bursts: the run waits for so long a silence
inline constexpr Millis kAfterWriteMax{3000};         // but never longer than this after the first

using RunId = std::uint64_t;

struct Unit {
    std::string name;
    Round round{};
    bool on_start = false;     // as soon as it is defined, once in the life of the process
    bool on_online = false;    // the network came back
    bool on_resume = false;    // the app came back from being suspended
    bool after_write = false;  // the app wrote
    Millis every{0};           // since the last run ended; 0: not
    bool unmetered_only = false;

    bool is_automatic() const { return on_start || on_online || on_resume || after_write || every.count() > 0; }
};

struct Run {
    RunId id = 0;
    std::string unit;
    Round round{};
    bool asked_for = false;  // by the app, not by a trigger
    int chain = 0;
};

struct RunEvent {
    enum class Kind { kStarted, kCompleted, kFailed } kind = Kind::kStarted;
    RunId run = 0;
    std::string unit;
    RoundReport report{};            // of kCompleted, and of kFailed as far as it came
    std::optional<Error> error{};    // of kFailed
    int chain = 0;                   // see TriggerOptions
};

struct TriggerOptions {
    bool discard_pending = false;  // those that wait are dropped; the one that runs is finished
    bool first = false;            // goes before those that wait
    int chain = 0;                 // asked for while a run's end was being told: one more than RunEvent::chain
};

class Rhythm {
  public:
    Rhythm(const Clock& clock, Random& random) : clock_(clock), random_(random) {}

    // Replaces a unit of the same name. Errors: invalid_argument.
    Result<void> define(Unit unit);
    // Gives the run that waits, also if it waited before. Errors: not_found, sync_loop.
    Result<RunId> trigger(std::string_view unit, TriggerOptions options = {});
    // False: no such run waits. It ends with sync_discarded.
    bool discard(RunId run);
    void discard_all(const std::string& why);

    // ---- what triggers look at ----
    void wrote();
    void came_online();
    void resumed();

    // ---- the engine ----
    // What is to run now: it counts as started. None: nothing may run. `unsent`: there is something to send.
    std::optional<Run> next(Network network, bool unsent);
    bool write_is_due() const;  // next() will look at `unsent`
    void ended(RoundReport report, std::optional<Error> error, const Backoff& backoff, Millis asked_to_wait);
    // When next() is to be asked again. In the past: at once.
    std::optional<Micros> due(Network network) const;

    const std::optional<Run>& running() const { return running_; }
    bool waits(RunId run) const;
    std::vector<std::string> waiting() const;
    std::vector<RunEvent> take_events() { return std::exchange(events_, {}); }

  private:
    struct Entry {
        Unit unit;
        std::optional<Micros> interval_at{};   // mono
        std::optional<Micros> write_at{};
        std::optional<Micros> write_latest{};
        std::optional<Micros> retry_at{};      // after a failure: nothing automatic before this
        int failures = 0;
        std::optional<Micros> automatic_at() const;
    };
    Entry* find(std::string_view name);
    RunId enqueue(Entry& entry, bool asked_for, int chain, bool first);
    void drop(const Run& run, const std::string& why);
    void await_interval(Entry& entry);
    static bool suits(const Unit& unit, Network network);

    const Clock& clock_;
    Random& random_;
    std::vector<Entry> entries_;
    std::deque<Run> queue_;
    std::optional<Run> running_;
    std::vector<RunEvent> events_;
    RunId last_run_ = 0;
};

}  // namespace skerry::engine
