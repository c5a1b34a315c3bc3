// The server's network: binds an address, drives an http::Handler with what arrives there, and
// streams what it answers. HTTP/1.1 with keep-alive; no TLS and no HTTP/2 (a proxy in front does
// both).
//
// Thread rule: one thread, the one inside run(), calls the handler and its bodies. stop() and
// connections() may be called from any thread. Handler, log and clock must outlive the listener.
//
// Back-pressure: a body is asked for more when everything it gave before has been accepted by the
// kernel, so a slow reader holds one piece (about 64 KiB) and nobody else. A body that says kWait
// is parked: asked again after a wake (handler.take_wake(), handler.tick()) and at its
// ask_again_at, to within one tick.
//
// What a client does wrong is answered (400, 408, 413, 414, 417, 431, 501, 503) with one line of text
// that begins with the error's code, and its connection closed; it is no reason for a log line above
// debug. Nothing of a request but its method and path is ever logged.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "server/http/handler.hpp"
#include "server/listener/request_reader.hpp"

namespace skerry::server {

// Every limit with its reason. Tests shorten the times.
struct ListenLimits {
    HeadLimits head;
    // 10 KB a connection in user and kernel space make 100 MB, and the usual hard limit of open
    // files is 20,000. Beyond: the one that has been waiting for a request's head for longest is
    // closed, so that those who only hold connections lose them to those who use theirs; where none
    // waits, 503 with Retry-After; beyond kRefusalsMax more, closed without a word.
    std::size_t connections = 10'000;
    // From one address (of IPv6 the first 64 bits, which one machine has). A house or an office
    // behind one address fits. Beyond: 503 with Retry-After.
    std::size_t address_connections = 1'000;
    // Loopback is where a proxy is: all the world comes from there.
    enum class Loopback { kUnlimited, kLimited } loopback = Loopback::kUnlimited;
    // Bodies of all requests that are being read, together: a thousand clients that each announce
    // the largest body must not exhaust the memory. Beyond: 503 with Retry-After.
    std::size_t bodies_bytes = 256u << 20;
    // From a request's first byte (from accept for the first one) to the end of its headers.
    // Beyond: 408.
    Millis header_time{10'000};
    // Between two arrivals of body bytes; the whole body must also average this rate. Slower on
    // average is no client but a siege: the largest body would hold its memory for days. Beyond: 408.
    Millis body_idle{30'000};
    std::size_t body_bytes_per_second = 1'024;
    // As long as there is something to send, a client has to take so much of it in each of these
    // spans, else a reader of one byte a minute holds an answer's memory for ever. Bytes that lie in
    // our kernel's buffer are not taken. Beyond: closed.
    Millis write_span{60'000};
    std::size_t read_bytes_per_second = 128;
    // An idle keep-alive connection; longer than the 60 s after which common proxies close theirs,
    // so that it is they who close. Beyond: closed.
    Millis keep_alive{75'000};
    // After a response that ends the connection: how long bytes still coming in are thrown away, so
    // that a reset does not overtake the response.
    Millis linger{2'000};
    // stop(): how long responses that are being written may take to finish.
    Millis stop_grace{5'000};
    // handler.tick(), and the grain of all times above.
    Millis tick{50};
};

struct ListenOptions {
    std::string host = "127.0.0.1";  // address or name; "0.0.0.0" and "::" mean every interface
    std::uint16_t port = 0;          // 0: any free one, see port()
    // Whose mono() Body::ask_again_at() speaks of; null: the system's.
    const Clock* clock = nullptr;
    // A file that grows when other programs have made work that they do not announce: while it does,
    // handler.look() is called every millisecond instead of once a tick. Empty, or it cannot be
    // watched: then the tick finds it, a little later.
    std::string watched;
    ListenLimits limits;
};

class Listener {
  public:
    // Bound and listening when it returns; connections wait in the kernel until run().
    // Errors: address_in_use, invalid_argument (unknown host, foreign address, port not permitted),
    // io.
    static Result<std::unique_ptr<Listener>> open(http::Handler& handler,
                                                  const ListenOptions& options, Log& log);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    std::uint16_t port() const;
    std::string address() const;  // "127.0.0.1:8080"

    // Serves until stop() has ended everything. Call it once.
    void run();
    // run() as a program's main thing: SIGINT or SIGTERM calls stop(), a second one ends at once.
    // `on_ready` is called when signals are caught and requests are about to be.
    void run_until_signal(const std::function<void()>& on_ready = {});
    // Tells the handler, closes what is idle, lets parked bodies end, requests whose body is on its
    // way be answered and what is being written finish, all for up to stop_grace; then makes run()
    // return. Who connects meanwhile gets 503 with Retry-After.
    void stop();

    std::size_t connections() const;

  private:
    struct Impl;
    explicit Listener(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// The main loop of a server program: open, on_ready(port), run_until_signal. Also lifts the
// process's soft limit of open files towards limits.connections, and lowers these to what fits.
// Errors: those of open().
Result<void> serve_until_signal(http::Handler& handler, const ListenOptions& options, Log& log,
                                const std::function<void(std::uint16_t port)>& on_ready);

}  // namespace skerry::server
