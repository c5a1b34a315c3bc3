// One POST and its answer.
//
//   kNew -> kResolving -> kConnecting -> kOpen -> kDone
//     |  (a literal address)  ^   |        |
//     +-----------------------+   +--next address, or once more after a dead kept-alive connection
//     +--(a kept-alive connection)-------> kOpen
//
// While kOpen, request and answer flow at once: a server that refuses a large body early is heard.
// Every asynchronous step carries the attempt's number, so that completions of an abandoned socket
// are told apart. Shared with its pending operations, which may complete after it is done. Never
// reports from inside start() or cancel().
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/ports.hpp"
#include "host/native/native_host.hpp"
#include "host/native/response_reader.hpp"
#include "host/native/server_url.hpp"

namespace skerry::host {

using boost::asio::ip::tcp;

// Who hears of an exchange. `ended` and `failed` come once and last.
class ExchangeOwner {
  public:
    virtual ~ExchangeOwner() = default;
    virtual void started(engine::RequestId id, const ResponseInfo& info) = 0;
    // `transferred`: what they took on the network; there may be such without any bytes yet.
    virtual void bytes(engine::RequestId id, BytesView bytes, std::size_t transferred) = 0;
    // `socket` is open where it can carry another request.
    virtual void ended(engine::RequestId id, tcp::socket socket) = 0;
    virtual void failed(engine::RequestId id, Error error) = 0;
};

class Exchange final : public std::enable_shared_from_this<Exchange> {
  public:
    struct Request {
        engine::RequestId id = 0;
        std::string head;
        Bytes body;
    };
    Exchange(boost::asio::io_context& io, ExchangeOwner& owner, const ServerUrl& url,
             const NativeLimits& limits, Request request);

    // With a kept-alive connection, or none.
    void start(std::optional<tcp::socket> kept);
    // Reports nothing from now on.
    void cancel();

  private:
    enum class Stage { kNew, kResolving, kConnecting, kOpen, kDone };
    using SteadyClock = std::chrono::steady_clock;

    void to(Stage next);
    void find_addresses();
    void connect_next();
    void connected(const boost::system::error_code& ec);
    void send();
    void receive();
    void received(const boost::system::error_code& ec, std::size_t bytes);
    void took(std::size_t bytes);
    bool took_some(BytesView bytes);
    void lost(Error error);
    void finish();
    void fail_now(Error error);
    bool is_current(unsigned attempt) const {
        return stage_ != Stage::kDone && attempt == attempt_;
    }
    void set_deadline(SteadyClock::time_point when);
    void watch();
    void timed_out();

    boost::asio::io_context& io_;
    ExchangeOwner& owner_;
    const ServerUrl& url_;
    const NativeLimits& limits_;
    Request request_;
    Stage stage_ = Stage::kNew;
    unsigned attempt_ = 0;  // of a socket
    tcp::socket socket_;
    tcp::resolver resolver_;
    std::vector<tcp::endpoint> addresses_;  // not tried yet, in reverse
    std::string last_trouble_;              // of the addresses tried
    boost::asio::steady_timer timer_;
    SteadyClock::time_point deadline_{};
    SteadyClock::time_point connect_until_{};
    bool reused_ = false;
    bool sent_ = false;      // all of the request
    bool answered_ = false;  // at least a byte
    bool reported_start_ = false;
    std::unique_ptr<ResponseReader> reader_;
    std::vector<char> buffer_;
    Bytes body_;
};

}  // namespace skerry::host
