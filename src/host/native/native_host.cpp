#include "host/native/native_host.hpp"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>

#include "base/assert.hpp"
#include "coding/zstd.hpp"
#include "host/native/exchange.hpp"
#include "wire/frame.hpp"

namespace skerry::host {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// The engine has two channels; an enrolment may overlap with one. More is a bug of ours.
constexpr std::size_t kRequestsMax = 4;
constexpr std::size_t kKeptMax = 2;
// The server takes 16 KiB of headers in all.
constexpr std::size_t kTokenBytesMax = 8u << 10;
constexpr std::chrono::milliseconds kPollTime{20};

// A line end in a token would let whoever makes tokens add headers or whole requests.
Result<void> check_token(std::string_view token) {
    if (token.size() > kTokenBytesMax)
        return fail(Code::kInvalidArgument,
                    "the token is longer than " + std::to_string(kTokenBytesMax) + " bytes");
    const auto is_odd = [](char c) { return c < 0x21 || c > 0x7e; };
    if (std::ranges::any_of(token, is_odd))
        return fail(Code::kInvalidArgument,
                    "the token contains a blank, a line end or a character beyond ASCII");
    return {};
}

bool is_plain_path(std::string_view path) {
    return path.starts_with('/') &&
           std::ranges::none_of(path, [](char c) { return c < 0x21 || c > 0x7e; });
}

}  // namespace

struct NativeHost::Impl final : ExchangeOwner {
    Impl(std::unique_ptr<EngineLink> link, NativeOptions given, ServerUrl parsed, Log& to)
        : engine(std::move(link)), options(std::move(given)), url(std::move(parsed)), log(to) {}
    ~Impl() override {
        for (const auto& [id, exchange] : exchanges) exchange->cancel();
    }

    void started(engine::RequestId id, const ResponseInfo& info) override;
    void bytes(engine::RequestId id, BytesView bytes, std::size_t transferred) override;
    void ended(engine::RequestId id, tcp::socket socket) override;
    void failed(engine::RequestId id, Error error) override;

    template <class Report>
    void event(Report report);
    void take_actions();
    void carry_out(engine::SendRequest& action);
    void carry_out(const engine::CancelRequest& action);
    void carry_out(const engine::SetTimer& action);
    void fail_soon(engine::RequestId id, Error error);
    std::string head_of(const engine::SendRequest& action) const;
    std::optional<tcp::socket> kept_connection();
    void begin();

    struct Kept {
        tcp::socket socket;
        std::chrono::steady_clock::time_point since;
    };

    std::unique_ptr<EngineLink> engine;
    NativeOptions options;
    const ServerUrl url;
    Log& log;
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    asio::steady_timer timer{io};
    std::uint64_t timer_set =
        0;  // counts, so that a timer that was replaced while it fired is not reported
    std::map<engine::RequestId, std::shared_ptr<Exchange>> exchanges;
    std::map<engine::RequestId, Error> refused;  // by us; reported by a posted step
    std::deque<Kept> kept;
    bool in_event = false;
};

// ---- events ----

template <class Report>
void NativeHost::Impl::event(Report report) {
    SKERRY_ASSERT(!in_event);
    in_event = true;
    report(*engine);
    take_actions();
    if (options.after_event) {
        options.after_event();
        take_actions();
    }
    in_event = false;
}

void NativeHost::Impl::started(engine::RequestId id, const ResponseInfo& info) {
    event([&](EngineLink& to) {
        to.response_started(id, info.status, info.content_type, info.retry_after);
    });
}

void NativeHost::Impl::bytes(engine::RequestId id, BytesView bytes, std::size_t transferred) {
    event([&](EngineLink& to) { to.response_bytes(id, bytes, transferred); });
}

void NativeHost::Impl::ended(engine::RequestId id, tcp::socket socket) {
    exchanges.erase(id);
    if (socket.is_open()) {
        if (kept.size() == kKeptMax) kept.pop_front();
        kept.push_back(Kept{std::move(socket), std::chrono::steady_clock::now()});
    }
    event([&](EngineLink& to) { to.response_ended(id); });
}

void NativeHost::Impl::failed(engine::RequestId id, Error error) {
    exchanges.erase(id);
    log.line(LogLevel::kDebug, "network: request " + std::to_string(id) + ": " + error.message);
    event([&](EngineLink& to) { to.request_failed(id, std::move(error)); });
}

// ---- actions ----

void NativeHost::Impl::take_actions() {
    // Carrying out reports nothing, so the engine has no new ones afterwards.
    for (auto& action : engine->take_actions())
        std::visit([this](auto& one) { carry_out(one); }, action);
}

void NativeHost::Impl::carry_out(engine::SendRequest& action) {
    if (exchanges.size() + refused.size() >= kRequestsMax || exchanges.contains(action.id))
        return fail_soon(action.id, Error{Code::kInternal, "too many requests at once", {}});
    if (!is_plain_path(action.path))
        return fail_soon(action.id, Error{Code::kInternal, "the request's path is malformed", {}});
    Exchange::Request request;
    request.id = action.id;
    request.head = head_of(action);
    request.body = std::move(action.body);
    auto exchange = std::make_shared<Exchange>(io, *this, url, options.limits, std::move(request));
    exchanges.emplace(action.id, exchange);
    exchange->start(kept_connection());
}

void NativeHost::Impl::carry_out(const engine::CancelRequest& action) {
    refused.erase(action.id);
    const auto it = exchanges.find(action.id);
    if (it == exchanges.end()) return;  // it has ended meanwhile
    it->second->cancel();
    exchanges.erase(it);
    // What is given up may have been silent because the line is dead or another one by now, and so are
    // those that were kept.
    kept.clear();
}

void NativeHost::Impl::carry_out(const engine::SetTimer& action) {
    const std::uint64_t number = ++timer_set;
    timer.expires_after(std::max(action.after, Millis{0}));
    timer.async_wait([this, number](const error_code& ec) {
        if (ec || number != timer_set) return;
        event([](EngineLink& to) { to.timer_fired(); });
    });
}

void NativeHost::Impl::fail_soon(engine::RequestId id, Error error) {
    log.line(LogLevel::kError, "network: request " + std::to_string(id) + ": " + error.message);
    refused.insert_or_assign(id, std::move(error));
    asio::post(io, [this, id] {
        auto found = refused.extract(id);
        if (found.empty()) return;  // cancelled
        event([&](EngineLink& to) { to.request_failed(id, std::move(found.mapped())); });
    });
}

std::string NativeHost::Impl::head_of(const engine::SendRequest& action) const {
    std::string head = "POST " + url.prefix + action.path + " HTTP/1.1\r\nHost: " + url.authority;
    if (!options.token.empty()) head += "\r\nAuthorization: Bearer " + options.token;
    head += "\r\nContent-Type: ";
    head += wire::kContentType;
    head += "\r\nAccept: ";
    head += wire::kContentType;
    head += "\r\nAccept-Encoding: ";
    head += coding::kZstd;
    head += "\r\nContent-Length: " + std::to_string(action.body.size()) + "\r\n\r\n";
    return head;
}

// The most recently used connection that is not too old and that the server has not closed.
std::optional<tcp::socket> NativeHost::Impl::kept_connection() {
    const auto oldest = std::chrono::steady_clock::now() - options.limits.keep_idle;
    while (!kept.empty()) {
        Kept last = std::move(kept.back());
        kept.pop_back();
        char byte = 0;
        error_code ec;
        last.socket.non_blocking(true, ec);
        if (!ec) last.socket.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, ec);
        const bool quiet = ec == asio::error::would_block || ec == asio::error::try_again;
        if (quiet && last.since >= oldest) return std::move(last.socket);
    }
    return std::nullopt;
}

// ---- driving ----

void NativeHost::Impl::begin() {
    SKERRY_ASSERT(!in_event);
    io.restart();
    take_actions();
}

NativeHost::NativeHost(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NativeHost::~NativeHost() = default;

Result<std::unique_ptr<NativeHost>> NativeHost::open_link(std::unique_ptr<EngineLink> engine,
                                                          NativeOptions options, Log& log) {
    SKERRY_ASSIGN(ServerUrl url, parse_server_url(options.server_url));
    SKERRY_TRY(check_token(options.token));
    return std::unique_ptr<NativeHost>(new NativeHost(
        std::make_unique<Impl>(std::move(engine), std::move(options), std::move(url), log)));
}

void NativeHost::run_for(Millis limit) {
    impl_->begin();
    impl_->io.run_for(limit);
}

void NativeHost::poll() {
    impl_->begin();
    const auto until = std::chrono::steady_clock::now() + kPollTime;
    while (impl_->io.poll_one() != 0 && std::chrono::steady_clock::now() < until) {
    }
}

void NativeHost::stop() {
    impl_->io.stop();
}

Result<void> NativeHost::set_token(std::string token) {
    SKERRY_TRY(check_token(token));
    impl_->options.token = std::move(token);
    return {};
}

}  // namespace skerry::host
