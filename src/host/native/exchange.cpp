#include "host/native/exchange.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "base/assert.hpp"

namespace skerry::host {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {
constexpr std::size_t kReadBytes = 64u << 10;
}

Exchange::Exchange(asio::io_context& io, ExchangeOwner& owner, const ServerUrl& url,
                   const NativeLimits& limits, Request request)
    : io_(io),
      owner_(owner),
      url_(url),
      limits_(limits),
      request_(std::move(request)),
      socket_(io),
      resolver_(io),
      timer_(io),
      reader_(std::make_unique<ResponseReader>(limits.response_head_bytes)) {}

void Exchange::to(Stage next) {
    const auto legal = [](Stage from, Stage into) {
        switch (into) {
            case Stage::kNew:
                return false;
            case Stage::kResolving:
                return from == Stage::kNew || from == Stage::kOpen;
            case Stage::kConnecting:
                return from == Stage::kResolving || from == Stage::kConnecting;
            case Stage::kOpen:
                return from == Stage::kNew || from == Stage::kConnecting;
            case Stage::kDone:
                return from != Stage::kDone;
        }
        return false;
    };
    SKERRY_ASSERT(legal(stage_, next));
    stage_ = next;
}

void Exchange::start(std::optional<tcp::socket> kept) {
    watch();
    if (!kept) return find_addresses();
    reused_ = true;
    socket_ = std::move(*kept);
    ++attempt_;
    to(Stage::kOpen);
    send();
}

void Exchange::cancel() {
    if (stage_ == Stage::kDone) return;
    to(Stage::kDone);
    error_code ignored;
    socket_.close(ignored);
    resolver_.cancel();
    timer_.cancel();
}

// ---- connecting ----

void Exchange::find_addresses() {
    to(Stage::kResolving);
    ++attempt_;
    connect_until_ = SteadyClock::now() + limits_.connect_time;
    set_deadline(connect_until_);
    error_code not_literal;
    const auto literal = asio::ip::make_address(url_.host, not_literal);
    addresses_.clear();
    if (!not_literal) {
        addresses_ = {tcp::endpoint(literal, url_.port)};
    } else if (url_.host == "localhost") {  // in reverse: IPv4 first
        addresses_ = {tcp::endpoint(asio::ip::address_v6::loopback(), url_.port),
                      tcp::endpoint(asio::ip::address_v4::loopback(), url_.port)};
    }
    if (!addresses_.empty()) {
        asio::post(io_, [self = shared_from_this(), attempt = attempt_] {
            if (self->is_current(attempt)) self->connect_next();
        });
        return;
    }
    resolver_.async_resolve(
        url_.host, std::to_string(url_.port),
        [self = shared_from_this(), attempt = attempt_](const error_code& ec,
                                                        const tcp::resolver::results_type& found) {
            if (!self->is_current(attempt)) return;
            for (const auto& entry : found) self->addresses_.push_back(entry.endpoint());
            std::ranges::reverse(self->addresses_);
            if (ec || self->addresses_.empty())
                return self->fail_now(
                    Error{Code::kOffline,
                          "the name " + self->url_.host + " cannot be resolved: " + ec.message(),
                          {}});
            self->connect_next();
        });
}

void Exchange::connect_next() {
    if (addresses_.empty())
        return fail_now(Error{
            Code::kOffline, "cannot connect to " + url_.authority + ": " + last_trouble_, {}});
    to(Stage::kConnecting);
    ++attempt_;
    const tcp::endpoint address = addresses_.back();
    // Each address gets its share of the time, so that a dead one leaves some to the next.
    const auto now = SteadyClock::now();
    set_deadline(now + (connect_until_ - now) / static_cast<int>(addresses_.size()));
    addresses_.pop_back();
    error_code ec;
    socket_.close(ec);
    socket_.open(address.protocol(), ec);
    if (ec) return connected(ec);
    socket_.async_connect(
        address, [self = shared_from_this(), attempt = attempt_](const error_code& failed) {
            if (self->is_current(attempt)) self->connected(failed);
        });
}

void Exchange::connected(const error_code& ec) {
    if (ec) {
        last_trouble_ = ec.message();
        return connect_next();
    }
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    to(Stage::kOpen);
    send();
}

// ---- talking ----

void Exchange::send() {
    set_deadline(SteadyClock::now() + limits_.silence);
    sent_ = false;
    const std::array<asio::const_buffer, 2> buffers{asio::buffer(request_.head),
                                                    asio::buffer(request_.body)};
    const auto progress = [this, attempt = attempt_](const error_code& ec,
                                                     std::size_t) -> std::size_t {
        if (ec || !is_current(attempt)) return 0;
        set_deadline(SteadyClock::now() + limits_.silence);
        return kReadBytes;
    };
    // A failure to send is not the end: an answer may be on its way (413), and if none is, reading
    // fails too.
    asio::async_write(
        socket_, buffers, progress,
        [self = shared_from_this(), attempt = attempt_](const error_code& ec, std::size_t) {
            if (self->is_current(attempt)) self->sent_ = !ec;
        });
    receive();
}

void Exchange::receive() {
    if (buffer_.empty()) buffer_.resize(kReadBytes);
    socket_.async_read_some(asio::buffer(buffer_), [self = shared_from_this(), attempt = attempt_](
                                                       const error_code& ec, std::size_t bytes) {
        if (self->is_current(attempt)) self->received(ec, bytes);
    });
}

void Exchange::received(const error_code& ec, std::size_t bytes) {
    if (!ec) {
        answered_ = true;
        set_deadline(SteadyClock::now() + limits_.silence);
        return took(bytes);
    }
    if (ec == asio::error::eof) {
        if (reader_->end() == ResponseReader::State::kWhole) return finish();
        return lost(reader_->error());
    }
    lost(Error{
        Code::kOffline, "the connection to " + url_.authority + " broke: " + ec.message(), {}});
}

void Exchange::took(std::size_t bytes) {
    BytesView rest(buffer_.data(), bytes);
    do {
        if (!took_some(rest)) return;
        rest = {};
    } while (reader_->has_more());
    receive();
}

// False: this was all, whether it went well or not.
bool Exchange::took_some(BytesView bytes) {
    body_.clear();
    const std::uint64_t before = reader_->transferred();
    const auto state = reader_->feed(bytes, body_);
    const bool has_head = state == ResponseReader::State::kBody ||
                          state == ResponseReader::State::kWhole || reader_->info().status >= 200;
    // Each report may end in cancel().
    if (has_head && !std::exchange(reported_start_, true)) {
        owner_.started(request_.id, reader_->info());
    } else if (!has_head && state == ResponseReader::State::kRefused) {
        fail_now(reader_->error());
        return false;
    }
    if (stage_ == Stage::kDone) return false;
    const auto transferred = static_cast<std::size_t>(reader_->transferred() - before);
    if (transferred != 0 || !body_.empty()) owner_.bytes(request_.id, body_, transferred);
    if (stage_ == Stage::kDone) return false;
    if (state == ResponseReader::State::kWhole) finish();
    if (state == ResponseReader::State::kRefused) fail_now(reader_->error());
    return state != ResponseReader::State::kWhole && state != ResponseReader::State::kRefused;
}

// The connection broke.
void Exchange::lost(Error error) {
    if (!reused_ || answered_) return fail_now(std::move(error));
    reused_ = false;
    reader_ = std::make_unique<ResponseReader>(limits_.response_head_bytes);
    error_code ignored;
    socket_.close(ignored);
    find_addresses();
}

// ---- ending ----

void Exchange::finish() {
    const auto self = shared_from_this();
    to(Stage::kDone);
    timer_.cancel();
    error_code ignored;
    if (!sent_ || !reader_->reusable()) socket_.close(ignored);
    owner_.ended(request_.id, std::move(socket_));
}

void Exchange::fail_now(Error error) {
    const auto self = shared_from_this();
    cancel();
    owner_.failed(request_.id, std::move(error));
}

// ---- deadlines ----

// The timer runs to some earlier deadline and then looks again: progress costs a store, not a
// system call.
void Exchange::set_deadline(SteadyClock::time_point when) {
    deadline_ = when;
    if (when < timer_.expiry()) watch();
}

void Exchange::watch() {
    timer_.expires_at(deadline_);
    timer_.async_wait([self = shared_from_this()](const error_code& ec) {
        if (ec || self->stage_ == Stage::kDone) return;
        if (SteadyClock::now() < self->deadline_) return self->watch();
        self->timed_out();
    });
}

void Exchange::timed_out() {
    switch (stage_) {
        case Stage::kConnecting:
            last_trouble_ = "no answer within the time limit";
            watch();
            return connect_next();
        case Stage::kResolving:
            return fail_now(
                Error{Code::kOffline,
                      "the name " + url_.host + " was not resolved within the time limit",
                      {}});
        case Stage::kOpen:
            return fail_now(Error{Code::kOffline, url_.authority + " was silent for too long", {}});
        case Stage::kNew:
        case Stage::kDone:
            return;
    }
}

}  // namespace skerry::host
