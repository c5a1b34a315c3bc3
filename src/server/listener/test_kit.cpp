#include "server/listener/test_kit.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace skerry::server::testing {

// ---- client ----

Client::Client(std::uint16_t port, Window window, const char* from) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (window == Window::kSmall) {
        const int bytes = 8192;
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    }
    sockaddr_in own{};
    own.sin_family = AF_INET;
    ::inet_pton(AF_INET, from, &own.sin_addr);
    const int later = 1;  // the port is chosen when connecting: many tests share the addresses
    ::setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &later, sizeof later);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0)
        ADD_FAILURE() << "cannot come from " << from;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        ADD_FAILURE() << "cannot connect";
}

Client::~Client() {
    ::close(fd_);
}

bool Client::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void Client::end_sending() {
    ::shutdown(fd_, SHUT_WR);
}

bool Client::fill() {
    pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
    const int patience_ms = static_cast<int>(std::chrono::duration_cast<Millis>(kPatience).count());
    if (::poll(&wait, 1, patience_ms) <= 0) {
        ADD_FAILURE() << "nothing arrived";
        return false;
    }
    char buffer[65536];
    const auto bytes = ::recv(fd_, buffer, sizeof buffer, 0);
    if (bytes <= 0) return false;
    in_.append(buffer, static_cast<std::size_t>(bytes));
    return true;
}

Answer Client::receive(bool head_request) {
    Answer answer;
    std::size_t end = 0;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos)
        if (!fill()) return answer;
    answer.head = in_.substr(0, end + 2);
    in_.erase(0, end + 4);
    std::ranges::transform(answer.head, answer.head.begin(),
                           [](char c) { return static_cast<char>(std::tolower(c)); });
    answer.status = std::atoi(answer.head.c_str() + 9);
    if (head_request || answer.status == 204 || answer.status == 100) {
        answer.whole = true;
        return answer;
    }
    if (const auto at = answer.head.find("content-length: "); at != std::string::npos) {
        const auto length = std::strtoul(answer.head.c_str() + at + 16, nullptr, 10);
        while (in_.size() < length)
            if (!fill()) return answer;
        answer.body = in_.substr(0, length);
        in_.erase(0, length);
        answer.whole = true;
        return answer;
    }
    if (!answer.has("transfer-encoding: chunked")) {
        while (fill()) {
        }
        answer.body = std::exchange(in_, {});
        return answer;
    }
    for (;;) {
        while ((end = in_.find("\r\n")) == std::string::npos)
            if (!fill()) return answer;
        const auto length = std::strtoul(in_.c_str(), nullptr, 16);
        while (in_.size() < end + 2 + length + 2)
            if (!fill()) return answer;
        answer.body += in_.substr(end + 2, length);
        in_.erase(0, end + 2 + length + 2);
        if (length == 0) break;
    }
    answer.whole = true;
    return answer;
}

std::string Client::receive_until(std::string_view text) {
    std::size_t at = 0;
    while ((at = in_.find(text)) == std::string::npos)
        if (!fill()) return {};
    std::string out = in_.substr(0, at + text.size());
    in_.erase(0, at + text.size());
    return out;
}

std::string Client::receive_all() {
    while (fill()) {
    }
    return std::exchange(in_, {});
}

Answer Client::ask(std::string_view method, std::string_view target, std::string_view body,
                   std::string_view headers) {
    std::string text;
    text += method;
    text += ' ';
    text += target;
    text += " HTTP/1.1\r\nHost: test\r\n";
    text += headers;
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    text += "\r\n";
    text += body;
    if (!send(text)) return {};
    return receive(method == "HEAD");
}

// ---- handler ----

class FakeHandler::Flood final : public http::Body {
  public:
    Flood(FakeHandler& handler, int pieces) : handler_(handler), left_(pieces) {}
    ~Flood() override {
        handler_.count([](Counts& c) { --c.bodies; });
    }
    http::Step next(Bytes& out) override {
        handler_.count([](Counts& c) { ++c.pieces; });
        out.append(kPiece, 'x');
        return --left_ == 0 ? http::Step::kEnd : http::Step::kMore;
    }

  private:
    FakeHandler& handler_;
    int left_;
};

class FakeHandler::Wait final : public http::Body {
  public:
    Wait(FakeHandler& handler, std::size_t first_bytes)
        : handler_(handler), first_bytes_(first_bytes) {}
    ~Wait() override {
        handler_.count([](Counts& c) { --c.bodies; });
    }
    http::Step next(Bytes& out) override {
        std::string news;
        handler_.count([&](Counts& c) {
            news = handler_.published_.substr(seen_);
            if (!waited_) ++c.waiting;
        });
        if (!std::exchange(waited_, true)) out.append(first_bytes_, 'x');
        seen_ += news.size();
        out += news;
        return news.ends_with("end") ? http::Step::kEnd : http::Step::kWait;
    }

  private:
    FakeHandler& handler_;
    std::size_t first_bytes_;
    std::size_t seen_ = 0;
    bool waited_ = false;
};

class FakeHandler::At final : public http::Body {
  public:
    explicit At(FakeHandler& handler) : handler_(handler) {}
    ~At() override {
        handler_.count([](Counts& c) { --c.bodies; });
    }
    http::Step next(Bytes& out) override {
        const Micros now = handler_.clock_.mono();
        if (due_ && now < *due_) return http::Step::kWait;
        if (due_) out += "later ";
        due_ = now + Millis{20};
        return ++times_ == 4 ? http::Step::kEnd : http::Step::kWait;
    }
    std::optional<Micros> ask_again_at() const override { return due_; }

  private:
    FakeHandler& handler_;
    std::optional<Micros> due_;
    int times_ = 0;
};

class FakeHandler::ThrowLate final : public http::Body {
  public:
    http::Step next(Bytes& out) override {
        if (thrown_++) throw std::runtime_error("late");
        out += "begun";
        return http::Step::kMore;
    }

  private:
    int thrown_ = 0;
};

http::Response FakeHandler::handle(const http::Request& request) {
    count([&](Counts& c) {
        ++c.handled;
        c.targets.insert(request.target);
    });
    const auto body_of = [this](std::unique_ptr<http::Body> body) {
        count([](Counts& c) { ++c.bodies; });
        http::Response response;
        response.content_type = "text/plain";
        response.body = std::move(body);
        return response;
    };
    const std::string_view target = request.target;
    if (target.starts_with("/flood?"))
        return body_of(std::make_unique<Flood>(*this, std::atoi(request.target.c_str() + 7)));
    if (target == "/wait") return body_of(std::make_unique<Wait>(*this, 0));
    if (target == "/big-wait") return body_of(std::make_unique<Wait>(*this, kBigPiece));
    if (target == "/at") return body_of(std::make_unique<At>(*this));
    if (target.starts_with("/throw?")) throw std::runtime_error("thrown by the handler");
    http::Response response;
    response.content_type = request.content_type;
    if (target == "/throw-late") {
        response.body = std::make_unique<ThrowLate>();
    } else if (target == "/busy") {
        response.status = 503;
        response.retry_after_s = 7;
    } else if (target == "/closed") {
        response.status = 401;
        response.body = std::make_unique<http::WholeBody>("no");
    } else if (target == "/none") {
        response.status = 204;
    } else if (target == "/publish") {
        publish(request.body);
    } else {
        response.body = std::make_unique<http::WholeBody>(
            request.body.empty() ? request.method + " " + request.target : request.body);
    }
    return response;
}

std::optional<http::Response> FakeHandler::refuse_early(const http::Request& head) {
    if (head.target != "/closed") return std::nullopt;
    count([](Counts& c) { ++c.early; });
    return handle(head);
}

bool FakeHandler::tick() {
    count([](Counts& c) { ++c.ticks; });
    return false;
}

bool FakeHandler::look() {
    count([](Counts& c) { ++c.looks; });
    return false;
}

bool FakeHandler::take_wake() {
    const std::lock_guard lock(mutex_);
    return std::exchange(wake_, false);
}

void FakeHandler::publish(std::string text) {
    const std::lock_guard lock(mutex_);
    published_ += text;
    wake_ = true;
}

// ---- listener ----

Running::Running(ListenLimits limits, const Clock* clock, std::string watched) {
    ListenOptions options;
    options.limits = limits;
    options.clock = clock;
    options.watched = std::move(watched);
    auto opened = Listener::open(handler, options, log);
    if (!opened) throw std::runtime_error(describe(opened.error()));
    listener = std::move(*opened);
    port = listener->port();
    thread_ = std::thread([this] { listener->run(); });
}

bool Running::wait_for_connections(std::size_t most) {
    // The handler is ticked, so it is asked again.
    return handler.wait_for([&](const FakeHandler::Counts&) { return listener->connections() <= most; });
}

void Running::stop() {
    if (!thread_.joinable()) return;
    listener->stop();
    thread_.join();
}

}  // namespace skerry::server::testing
