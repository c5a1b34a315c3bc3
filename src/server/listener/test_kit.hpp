// For this room's tests: a client on a plain socket, a handler with a route for each behaviour, and
// a listener that runs in a thread. Waiting is always for a condition; kPatience only ends a test
// that has failed.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "server/listener/listener.hpp"

namespace skerry::server::testing {

inline constexpr std::chrono::seconds kPatience{20};

struct Answer {
    int status = 0;
    std::string head;    // lower case, with the status line
    std::string body;    // without chunk lines
    bool whole = false;  // the body's end was seen
    bool has(std::string_view line) const { return head.find(line) != std::string::npos; }
};

class Client {
  public:
    enum class Window { kUsual, kSmall };
    // `from`: the address to come from.
    explicit Client(std::uint16_t port, Window window = Window::kUsual, const char* from = "127.0.0.1");
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // False when the server has closed the connection.
    bool send(std::string_view bytes);
    void end_sending();  // shutdown(SHUT_WR)
    // One response; `whole` is false when the connection ended first.
    Answer receive(bool head_request = false);
    // Body bytes of the response under way, until `text` was seen; empty when the connection ended
    // first.
    std::string receive_until(std::string_view text);
    // Everything up to the connection's end, as it came.
    std::string receive_all();
    Answer ask(std::string_view method, std::string_view target, std::string_view body = {},
               std::string_view headers = {});

  private:
    bool fill();  // false at the end
    int fd_ = -1;
    std::string in_;
};

// GET  /flood?n   n pieces of kPiece bytes          GET /wait   what publish() gives, until "end"
// GET  /at        "later", 20 ms later, three times  GET /busy   503, Retry-After: 7
// POST /echo      the body                           POST /publish  the body, for every /wait
// GET  /big-wait  kBigPiece, then as /wait
// GET  /none 204  GET /throw  GET /throw-late        POST /small: at most 10 bytes
// POST /closed    401, whatever the body is
class FakeHandler final : public http::Handler {
  public:
    static constexpr std::size_t kPiece = 64u << 10;
    static constexpr std::size_t kBigPiece = 32u << 20;  // more than the kernel buffers

    http::Response handle(const http::Request& request) override;
    std::size_t body_bytes_max(std::string_view target) const override {
        return target == "/small" ? 10 : 8u << 20;
    }
    std::optional<http::Response> refuse_early(const http::Request& head) override;
    bool tick() override;
    bool look() override;
    bool take_wake() override;

    // From any thread.
    void publish(std::string text);
    template <class Condition>
    bool wait_for(Condition condition) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kPatience, [&] { return condition(counts_); });
    }
    struct Counts {
        int handled = 0;
        int early = 0;    // refused before the body
        int waiting = 0;  // bodies of /wait that have said kWait
        int bodies = 0;   // alive
        int pieces = 0;
        int ticks = 0;
        int looks = 0;
        std::set<std::thread::id> threads{};
        std::set<std::string> targets{};  // handled
    };
    Counts now() {
        const std::lock_guard lock(mutex_);
        return counts_;
    }

  private:
    class Flood;
    class Wait;
    class At;
    class ThrowLate;
    template <class Change>
    void count(Change change) {
        const std::lock_guard lock(mutex_);
        change(counts_);
        counts_.threads.insert(std::this_thread::get_id());
        changed_.notify_all();
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Counts counts_;
    std::string published_;
    bool wake_ = false;
    SystemClock clock_;
};

class TestLog final : public Log {
  public:
    void line(LogLevel level, std::string_view text) override {
        const std::lock_guard lock(mutex_);
        lines_ += level >= LogLevel::kWarn ? "! " : "  ";
        lines_ += text;
        lines_ += '\n';
    }
    std::string lines() const {
        const std::lock_guard lock(mutex_);
        return lines_;
    }

  private:
    mutable std::mutex mutex_;
    std::string lines_;
};

// A clock that moves when it is told to.
class HandClock final : public Clock {
  public:
    Micros wall() const override { return mono(); }
    Micros mono() const override { return Micros{now_us_.load()}; }
    void advance(Micros by) { now_us_ += by.count(); }

  private:
    std::atomic<std::int64_t> now_us_{1'000'000};
};

// A listener on a free port of 127.0.0.1, running in a thread until it is stopped.
class Running {
  public:
    explicit Running(ListenLimits limits = {}, const Clock* clock = nullptr,
                     std::string watched = {});
    ~Running() { stop(); }
    void stop();
    // Until at most so many are open.
    bool wait_for_connections(std::size_t most);

    FakeHandler handler;
    TestLog log;
    std::unique_ptr<Listener> listener;
    std::uint16_t port = 0;

  private:
    std::thread thread_;
};

}  // namespace skerry::server::testing
