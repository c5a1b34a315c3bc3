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

namespace skerry::engine {

// Every limit with its reason.
inline constexpr Millis kBackoffFirst{250};
inline constexpr Millis kBackoffMax{30'000};   // without a person waiting
inline constexpr Millis kSilenceMax{15'000};   // no byte for so long on an open answer: it is dead (heartbeats are 5 s)
inline constexpr Millis kSliceTarget{50};      // applying one slice should take no longer: the app can write between

enum class Phase { kIdle, kSyncing, kLive, kWaiting, kAttention };

struct Status {
    Phase phase = Phase::kIdle;
    bool reachable = false;             // the last request was answered by the server
    std::optional<Error> problem;       // why it waits or needs attention
    Micros retry_at{0};                 // mono; of kWaiting
    std::uint64_t rows_received = 0;    // since the current sync began
    std::uint64_t rows_left = 0;        // an estimate
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t checkpoints = 0;
};

class Engine {
  public:
    Engine(StorePort& store, const Clock& clock, Random& random);
    ~Engine();

    // ---- what the host and the app ask ----
    // One full sync: push everything, then pull until the answer reaches what was there when it began.
    void sync();
    // Stay in sync: the pull stays open. Returns to one-off syncs with false.
    void set_live(bool live);
    // The app committed something (or another process did).
    void app_wrote();
    // The network came back, or the app thinks so: waiting ends at once.
    void network_available();
    // Stops: open requests are cancelled, nothing new is started until sync() or set_live(true).
    void stop();

    // ---- what the host reports ----
    void response_started(RequestId id, int status, std::string_view content_type, Millis retry_after);
    void response_bytes(RequestId id, BytesView bytes);
    void response_ended(RequestId id);
    void request_failed(RequestId id, Error error);
    void timer_fired();

    std::vector<Action> take_actions();
    const Status& status() const;
    // What has settled since the last call; take it after every event, it is kept until then.
    std::vector<wire::Outcome> take_outcomes();
    // The sync asked for by sync() has ended: true once, with the problem if it could not finish.
    bool take_finished(std::optional<Error>* problem);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace skerry::engine
