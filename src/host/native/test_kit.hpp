// For this room's tests: a server that follows a script, and an engine that writes down what it is
// told.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "host/native/native_host.hpp"

namespace skerry::host::testing {

inline constexpr Millis kPatience{20'000};  // ends only a test that has failed

// The server's end of one connection. Every call blocks until it is done or the client is gone.
class Peer {
  public:
    explicit Peer(int fd) : fd_(fd) {}
    ~Peer();
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    std::string read_request();  // head and body; empty when the client has closed
    std::string read_some();
    bool send(std::string_view bytes);
    void wait_for_close();
    void reset();  // closes with a reset instead of an end

  private:
    int fd_ = -1;
    std::string in_;
};

// Listens on a free port of 127.0.0.1; the n-th connection is handled by the n-th script, in a
// thread of its own.
class ScriptServer {
  public:
    using Script = std::function<void(Peer&)>;
    explicit ScriptServer(std::vector<Script> scripts);
    ~ScriptServer();
    // Waits until every script has run: what they wrote down may be read then.
    void join();
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port); }
    int accepted() const { return accepted_; }
    std::uint16_t port = 0;

  private:
    int fd_ = -1;
    std::atomic<int> accepted_{0};
    std::vector<Script> scripts_;
    std::thread acceptor_;
    std::vector<std::thread> threads_;
};

// A port on which nobody listens.
std::uint16_t closed_port();

// "started 1 200 text/html 0", "bytes …" (joined per request in `bodies`), "ended 1", "failed 1
// offline", "timer".
class FakeEngine {
  public:
    void response_started(engine::RequestId id, int status, std::string_view type, Millis retry);
    void response_bytes(engine::RequestId id, BytesView bytes, std::size_t count);
    void response_ended(engine::RequestId id);
    void request_failed(engine::RequestId id, Error error);
    void timer_fired();
    std::vector<engine::Action> take_actions();

    void post(engine::RequestId id, std::string path = "/v1/push", Bytes body = "body");
    void cancel(engine::RequestId id) { actions.emplace_back(engine::CancelRequest{id}); }
    void timer(Millis after) { actions.emplace_back(engine::SetTimer{after}); }

    std::vector<engine::Action> actions;
    std::vector<std::string> events;  // without bytes
    std::map<engine::RequestId, Bytes> bodies;
    std::map<engine::RequestId, std::size_t> transferred;
    std::map<engine::RequestId, Error> errors;
    int pieces = 0;
    int ends = 0;  // ended and failed
    std::function<void(const std::string& event)>
        on_event;  // the engine's reaction: may add actions

  private:
    struct Inside;
    void note(std::string event);
    bool inside_ = false;
};

class TestLog final : public Log {
  public:
    void line(LogLevel, std::string_view text) override { lines += std::string(text) + "\n"; }
    std::string lines;
};

// A host bound to a fake engine.
class Rig {
  public:
    explicit Rig(const std::string& url, NativeLimits limits = {}, std::string token = "t0ken");
    // Drives until `condition` holds after some event; false if it never did.
    bool run_until(std::function<bool()> condition);
    // Until so many requests have ended or failed.
    bool run_to_ends(int ends);

    FakeEngine engine;
    TestLog log;
    std::unique_ptr<NativeHost> host;

  private:
    std::function<bool()> condition_;
};

}  // namespace skerry::host::testing
