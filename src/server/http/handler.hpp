// The server's requests and responses without a socket: what the network hosts (Beast in production, the
// simulator's byte streams in tests) hand to the routes and take from them.
//
// A response is pulled, never pushed: the host asks Body::next() when its socket has room, so a slow reader
// holds back exactly itself. Thread rule: all calls come from one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace skerry::server::http {

struct Request {
    std::string method;         // "GET", "POST"
    std::string target;         // path as sent, with its query if any
    std::string authorization;  // the header's value, empty if absent
    std::string content_type;
    Bytes body;
    std::string accept_encoding{};
    std::string content_encoding{};
};

enum class Step {
    kMore,  // bytes were appended; ask again when there is room
    kWait,  // nothing now: ask again at the next wake() or at `ask_again_at`
    kEnd,   // complete
};

class Body {
  public:
    virtual ~Body() = default;
    // Appends the next bytes (about 64 KiB at most, one frame at least) to `out`.
    virtual Step next(Bytes& out) = 0;
    // While waiting: the time (Clock::mono) at which next() wants to be asked even without a wake.
    virtual std::optional<Micros> ask_again_at() const { return std::nullopt; }
    // What the bytes are coded in (Content-Encoding); empty: nothing. Known after the first next().
    virtual std::string_view content_encoding() const { return {}; }
};

struct Response {
    int status = 200;
    std::string content_type;
    std::optional<std::uint32_t> retry_after_s;
    std::unique_ptr<Body> body;  // may be null: an empty body
};

// A body that is complete from the start.
class WholeBody final : public Body {
  public:
    explicit WholeBody(Bytes bytes) : bytes_(std::move(bytes)) {}
    Step next(Bytes& out) override {
        out.append(bytes_);
        bytes_.clear();
        return Step::kEnd;
    }

  private:
    Bytes bytes_;
};

class Handler {
  public:
    virtual ~Handler() = default;
    virtual Response handle(const Request& request) = 0;
    // Largest request body that handle() wants to see; the host answers 413 beyond it.
    virtual std::size_t body_bytes_max(std::string_view target) const = 0;
    // Called when a request's head is here and its body is not: the answer if handle() would refuse it whatever the body is. The
    // body is not read then, so that who has no right costs no memory.
    virtual std::optional<Response> refuse_early(const Request& head) = 0;
    // Called by the host from time to time (about every 50 ms): looks for work that nobody announced, such as
    // commits by other processes. True if waiting bodies should be asked again.
    virtual bool tick() = 0;
    // Of tick() the look for commits by other processes alone: called every millisecond while they write.
    virtual bool look() { return false; }
    // True once after anything was committed that waiting bodies may want: the host then asks all of them.
    virtual bool take_wake() = 0;
    // Called once when the host is about to end: bodies that would wait end well instead, as soon as they are asked.
    virtual void stop() {}
};

}  // namespace skerry::server::http
