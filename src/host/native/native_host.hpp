// The device's network on a real machine: carries out the engine's actions with sockets and a
// timer, and reports the events. HTTP/1.1 without TLS.
//
// Thread rule: everything happens in the thread that calls run_for() or poll(), and only inside
// those calls; no thread of ours exists. (One of Asio's does while a host *name* is being resolved,
// because getaddrinfo blocks and poll() must not; it touches nothing but the resolver. Addresses
// and "localhost" do not need it.) stop() may be called from any thread. The engine and the log
// must outlive the host.
//
// Promises to the engine: events come one at a time, never from inside one of its calls; after
// each, and at the beginning of run_for() and poll(), its actions are taken and carried out in
// order; every SendRequest ends in exactly one response_ended or request_failed, unless it is
// cancelled or the host is destroyed: then nothing more is reported. Bytes are passed on as they
// arrive, and the socket is read again when the engine has returned.
//
// A request that found its kept-alive connection dead before a single byte of an answer is sent
// once more on a new one, without a word: the server may have closed it meanwhile, and all requests
// of the protocol can be repeated.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "host/native/engine_link.hpp"

namespace skerry::host {

// Every limit with its reason; tests shorten the times.
struct NativeLimits {
    // Name, address, handshake: all of it. A phone's network that is not there swallows packets
    // silently.
    Millis connect_time{10'000};
    // No byte in either direction, from connected to the answer's end. A backstop: the engine's
    // own, shorter limit for open streams comes first.
    Millis silence{60'000};
    // A kept-alive connection not used for so long is not used again: proxies close theirs after 60
    // s or more.
    Millis keep_idle{20'000};
    // A captive portal may set large cookies. Beyond: foreign_answer.
    std::size_t response_head_bytes = 32u << 10;
};

struct NativeOptions {
    std::string server_url;  // http://host[:port][/prefix]
    std::string
        token;  // bearer token; empty: none is sent. Never logged, never part of a URL or a message
    NativeLimits limits;
    // Called after each event and the actions that followed from it, from inside run_for() and
    // poll(). May call the engine and stop(), not run_for() or poll().
    std::function<void()> after_event;
};

class NativeHost {
  public:
    // Errors: invalid_argument (URL, token), not_supported (https). Touches no network.
    template <class Engine>
    static Result<std::unique_ptr<NativeHost>> open(Engine& engine, NativeOptions options,
                                                    Log& log) {
        return open_link(std::make_unique<EngineLinkOf<Engine>>(engine), std::move(options), log);
    }
    ~NativeHost();
    NativeHost(const NativeHost&) = delete;
    NativeHost& operator=(const NativeHost&) = delete;

    // Works and waits for at most `limit`; returns early only after stop().
    void run_for(Millis limit);
    // Does what can be done now, for about 20 ms at most; never waits.
    void poll();
    // Makes the run_for() under way return soon.
    void stop();

    // For requests from now on. Errors: invalid_argument; the old one stays.
    Result<void> set_token(std::string token);

  private:
    struct Impl;
    static Result<std::unique_ptr<NativeHost>> open_link(std::unique_ptr<EngineLink> engine,
                                                         NativeOptions options, Log& log);
    explicit NativeHost(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace skerry::host
