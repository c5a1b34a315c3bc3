#include "light.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "kit.hpp"

namespace skerry::bench {

double quantile(std::vector<double> list, double q) {
    if (list.empty()) return 0;
    std::sort(list.begin(), list.end());
    return list[std::min(list.size() - 1, static_cast<std::size_t>(std::ceil(q * static_cast<double>(list.size()))) - 1)];
}

void allow_files(std::size_t files) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= files) return;
    limit.rlim_cur = files;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) die("no more than " + std::to_string(limit.rlim_max) + " open files are allowed here");
}

Address address_of(const std::string& url) {
    const std::size_t colon = url.rfind(':');
    if (!url.starts_with("http://") || colon < 7) die("not http://address:port: " + url);
    return {url.substr(7, colon - 7), std::stoi(url.substr(colon + 1))};
}

int connect_to(const Address& address) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(address.port));
    if (inet_pton(AF_INET, address.host.c_str(), &to.sin_addr) != 1) die("not an address: " + address.host);
    if (fd < 0 || connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) die("cannot connect to the server");
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

namespace {

void send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) die("the server closed the connection");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

// Of the head's text; empty: there is no such header.
std::string_view header(std::string_view head, std::string_view name) {
    const std::size_t at = head.find("\r\n" + std::string(name) + ": ");
    if (at == std::string_view::npos) return {};
    const std::size_t from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
}

}  // namespace

std::string request_text(std::string_view path, const std::string& token, const Bytes& body) {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token +
           "\r\nAccept-Encoding: zstd\r\nContent-Type: " + std::string(wire::kContentType) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// ---- answers ----

bool Answer::step(std::size_t& at, Bytes& body) {
    const std::string_view rest = std::string_view(kept_).substr(at);
    switch (stage_) {
        case Stage::kHead: {
            const std::size_t end = rest.find("\r\n\r\n");
            if (end == std::string_view::npos) return false;
            const std::string_view head = rest.substr(0, end + 2);
            if (!head.starts_with("HTTP/1.1 200")) die("refused: " + std::string(head));
            at += end + 4;
            const std::string_view length = header(head, "Content-Length");
            std::from_chars(length.data(), length.data() + length.size(), left_);
            coded_ = header(head, "Content-Encoding") == coding::kZstd;
            stage_ = length.empty() ? Stage::kChunkLine : Stage::kLength;
            return true;
        }
        case Stage::kChunkLine: {
            const std::size_t end = rest.find("\r\n");
            if (end == std::string_view::npos) return false;
            left_ = 0;
            std::from_chars(rest.data(), rest.data() + end, left_, 16);
            last_ = left_ == 0;
            at += end + 2;
            stage_ = last_ ? Stage::kChunkEnd : Stage::kChunk;
            return true;
        }
        case Stage::kChunk:
        case Stage::kLength: {
            const std::string_view part = rest.substr(0, left_);
            body += part;
            at += part.size();
            left_ -= part.size();
            if (left_ > 0) return false;
            stage_ = stage_ == Stage::kChunk ? Stage::kChunkEnd : Stage::kWhole;
            return true;
        }
        case Stage::kChunkEnd:
            if (rest.size() < 2) return false;
            at += 2;
            stage_ = last_ ? Stage::kWhole : Stage::kChunkLine;
            return true;
        case Stage::kWhole: return false;
    }
    return false;
}

void Answer::feed(std::string_view bytes, Bytes& body) {
    kept_ += bytes;
    std::size_t at = 0;
    Bytes raw;
    while (step(at, raw)) {
    }
    kept_.erase(0, at);
    if (coded_) {
        unpack(raw, body);
    } else {
        body += raw;
    }
}

// Each is some 100 KB: ten thousand answers that wait for their next frame share a few.
void Answer::unpack(const Bytes& raw, Bytes& body) {
    thread_local std::vector<std::unique_ptr<coding::Unpacker>> spare;
    if (!unpacker_ && !spare.empty()) {
        unpacker_ = std::move(spare.back());
        spare.pop_back();
    }
    if (!unpacker_) unpacker_ = std::make_unique<coding::Unpacker>();
    BytesView rest = raw;
    must(unpacker_->feed(rest, body, SIZE_MAX));
    if (unpacker_->at_boundary()) spare.push_back(std::move(unpacker_));
}

Asking::~Asking() { close(socket_); }

Bytes Asking::ask(std::string_view path, const Bytes& body) {
    send_all(socket_, request_text(path, token_, body));
    Answer answer;
    Bytes out;
    std::array<char, 64u << 10> buffer{};
    while (!answer.whole()) {
        const auto got = recv(socket_, buffer.data(), buffer.size(), 0);
        if (got <= 0) die("the server closed the connection");
        answer.feed({buffer.data(), static_cast<std::size_t>(got)}, out);
    }
    return out;
}

// ---- devices ----

namespace {

std::vector<wire::Frame> frames_of(const Bytes& body, wire::Kind kind) {
    auto frames = must(wire::read_body(body, kind));
    for (const wire::Frame& frame : frames)
        if (frame.type == wire::FrameType::kError) die(wire::to_error(must(wire::get_failure(frame.payload))));
    return frames;
}

Bytes enrolled(Asking& asking, const DeviceId& id) {
    Bytes body;
    wire::put_header(body, wire::Kind::kEnrollRequest);
    wire::put(body, wire::Enroll{id, "light"});
    wire::put_empty(body, wire::FrameType::kEnd);
    const Bytes answer = asking.ask(wire::kPathEnroll, body);
    return must(wire::get_enrolled(frames_of(answer, wire::Kind::kEnrollResponse).front().payload)).model;
}

}  // namespace

LightDevices::LightDevices(std::string url, std::vector<std::string> tokens)
    : address_(address_of(url)), tokens_(std::move(tokens)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

LightDevices::~LightDevices() {
    for (const LightDevice& device : devices_)
        if (device.socket >= 0) close(device.socket);
    close(epoll_);
}

Bytes LightDevices::pull(const LightDevice& device, bool live) const {
    wire::Pull pull;
    pull.device = device.id;
    pull.model_hash = hash_;
    pull.keep_from = TxnNo{1};
    pull.live = live;
    pull.slice_rows = wire::kSliceRowsMax;
    pull.slice_rows_max = wire::kSliceRowsMax;
    pull.token = device.token;
    Bytes body;
    wire::put_header(body, wire::Kind::kPullRequest);
    wire::put(body, pull);
    wire::put_empty(body, wire::FrameType::kEnd);
    return body;
}

void LightDevices::enrol(std::size_t count) {
    std::vector<std::unique_ptr<Asking>> asking;
    for (const std::string& token : tokens_) asking.push_back(std::make_unique<Asking>(address_, token));
    for (std::size_t i = 0; i < count; ++i) {
        Asking& as = *asking[i % asking.size()];
        LightDevice& device = devices_.emplace_back();
        device.id = random_.id<DeviceId>();
        device.auth = tokens_[i % tokens_.size()];
        const Bytes compiled = enrolled(as, device.id);
        if (i == 0) {
            model_ = must(model::Model::load(compiled));
            hash_ = model_.hash();
        }
        const Bytes answer = as.ask(wire::kPathPull, pull(device, false));
        for (const wire::Frame& frame : frames_of(answer, wire::Kind::kPullResponse))
            if (frame.type == wire::FrameType::kCheckpoint) device.token = must(wire::get_checkpoint(frame.payload)).token;
        if (device.token.empty()) die("a device was given no token");
    }
}

void LightDevices::go_live() {
    std::size_t waiting = devices_.size();
    for (std::size_t i = 0; i < devices_.size(); ++i) {
        LightDevice& device = devices_[i];
        device.socket = connect_to(address_);
        device.answer = std::make_unique<Answer>();
        device.frames = std::make_unique<wire::FrameReader>(wire::Kind::kPullResponse);
        send_all(device.socket, request_text(wire::kPathPull, device.auth, pull(device, true)));
        epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
        if (epoll_ctl(epoll_, EPOLL_CTL_ADD, device.socket, &event) != 0) die("epoll");
        // Not more at once than the server's backlog takes.
        if (i % 200 == 199) run_for(std::chrono::milliseconds(0), [&](std::size_t, const LightDevice&) { --waiting; });
    }
    while (waiting > 0) run_for(std::chrono::milliseconds(1000), [&](std::size_t, const LightDevice&) { --waiting; });
}

// True: a checkpoint is whole.
bool LightDevices::take(LightDevice& device, const Bytes& bytes) {
    bool whole = false;
    device.frames->feed(bytes);
    for (;;) {
        const auto frame = must(device.frames->next());
        if (!frame) return whole;
        switch (frame->type) {
            case wire::FrameType::kBegin: device.rows.clear(); break;
            case wire::FrameType::kRows: device.rows.push_back(must(wire::get_rows(frame->payload, model_))); break;
            case wire::FrameType::kCheckpoint:
                device.token = must(wire::get_checkpoint(frame->payload)).token;
                whole = true;
                break;
            case wire::FrameType::kError: die(wire::to_error(must(wire::get_failure(frame->payload))));
            case wire::FrameType::kEnd: die("a live pull ended");
            default: break;
        }
    }
}

bool LightDevices::readable(LightDevice& device) {
    const auto got = recv(device.socket, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got <= 0) die("a live pull was cut");
    Bytes body;
    device.answer->feed({buffer_.data(), static_cast<std::size_t>(got)}, body);
    return take(device, body);
}

void LightDevices::run_for(std::chrono::milliseconds limit, const std::function<void(std::size_t, const LightDevice&)>& applied) {
    std::array<epoll_event, 256> events{};
    const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>(limit.count()));
    for (int i = 0; i < n; ++i) {
        const std::size_t at = events[static_cast<std::size_t>(i)].data.u64;
        if (readable(devices_[at])) applied(at, devices_[at]);
    }
}

// ---- sending ----

Pusher::Pusher(const std::string& url, const std::string& token, const model::Model& model)
    : asking_(address_of(url), token), hash_(model.hash()), id_(random_.id<DeviceId>()) {
    enrolled(asking_, id_);
}

void Pusher::insert(EntityIx entity, const std::string& key, model::Row row) {
    wire::Op op;
    op.kind = wire::OpKind::kInsert;
    op.entity = entity;
    op.key = key;
    op.row = std::move(row);
    push(std::move(op));
}

void Pusher::update(EntityIx entity, const std::string& key, std::uint32_t attribute, const Value& old, const Value& now) {
    wire::Op op;
    op.kind = wire::OpKind::kUpdate;
    op.entity = entity;
    op.key = key;
    op.changes.push_back({.attribute = attribute, .old_value = old, .new_value = now, .prev = {}});
    push(std::move(op));
}

void Pusher::push(wire::Op op) {
    wire::Transaction txn;
    txn.no = next_;
    txn.id = random_.id<TxnId>();
    txn.ops.push_back(std::move(op));
    Bytes body;
    wire::put_header(body, wire::Kind::kPushRequest);
    wire::put(body, wire::PushHello{id_, hash_, next_});
    wire::put(body, txn);
    wire::put_empty(body, wire::FrameType::kEnd);
    const Bytes answer = asking_.ask(wire::kPathPush, body);
    for (const wire::Frame& frame : frames_of(answer, wire::Kind::kPushResponse)) {
        if (frame.type != wire::FrameType::kVerdict) continue;
        const wire::Outcome outcome = must(wire::get_verdict(frame.payload));
        if (outcome.no != next_ || outcome.verdict != wire::Verdict::kApplied) die("the change did not apply: " + outcome.message);
        next_ = next_.next();
        return;
    }
    die("the change got no verdict");
}

}  // namespace skerry::bench
