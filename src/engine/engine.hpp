// The device's sync engine: events in, actions out, no I/O (docs/protocol.md has the sequence chart).
//
// It runs two channels. The push channel sends what the store has numbered, batch after batch, and takes the
// verdicts as hints. The pull channel asks for checkpoints from the store's cursor, stages their frames and has
// each applied in one store transaction; only outcomes that arrive there settle anything. Either channel
// fails, waits and resumes on its own, so a download never waits for an upload nor the reverse.
//
//            sync wanted                 request sent              answer whole
//   kIdle ----------------> kSending ----------------> kReceiving ---------------> kIdle
//     ^                        |  request failed           | cut, foreign, refused    | more to do: again
//     +------- timer ------ kWaiting <---------------------+
//
// What to do comes from two sides: live, which keeps a pull open and pushes at once; and the runs of units, one
// after the other (rhythm.hpp). docs/rhythm.md has all of it from the app's side.
//
// Thread rule: one thread. Events must not be reported from inside a call of the engine; take_actions() after
// every event and carry them out in order.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "engine/ports.hpp"
#include "engine/rhythm.hpp"
#include "engine/status.hpp"

namespace skerry::engine {

// Units that every engine has, without triggers; an app may give them some.
inline constexpr std::string_view kUnitFull = "full";
inline constexpr std::string_view kUnitPending = "pending";
inline constexpr std::string_view kUnitCheck = "check";

class Engine {
  public:
    Engine(StorePort& store, const Clock& clock, Random& random);
    ~Engine();

    // ---- what the app asks ----
    // Errors: invalid_argument, limit_exceeded.
    Result<void> define(Unit unit);
    // Gives the number of the run that its events carry. Errors: not_found, sync_loop.
    Result<RunId> trigger(std::string_view unit, TriggerOptions options = {});
    // One that waits is dropped; the one that runs ends, what it applied stays. False: it has ended before.
    bool cancel(RunId run);
    // Triggers "full"; take_finished() tells of it.
    void sync();
    // Stay in sync: the pull stays open. Returns to runs with false.
    void set_live(bool live);
    // The app committed something (or another process did).
    void app_wrote();
    // What the app shows now: downloads of these go first, also in what runs already.
    void prefer(std::vector<EntityIx> entities);
    // Nothing is sent or asked for until resume(); what runs goes on then.
    void pause();
    void resume();
    // Stops: open requests are cancelled, what runs and waits is discarded, nothing new is started until somebody asks.
    void stop();

    // ---- what the platform says ----
    void set_network(Network network);
    // The network came back, or the app thinks so: waiting ends at once.
    void network_available();
    void set_in_front(bool in_front);
    // The platform stops the app's network at any moment, and may stop the app.
    void suspended();
    void resumed();
    // Notices that the machine slept: what was open is dead then. Hosts call it when they have nothing better to do.
    void look_at_clocks();

    // ---- what the host reports ----
    void response_started(RequestId id, int status, std::string_view content_type, Millis retry_after);
    // `transferred`: how many bytes of the network they were, where that is told apart (a content coding).
    void response_bytes(RequestId id, BytesView bytes, std::optional<std::size_t> transferred = {});
    void response_ended(RequestId id);
    void request_failed(RequestId id, Error error);
    void timer_fired();

    std::vector<Action> take_actions();
    const Status& status() const;
    // The engine's clock has moved on: the pace is measured anew.
    void measure_pace();
    // What has settled since the last call; take it after every event, it is kept until then.
    std::vector<wire::Outcome> take_outcomes();
    // Starts and ends of runs, in order; take them likewise. Calls of the engine are fine while they are told.
    std::vector<RunEvent> take_events();
    // The run asked for by sync() has ended: true once, with the problem if it could not finish.
    bool take_finished(std::optional<Error>* problem);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace skerry::engine
