#include "server/listener/connection.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <exception>

#include "base/assert.hpp"

namespace skerry::server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {
constexpr std::uint32_t kBusyRetryAfterS = 5;
// A piece larger than this gives its memory back when it is written; smaller ones are reused.
constexpr std::size_t kOutKeptMax = 128u << 10;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

http::Response bare(int status) {
    http::Response response;
    response.status = status;
    return response;
}

void note(Log& log, LogLevel level, std::string_view what, std::string_view why) {
    std::string line{"http: "};
    line += what;
    line += ": ";
    line += why;
    log.line(level, line);
}
}  // namespace

Connection::Connection(Board& board, tcp::socket socket,
                       std::optional<boost::asio::ip::address> from)
    : board_(board),
      late_(board.stopping),
      socket_(std::move(socket)),
      reader_(board.limits.head,
              [this](const http::Request& head, std::optional<std::size_t> here) {
                  return admit(head, here);
              }),
      from_(std::move(from)) {
    if (!late_) ++board_.early;
    if (from_) ++board_.addresses[*from_];
}

void Connection::to(Stage next) {
    const auto legal = [](Stage from, Stage into) {
        switch (into) {
            case Stage::kIdle:
                return from == Stage::kWriting;
            case Stage::kReading:
                return from == Stage::kIdle;
            case Stage::kWriting:
                return from == Stage::kIdle || from == Stage::kReading || from == Stage::kParked;
            case Stage::kParked:
                return from == Stage::kWriting;
            case Stage::kLingering:
                return from == Stage::kWriting;
            case Stage::kClosed:
                return from != Stage::kClosed;
        }
        return false;
    };
    SKERRY_ASSERT(legal(stage_, next));
    stage_ = next;
}

void Connection::set_deadline(Micros after) {
    deadline_ = board_.clock.mono() + after;
}

void Connection::start() {
    await_head();
    set_deadline(board_.limits.header_time);
    wait_readable();
}

void Connection::start_refusing(std::string_view why) {
    refuse({503, std::string(why), Code::kServerBusy});
}

void Connection::await_head() {
    headless_ = board_.headless.insert(board_.headless.end(), this);
}

void Connection::has_head() {
    if (headless_) board_.headless.erase(*headless_);
    headless_.reset();
}

// ---- reading ----

void Connection::wait_readable() {
    if (waiting_ || stage_ == Stage::kClosed) return;
    waiting_ = true;
    socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const error_code& ec) {
        self->waiting_ = false;
        if (self->stage_ == Stage::kClosed) return;
        if (ec) return self->close();
        self->on_readable();
    });
}

void Connection::on_readable() {
    switch (stage_) {
        case Stage::kIdle:
        case Stage::kReading:
            return read();
        case Stage::kParked:
            return watch_parked();
        case Stage::kLingering:
            return drain();
        case Stage::kWriting:  // whatever it is, it is looked at when the response is done or
                               // parked
        case Stage::kClosed:
            return;
    }
}

void Connection::read() {
    error_code ec;
    const std::size_t bytes = socket_.read_some(asio::buffer(board_.scratch), ec);
    if (ec == asio::error::would_block || ec == asio::error::try_again) return wait_readable();
    if (ec)
        return close();  // a client that goes away, politely or not; half a request is of no use
    took(reader_.feed(BytesView(board_.scratch.data(), bytes)));
}

void Connection::took(RequestReader::State state) {
    const auto& limits = board_.limits;
    switch (state) {
        case RequestReader::State::kIdle:
            return wait_readable();
        case RequestReader::State::kHeader:
            if (stage_ == Stage::kIdle) {
                to(Stage::kReading);
                // A first request's time runs since accept, so that silence there is no way around
                // it.
                const Micros until = board_.clock.mono() + limits.header_time;
                deadline_ = what_.empty() ? std::min(deadline_, until) : until;
            }
            return wait_readable();
        case RequestReader::State::kBody: {
            has_head();
            if (stage_ == Stage::kIdle) to(Stage::kReading);
            const Micros now = board_.clock.mono();
            if (body_since_ == Micros{0}) body_since_ = now;
            const std::size_t bytes = reader_.body_bytes();
            board_.bodies_bytes += bytes - body_counted_;
            body_counted_ = bytes;
            if (board_.bodies_bytes > limits.bodies_bytes)
                return refuse({503, "too many large requests at once", Code::kServerBusy});
            const std::chrono::seconds earned(bytes / limits.body_bytes_per_second);
            deadline_ = std::min(now + Micros{limits.body_idle},
                                 body_since_ + Micros{limits.body_idle} + Micros{earned});
            if (reader_.take_wants_continue()) {
                error_code ignored;  // nothing else is in the socket's buffer: 25 bytes fit
                socket_.write_some(asio::buffer(kContinue), ignored);
            }
            return wait_readable();
        }
        case RequestReader::State::kWhole:
            return handle();
        case RequestReader::State::kUnwanted:
            return refuse_early();
        case RequestReader::State::kRefused:
            return refuse(reader_.refusal());
    }
}

// A body that came with its head has cost what it can cost: it goes to the handler, and the connection
// can go on.
Admission Connection::admit(const http::Request& head, std::optional<std::size_t> here) {
    const std::size_t most = board_.handler.body_bytes_max(head.target);
    if (here && *here <= most) return {.body_bytes_max = most};
    try {
        early_ = board_.handler.refuse_early(head);
    } catch (const std::exception& e) {
        name(head);
        note(board_.log, LogLevel::kError, what_, e.what());
        early_ = bare(500);
    }
    return {.body_bytes_max = most, .wanted = !early_};
}

// While a response waits for something to say, a client that has gone away would otherwise be
// noticed at the next heartbeat only. A client that has only closed its sending half looks the
// same: it gets whole answers, but no wait.
void Connection::watch_parked() {
    char byte = 0;
    error_code ec;
    socket_.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, ec);
    if (ec == asio::error::would_block || ec == asio::error::try_again) return wait_readable();
    if (ec) close();
    // Otherwise a pipelined request: it stays in the kernel until this response is done.
}

void Connection::drain() {
    error_code ec;
    for (int i = 0; i < 16; ++i) {  // then somebody else's turn
        socket_.read_some(asio::buffer(board_.scratch), ec);
        if (ec) break;
    }
    if (ec && ec != asio::error::would_block && ec != asio::error::try_again) return close();
    wait_readable();
}

// ---- responding ----

std::string Connection::name_of_request() const {
    return what_.empty() ? "a request" : what_;
}

void Connection::forget_body_bytes() {
    board_.bodies_bytes -= std::exchange(body_counted_, 0);
    body_since_ = Micros{0};
}

// For the log.
void Connection::name(const http::Request& request) {
    what_ = request.method.substr(0, 16) + " " +
            request.target.substr(0, std::min<std::size_t>(request.target.find('?'), 80));
}

void Connection::handle() {
    has_head();
    manners_ = reader_.manners();
    http::Response response;
    {
        const http::Request request = reader_.take();
        forget_body_bytes();
        name(request);
        try {
            response = board_.handler.handle(request);
        } catch (const std::exception& e) {
            note(board_.log, LogLevel::kError, what_, e.what());
            response = bare(500);
        }
    }
    if (board_.handler.take_wake()) board_.wake();
    respond(std::move(response));
}

// The body may be on its way, so the connection cannot go on.
void Connection::refuse_early() {
    name(reader_.head());
    manners_ = reader_.manners();
    manners_.keep_alive = false;
    respond(*std::exchange(early_, std::nullopt));
}

void Connection::refuse(const Refusal& refusal) {
    note(board_.log, LogLevel::kDebug, std::to_string(refusal.status), refusal.why);
    forget_body_bytes();
    manners_ = {};  // no keep-alive: where the next request begins is anybody's guess
    http::Response response = bare(refusal.status);
    response.content_type = "text/plain; charset=utf-8";
    if (refusal.status == 503) response.retry_after_s = kBusyRetryAfterS;
    response.body = std::make_unique<http::WholeBody>(std::string(code_name(refusal.code)) + ": " +
                                                      refusal.why + "\n");
    respond(std::move(response));
}

void Connection::respond(http::Response response) {
    has_head();
    to(Stage::kWriting);
    begin_span();
    if (board_.stopping) manners_.keep_alive = false;
    body_ = std::move(response.body);
    out_.clear();
    framing_ = Framing::kLength;
    auto step = pull();
    if (!step) {
        response = bare(500);
        body_.reset();
        out_.clear();
        step = http::Step::kEnd;
    }
    const bool no_content = response.status == 204 || response.status == 304;
    if (no_content) {
        framing_ = Framing::kNone;
    } else if (*step != http::Step::kEnd) {
        framing_ = manners_.chunks ? Framing::kChunked : Framing::kUntilClose;
        if (framing_ == Framing::kUntilClose) manners_.keep_alive = false;
    }
    ResponseHead head;
    head.status = response.status;
    head.content_type = response.content_type;
    if (body_) head.content_encoding = body_->content_encoding();
    head.retry_after_s = response.retry_after_s;
    head.framing = framing_;
    head.length = out_.size();
    if (!manners_.keep_alive) head.connection = "close";
    if (manners_.keep_alive && !manners_.chunks) head.connection = "keep-alive";  // HTTP/1.0
    head_ = head_text(head);
    if (manners_.head || no_content) {
        framing_ = Framing::kNone;
        out_.clear();
        body_.reset();
        step = http::Step::kEnd;
    }
    write(*step);
}

// The next piece, into out_; nothing when the body threw, which is a bug of ours.
std::optional<http::Step> Connection::pull() {
    wakes_seen_ = board_.wakes;
    if (!body_) return http::Step::kEnd;
    try {
        return body_->next(out_);
    } catch (const std::exception& e) {
        note(board_.log, LogLevel::kError, name_of_request(), e.what());
        return std::nullopt;
    }
}

void Connection::pump() {
    SKERRY_ASSERT(stage_ == Stage::kWriting);
    out_.clear();
    const auto step = pull();
    if (!step) return close();  // the head is out: only a cut tells the client
    step_ = *step;
    if (out_.empty() && step_ == http::Step::kWait) return park();
    head_.clear();
    write(*step);
}

// Sends head_ and out_ as the framing wants them.
void Connection::write(http::Step step) {
    step_ = step;
    std::string_view tail;
    if (framing_ == Framing::kChunked) {
        if (!out_.empty()) {
            head_ += chunk_line(out_.size());
            tail = "\r\n";
        }
        if (step == http::Step::kEnd) tail = out_.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n";
    }
    const std::array<asio::const_buffer, 3> buffers{asio::buffer(head_), asio::buffer(out_),
                                                    asio::buffer(tail)};
    const auto progress = [this](const error_code& ec, std::size_t bytes) -> std::size_t {
        if (ec || stage_ == Stage::kClosed) return 0;
        writing_ = bytes;
        return 256u << 10;
    };
    asio::async_write(socket_, buffers, progress,
                      [self = shared_from_this()](const error_code& ec, std::size_t bytes) {
                          self->written_ += bytes;
                          self->writing_ = 0;
                          self->written(ec);
                      });
}

// ---- slow readers ----

void Connection::begin_span() {
    taken_ = written_ + writing_ - std::min<std::uint64_t>(unsent(), written_ + writing_);
    set_deadline(board_.limits.write_span);
}

bool Connection::takes_enough() {
    const std::size_t left = unsent();
    const std::uint64_t taken = written_ + writing_ - std::min<std::uint64_t>(left, written_ + writing_);
    const auto& limits = board_.limits;
    const auto least = limits.read_bytes_per_second *
                       static_cast<std::uint64_t>(limits.write_span.count()) / 1000;
    return left == 0 || taken - taken_ >= std::max<std::uint64_t>(least, 1);
}

// In the kernel's buffer, not acknowledged by the client's.
std::size_t Connection::unsent() const {
    int bytes = 0;
    return ::ioctl(const_cast<tcp::socket&>(socket_).native_handle(), SIOCOUTQ, &bytes) == 0
               ? static_cast<std::size_t>(bytes)
               : 0;
}

void Connection::written(const error_code& ec) {
    if (stage_ == Stage::kClosed) return;
    if (ec) return close();
    if (out_.capacity() > kOutKeptMax) out_ = {};
    switch (step_) {
        case http::Step::kMore:
            return pump();
        case http::Step::kWait:
            return park();
        case http::Step::kEnd:
            return finish_response();
    }
}

void Connection::park() {
    if (board_.stopping) return close();
    to(Stage::kParked);
    deadline_ = Micros{0};
    out_ = {};  // a parked stream may stay for days
    head_ = {};
    parked_until_ = body_->ask_again_at().value_or(Micros::max());
    board_.parked.emplace(parked_until_, this);
    wait_readable();
    if (wakes_seen_ != board_.wakes)
        asio::post(socket_.get_executor(), [self = shared_from_this()] { self->ask(); });
}

void Connection::ask() {
    if (stage_ != Stage::kParked) return;
    board_.parked.erase({parked_until_, this});
    to(Stage::kWriting);
    begin_span();
    pump();
}

void Connection::finish_response() {
    body_.reset();
    out_ = {};
    head_ = {};
    if (manners_.keep_alive && !board_.stopping) {
        to(Stage::kIdle);
        await_head();
        set_deadline(board_.limits.keep_alive);
        return took(reader_.feed({}));
    }
    to(Stage::kLingering);
    set_deadline(board_.limits.linger);
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    wait_readable();
}

// ---- ending ----

void Connection::check_deadline(Micros now) {
    if (deadline_ == Micros{0} || now < deadline_) return;
    switch (stage_) {
        case Stage::kReading:
            return refuse({408, "the request did not arrive in time", Code::kRequestTimeout});
        case Stage::kIdle:
            if (what_.empty()) return refuse({408, "no request arrived", Code::kRequestTimeout});
            return close();
        case Stage::kWriting:
            if (takes_enough()) return begin_span();
            note(board_.log, LogLevel::kDebug, name_of_request(), "the client stopped reading");
            return close();
        case Stage::kLingering:
            return close();
        case Stage::kParked:
        case Stage::kClosed:
            return;
    }
}

void Connection::wind_down() {
    manners_.keep_alive = false;
    if (stage_ == Stage::kWriting || stage_ == Stage::kLingering) return;
    if (stage_ == Stage::kReading && body_since_ != Micros{0}) return;
    if (stage_ == Stage::kParked) return ask();
    close();
}

void Connection::close() {
    if (stage_ == Stage::kClosed) return;
    const auto self = shared_from_this();  // the board's may be the last one
    if (stage_ == Stage::kParked) board_.parked.erase({parked_until_, this});
    has_head();
    to(Stage::kClosed);
    if (from_) {
        const auto counted = board_.addresses.find(*from_);
        if (--counted->second == 0) board_.addresses.erase(counted);
    }
    forget_body_bytes();
    body_.reset();
    error_code ignored;
    socket_.close(ignored);
    board_.connections.erase(this);
    if (!late_) --board_.early;
    if (board_.gone) board_.gone();
}

}  // namespace skerry::server
