#include "server/listener/listener.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <deque>
#include <exception>

#include "server/listener/connection.hpp"
#include "server/listener/file_watch.hpp"

namespace skerry::server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {
// Connections beyond the limit that are still told 503; beyond these they are closed without a
// word.
constexpr std::size_t kRefusalsMax = 100;
// Parked bodies asked before anybody else gets a turn: about a millisecond.
constexpr std::size_t kAskedAtOnce = 64;
// The watched file is written to before what was written can be seen: SQLite syncs it in between. A
// slower disk's commit is found by the tick.
constexpr int kLooks = 30;
constexpr Millis kLookEvery{1};
// Who commits all the time is not looked for all the time: each find asks every parked body.
constexpr Millis kLookAfterNews{10};
// Reasons for a warning come by the thousand (no more files, too many connections); the line says
// it once.
constexpr Micros kWarnEvery = std::chrono::minutes(1);
// How often deadlines are looked at: a walk over all connections.
constexpr Micros kSweepEvery = std::chrono::milliseconds(250);
// Files that a server needs beside its connections: databases, logs, signals.
constexpr rlim_t kOtherFiles = 256;
constexpr int kBacklog = 1024;

const Clock& system_clock() {
    static const SystemClock clock;
    return clock;
}

std::string shown(const std::string& host, std::uint16_t port) {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}
}  // namespace

struct Listener::Impl {
    Impl(http::Handler& handler, const ListenOptions& options, Log& log)
        : board{.handler = handler,
                .log = log,
                .clock = options.clock ? *options.clock : system_clock(),
                .limits = options.limits} {
        board.wake = [this] { wake(); };
        board.gone = [this] { gone(); };
        const auto& limits = options.limits;
        sweep_every = std::clamp<Micros>(
            std::min({limits.header_time, limits.body_idle, limits.write_span, limits.linger}) / 4,
            limits.tick, std::max<Micros>(kSweepEvery, limits.tick));
    }
    ~Impl() {
        board.gone = {};
        close_all();
    }

    Result<void> bind(const ListenOptions& options);
    Result<tcp::endpoint> find(const ListenOptions& options);
    void accept();
    void accepted(tcp::socket socket);
    bool close_who_waits();
    std::optional<asio::ip::address> counted_for(const tcp::socket& socket) const;
    bool has_too_many(const asio::ip::address& from);
    void warn(std::string_view text);
    void tick();
    void look();
    void watch(const std::string& path);
    bool has_news(bool (http::Handler::*ask)());
    void sweep(Micros now);
    void wake();
    void ask_some();
    void begin_stop();
    void gone();
    void close_all();
    void run();

    std::vector<std::shared_ptr<Connection>> all() const;

    asio::io_context io{1};
    tcp::acceptor acceptor{io};
    asio::steady_timer timer{io};
    asio::steady_timer grace{io};
    asio::steady_timer next_look{io};
    std::unique_ptr<FileWatch> watching;
    int looks = 0;  // still to come
    Board board;
    std::string address;
    std::uint16_t port = 0;
    Micros sweep_every{0};
    Micros swept{0};
    std::optional<Micros> warned;
    bool accepting = false;
    std::deque<std::shared_ptr<Connection>> to_ask;  // the wake round under way
    bool wake_again = false;                         // a wake came during it
    std::atomic<std::size_t> connections{0};
};

// ---- binding ----

Result<tcp::endpoint> Listener::Impl::find(const ListenOptions& options) {
    if (options.host.empty())  // a resolver would take it for every interface
        return fail(Code::kInvalidArgument, "the host to listen on is empty");
    error_code ec;
    const auto literal = asio::ip::make_address(options.host, ec);
    if (!ec) return tcp::endpoint(literal, options.port);
    tcp::resolver resolver(io);
    const auto found =
        resolver.resolve(options.host, std::to_string(options.port), tcp::resolver::passive, ec);
    if (ec || found.empty())
        return fail(Code::kInvalidArgument,
                    "the host \"" + options.host + "\" has no address: " + ec.message());
    return found.begin()->endpoint();
}

Result<void> Listener::Impl::bind(const ListenOptions& options) {
    SKERRY_ASSIGN(const tcp::endpoint endpoint, find(options));
    const std::string name = shown(options.host, options.port);
    error_code ec;
    acceptor.open(endpoint.protocol(), ec);
    if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor.bind(endpoint, ec);
    if (!ec) acceptor.listen(kBacklog, ec);
    if (ec == asio::error::address_in_use)
        return fail(Code::kAddressInUse, name + " is in use by another program");
    if (ec == boost::system::errc::permission_denied)
        return fail(Code::kInvalidArgument,
                    "not permitted to listen on " + name + " (ports below 1024 are privileged)");
    if (ec == boost::system::errc::address_not_available)
        return fail(Code::kInvalidArgument, name + " is not an address of this machine");
    if (ec) return fail(Code::kIo, "listening on " + name + ": " + ec.message());
    acceptor.non_blocking(true, ec);
    port = acceptor.local_endpoint(ec).port();
    if (ec) return fail(Code::kIo, "listening on " + name + ": " + ec.message());
    address = shown(options.host, port);
    return {};
}

// ---- accepting ----

void Listener::Impl::accept() {
    accepting = true;
    acceptor.async_accept([this](const error_code& ec, tcp::socket socket) {
        accepting = false;
        if (ec) {
            // Mostly "too many open files": the next tick tries again, when some have been closed.
            if (ec != asio::error::connection_aborted) warn("accept: " + ec.message());
            if (ec == asio::error::no_descriptors && close_who_waits()) accept();
            return;
        }
        accepted(std::move(socket));
        accept();
    });
}

void Listener::Impl::accepted(tcp::socket socket) {
    error_code ec;
    socket.non_blocking(true, ec);
    if (!ec) socket.set_option(tcp::no_delay(true), ec);
    if (ec) return;  // the client is gone already
    const std::string most = std::to_string(board.limits.connections) + " connections";
    if (board.connections.size() >= board.limits.connections && close_who_waits())
        warn("more than " + most + ": closing those that wait for longest");
    const std::size_t open = board.connections.size();
    const bool full = open >= board.limits.connections;
    if (full) warn("more than " + most + ": refusing new ones");
    if (open >= board.limits.connections + std::min(kRefusalsMax, board.limits.connections / 4 + 1)) return;
    auto from = counted_for(socket);
    const bool too_many = from && has_too_many(*from);
    auto connection = std::make_shared<Connection>(board, std::move(socket), std::move(from));
    board.connections.emplace(connection.get(), connection);
    connections = board.connections.size();
    if (board.stopping)
        connection->start_refusing("the server is stopping");
    else if (full)
        connection->start_refusing("too many connections");
    else if (too_many)
        connection->start_refusing("too many connections from one address");
    else
        connection->start();
}

// Of those that wait for a request's head the one that does for longest. False: nobody does.
bool Listener::Impl::close_who_waits() {
    if (board.headless.empty()) return false;
    board.connections.at(board.headless.front())->close();
    return true;
}

// The address that a connection counts for: of IPv6 the first half. None: it is gone, or not counted.
std::optional<asio::ip::address> Listener::Impl::counted_for(const tcp::socket& socket) const {
    error_code ec;
    auto peer = socket.remote_endpoint(ec).address();
    if (ec) return std::nullopt;
    if (peer.is_v6() && peer.to_v6().is_v4_mapped())
        peer = asio::ip::make_address_v4(asio::ip::v4_mapped, peer.to_v6());
    if (peer.is_loopback() && board.limits.loopback == ListenLimits::Loopback::kUnlimited)
        return std::nullopt;
    if (!peer.is_v6()) return peer;
    auto bytes = peer.to_v6().to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
    return asio::ip::address(asio::ip::address_v6(bytes));
}

bool Listener::Impl::has_too_many(const asio::ip::address& from) {
    const auto there = board.addresses.find(from);
    if (there == board.addresses.end() || there->second < board.limits.address_connections)
        return false;
    warn("more than " + std::to_string(board.limits.address_connections) +
         " connections from one address: refusing new ones");
    return true;
}

void Listener::Impl::warn(std::string_view text) {
    const Micros now = board.clock.mono();
    if (warned && now - *warned < kWarnEvery) return;
    warned = now;
    board.log.line(LogLevel::kWarn, "http: " + std::string(text));
}

// ---- waking ----

void Listener::Impl::tick() {
    if (!accepting) accept();
    if (has_news(&http::Handler::tick)) wake();
    const Micros now = board.clock.mono();
    std::vector<Connection*> due;
    for (const auto& [when, connection] : board.parked) {
        if (when > now) break;
        due.push_back(connection);
    }
    for (Connection* connection : due) {
        const auto it = board.connections.find(connection);
        if (it == board.connections.end()) continue;
        const auto held = it->second;
        held->ask();
    }
    if (now - swept >= sweep_every) sweep(now);
    timer.expires_after(board.limits.tick);
    timer.async_wait([this](const error_code& ec) {
        if (!ec) tick();
    });
}

bool Listener::Impl::has_news(bool (http::Handler::*ask)()) {
    bool news = false;
    try {
        news = (board.handler.*ask)();
        news = board.handler.take_wake() || news;
    } catch (const std::exception& e) {
        board.log.line(LogLevel::kError, std::string("http: tick: ") + e.what());
    }
    return news;
}

void Listener::Impl::look() {
    const bool news = has_news(&http::Handler::look);
    if (news) wake();
    if (--looks <= 0) return;
    next_look.expires_after(news ? kLookAfterNews : kLookEvery);
    next_look.async_wait([this](const error_code& ec) {
        if (!ec) look();
    });
}

void Listener::Impl::watch(const std::string& path) {
    watching = std::make_unique<FileWatch>(io, path, [this] {
        const bool idle = looks <= 0;
        looks = kLooks;
        if (idle) look();
    });
    if (!watching->trouble().empty())
        board.log.line(LogLevel::kInfo, "http: what other programs write is found a little later: " +
                                            watching->trouble());
}

void Listener::Impl::sweep(Micros now) {
    swept = now;
    for (const auto& connection : all()) connection->check_deadline(now);
}

void Listener::Impl::wake() {
    ++board.wakes;
    if (!to_ask.empty()) {
        wake_again = true;
        return;
    }
    for (const auto& [when, connection] : board.parked)
        to_ask.push_back(board.connections.at(connection));
    if (!to_ask.empty()) asio::post(io, [this] { ask_some(); });
}

void Listener::Impl::ask_some() {
    for (std::size_t i = 0; i < kAskedAtOnce && !to_ask.empty(); ++i) {
        const auto connection = std::move(to_ask.front());
        to_ask.pop_front();
        connection->ask();
    }
    if (!to_ask.empty())
        asio::post(io, [this] { ask_some(); });
    else if (std::exchange(wake_again, false))
        wake();
}

// ---- ending ----

std::vector<std::shared_ptr<Connection>> Listener::Impl::all() const {
    std::vector<std::shared_ptr<Connection>> out;
    out.reserve(board.connections.size());
    for (const auto& [key, connection] : board.connections) out.push_back(connection);
    return out;
}

void Listener::Impl::begin_stop() {
    if (std::exchange(board.stopping, true)) return;
    board.handler.stop();
    for (const auto& connection : all()) connection->wind_down();
    if (board.early == 0) return io.stop();
    grace.expires_after(board.limits.stop_grace);
    grace.async_wait([this](const error_code& ec) {
        if (ec) return;
        board.log.line(LogLevel::kWarn, "http: " + std::to_string(board.early) +
                                            " responses did not finish in time: cut");
        io.stop();
    });
}

void Listener::Impl::gone() {
    connections = board.connections.size();
    if (board.stopping && board.early == 0) io.stop();
}

void Listener::Impl::close_all() {
    for (const auto& connection : all()) connection->close();
    connections = 0;
}

void Listener::Impl::run() {
    asio::post(io, [this] { tick(); });
    // A handler's exceptions are caught where it is called; what arrives here is a bug or a lack of
    // memory, and one connection's trouble must not end everybody's.
    while (!io.stopped()) {
        try {
            io.run();
        } catch (const std::exception& e) {
            board.log.line(LogLevel::kError, std::string("http: ") + e.what());
        }
    }
    error_code ignored;
    acceptor.close(ignored);
    close_all();
}

Listener::Listener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::~Listener() = default;

Result<std::unique_ptr<Listener>> Listener::open(http::Handler& handler,
                                                 const ListenOptions& options, Log& log) {
    auto impl = std::make_unique<Impl>(handler, options, log);
    SKERRY_TRY(impl->bind(options));
    if (!options.watched.empty()) impl->watch(options.watched);
    return std::unique_ptr<Listener>(new Listener(std::move(impl)));
}

std::uint16_t Listener::port() const {
    return impl_->port;
}
std::string Listener::address() const {
    return impl_->address;
}
std::size_t Listener::connections() const {
    return impl_->connections;
}
void Listener::run() {
    impl_->run();
}
void Listener::stop() {
    asio::post(impl_->io, [impl = impl_.get()] { impl->begin_stop(); });
}

void Listener::run_until_signal(const std::function<void()>& on_ready) {
    asio::signal_set signals(impl_->io);
    error_code ec;
    signals.add(SIGINT, ec);
    if (!ec) signals.add(SIGTERM, ec);
    if (ec) impl_->board.log.line(LogLevel::kWarn, "http: signals: " + ec.message());
    signals.async_wait([this, &signals](const error_code& failed, int) {
        if (failed) return;
        impl_->board.log.line(LogLevel::kInfo, "http: stopping");
        signals.async_wait([this](const error_code& failed_again, int) {
            if (!failed_again) impl_->io.stop();
        });
        impl_->begin_stop();
    });
    if (on_ready) on_ready();
    impl_->run();
}

namespace {
// Lifts the soft limit of open files, and gives the connections that fit under what it is then: a
// server that has no file left for its database serves nobody.
std::size_t connections_that_fit(std::size_t wanted, Log& log) {
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return wanted;
    if (files.rlim_cur < wanted + kOtherFiles) {
        rlimit lifted = files;
        lifted.rlim_cur = std::min(files.rlim_max, rlim_t{wanted + kOtherFiles});
        if (setrlimit(RLIMIT_NOFILE, &lifted) == 0) files = lifted;
    }
    const rlim_t room = files.rlim_cur >= 2 * kOtherFiles ? files.rlim_cur - kOtherFiles : files.rlim_cur / 2;
    if (room >= wanted) return wanted;
    log.line(LogLevel::kWarn, "http: the limit of open files is " + std::to_string(files.rlim_cur) + ": at most " +
                                  std::to_string(room) + " connections instead of " + std::to_string(wanted));
    return room;
}
}  // namespace

Result<void> serve_until_signal(http::Handler& handler, const ListenOptions& options, Log& log,
                                const std::function<void(std::uint16_t port)>& on_ready) {
    ListenOptions fitting = options;
    fitting.limits.connections = connections_that_fit(options.limits.connections, log);
    SKERRY_ASSIGN(const auto listener, Listener::open(handler, fitting, log));
    log.line(LogLevel::kInfo, "http: listening on " + listener->address());
    listener->run_until_signal([&] {
        if (on_ready) on_ready(listener->port());
    });
    return {};
}

}  // namespace skerry::server
