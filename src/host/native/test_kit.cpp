#include "host/native/test_kit.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace skerry::host::testing {

namespace {
int listening_socket(std::uint16_t* port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("no port");
    *port = ntohs(address.sin_port);
    return fd;
}
}  // namespace

// ---- peer ----

Peer::~Peer() {
    if (fd_ >= 0) ::close(fd_);
}

std::string Peer::read_some() {
    char buffer[65536];
    const auto bytes = ::recv(fd_, buffer, sizeof buffer, 0);
    return bytes > 0 ? std::string(buffer, static_cast<std::size_t>(bytes)) : std::string{};
}

std::string Peer::read_request() {
    std::size_t end = 0;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
        const auto more = read_some();
        if (more.empty()) return {};
        in_ += more;
    }
    const auto at = in_.find("Content-Length: ");
    const auto length = at < end ? std::strtoul(in_.c_str() + at + 16, nullptr, 10) : 0;
    while (in_.size() < end + 4 + length) {
        const auto more = read_some();
        if (more.empty()) return {};
        in_ += more;
    }
    std::string out = in_.substr(0, end + 4 + length);
    in_.erase(0, out.size());
    return out;
}

bool Peer::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void Peer::wait_for_close() {
    while (!read_some().empty()) {
    }
}

void Peer::reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(std::exchange(fd_, -1));
}

// ---- server ----

ScriptServer::ScriptServer(std::vector<Script> scripts) : scripts_(std::move(scripts)) {
    fd_ = listening_socket(&port);
    ::listen(fd_, 16);
    acceptor_ = std::thread([this] {
        for (const auto& script : scripts_) {
            const int fd = ::accept(fd_, nullptr, nullptr);
            if (fd < 0) return;
            ++accepted_;
            threads_.emplace_back([script, fd] {
                Peer peer(fd);
                script(peer);
            });
        }
    });
}

void ScriptServer::join() {
    if (acceptor_.joinable()) acceptor_.join();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
}

ScriptServer::~ScriptServer() {
    ::shutdown(fd_, SHUT_RDWR);  // ends accept()
    join();
    ::close(fd_);
}

std::uint16_t closed_port() {
    std::uint16_t port = 0;
    ::close(listening_socket(&port));
    return port;
}

// ---- engine ----

struct FakeEngine::Inside {
    explicit Inside(FakeEngine& engine) : engine_(engine) {
        EXPECT_FALSE(engine_.inside_) << "reported from inside a call";
        engine_.inside_ = true;
    }
    ~Inside() { engine_.inside_ = false; }
    FakeEngine& engine_;
};

void FakeEngine::note(std::string event) {
    if (on_event) on_event(event);
    events.push_back(std::move(event));
}

void FakeEngine::response_started(engine::RequestId id, int status, std::string_view type,
                                  Millis retry) {
    const Inside inside(*this);
    std::string event = "started " + std::to_string(id) + " " + std::to_string(status) + " ";
    event += type;
    note(event + " " + std::to_string(retry.count()));
}

void FakeEngine::response_bytes(engine::RequestId id, BytesView bytes, std::size_t count) {
    const Inside inside(*this);
    EXPECT_NE(count, 0u);
    ++pieces;
    bodies[id] += bytes;
    transferred[id] += count;
    if (on_event) on_event("bytes " + std::to_string(id));
}

void FakeEngine::response_ended(engine::RequestId id) {
    const Inside inside(*this);
    ++ends;
    note("ended " + std::to_string(id));
}

void FakeEngine::request_failed(engine::RequestId id, Error error) {
    const Inside inside(*this);
    ++ends;
    std::string event = "failed " + std::to_string(id) + " ";
    event += code_name(error.code);
    errors[id] = std::move(error);
    note(std::move(event));
}

void FakeEngine::timer_fired() {
    const Inside inside(*this);
    note("timer");
}

std::vector<engine::Action> FakeEngine::take_actions() {
    const Inside inside(*this);
    return std::exchange(actions, {});
}

void FakeEngine::post(engine::RequestId id, std::string path, Bytes body) {
    actions.emplace_back(engine::SendRequest{id, std::move(path), std::move(body)});
}

// ---- rig ----

Rig::Rig(const std::string& url, NativeLimits limits, std::string token) {
    NativeOptions options;
    options.server_url = url;
    options.token = std::move(token);
    options.limits = limits;
    options.after_event = [this] {
        if (condition_ && condition_()) host->stop();
    };
    auto opened = NativeHost::open(engine, std::move(options), log);
    if (!opened) throw std::runtime_error(describe(opened.error()));
    host = std::move(*opened);
}

bool Rig::run_until(std::function<bool()> condition) {
    condition_ = std::move(condition);
    host->run_for(kPatience);
    return std::exchange(condition_, {})();
}

bool Rig::run_to_ends(int ends) {
    return run_until([this, ends] { return engine.ends >= ends; });
}

}  // namespace skerry::host::testing
