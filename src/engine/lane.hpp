// One channel's requests: at most one is open, and the channel waits by itself when one failed. What the requests
// carry is for the push and the pull channel.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/planted.hpp"
#include "base/random.hpp"
#include "engine/backoff.hpp"
#include "engine/ports.hpp"
#include "engine/round.hpp"
#include "engine/status.hpp"

namespace skerry::engine {

// What the engine and both of its channels look at.
struct Shared {
    StorePort& store;
    const Clock& clock;
    Random& random;
    std::vector<Action> actions{};
    Status status{};
    RoundReport round{};      // of what was done since the round under way began
    Backoff backoff{};
    RequestId last_request = 0;
    bool live = false;
    bool push_dirty = false;  // look for something to send
    bool pull_dirty = false;  // a pull is due
};

enum class State { kIdle, kReceiving, kWaiting };

class Lane {
  public:
    explicit Lane(Shared& shared) : shared_(shared) {}
    virtual ~Lane() = default;
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    State state() const { return state_; }
    bool receives(RequestId id) const { return state_ == State::kReceiving && request_ == id; }
    bool is_unanswered() const { return state_ == State::kReceiving && !answered_; }
    const std::optional<Error>& problem() const { return problem_; }  // of kWaiting: there is one
    Micros retry_at() const { return retry_at_; }
    Millis asked_to_wait() const { return asked_to_wait_; }           // by the last answer
    Micros silent_at() const { return last_byte_ + kSilenceMax; }     // of kReceiving: given up then

    // The answer: what arrives is read frame by frame. An error ends the request; the caller says what follows.
    void started(int status, Millis retry_after);
    Result<void> bytes(BytesView chunk, std::size_t transferred);
    Result<void> ended();

    void cancel();           // the open request
    void close();            // the same, and a failure is told at once by wait() or idle()
    void wait(Error error);  // before another try
    void stop_waiting();
    void idle();             // after a failure that another request mends at once
    void forget_failures() {
        if (!planted(Plant::kRetriesEnd)) failures_ = 0;
    }

  protected:
    void send(std::string_view path, wire::Kind answer, Bytes body);
    void ask_to_wait(Millis time) { asked_to_wait_ = time; }
    void ended_well() { ended_well_ = true; }

    Shared& shared_;

  private:
    virtual Result<void> on_frame(const wire::Frame& frame) = 0;
    virtual void interrupted() {}  // what has arrived of the answer will not be continued
    virtual void failed(Code) {}   // the request; interrupted() follows

    void enter(State to);

    State state_ = State::kIdle;
    RequestId request_ = 0;
    int status_ = 0;
    std::optional<wire::FrameReader> reader_;
    bool answered_ = false;    // a byte of the answer has arrived
    bool ended_well_ = false;  // kEnd was seen
    int failures_ = 0;         // in a row
    Micros retry_at_{0};
    Micros last_byte_{0};
    Millis asked_to_wait_{0};
    std::optional<Error> problem_;
};

}  // namespace skerry::engine
