#include "kit/net/network.hpp"

#include "base/text.hpp"
#include "kit/events/seeds.hpp"

namespace skerry::kit {

namespace {

constexpr std::string_view kPortalPage =
    "<!DOCTYPE html><html><head><title>Welcome</title></head><body>Please accept the terms.</body></html>";
constexpr std::string_view kGatewayPage = "<html><body><h1>502 Bad Gateway</h1></body></html>";
constexpr Micros kPartitionRetry = Millis{250};
constexpr std::int64_t kConnectTimeoutMs = 8'000;
constexpr std::size_t kSpinsMax = 10'000;  // a body that gives kMore and nothing, again and again

std::string path_of(const server::http::Request& request) { return request.target; }

}  // namespace

std::string_view fate_name(FateKind kind) {
    switch (kind) {
        case FateKind::kNone: return "none";
        case FateKind::kLoseRequest: return "lose_request";
        case FateKind::kLoseResponse: return "lose_response";
        case FateKind::kDuplicate: return "duplicate";
        case FateKind::kCut: return "cut";
        case FateKind::kSilence: return "silence";
        case FateKind::kStall: return "stall";
        case FateKind::kTruncate: return "truncate";
        case FateKind::kPortal: return "portal";
        case FateKind::kEmpty: return "empty";
        case FateKind::kBadGateway: return "bad_gateway";
        case FateKind::kStale: return "stale";
    }
    return "?";
}

struct Network::Flow {
    FlowId id = 0;
    LinkId link = 0;
    Caller* caller = nullptr;
    std::uint64_t request_id = 0;
    server::http::Request request;
    Fate fate;
    SeededRandom random{0};
    NetConditions conditions;
    // the answer
    int status = 0;
    std::string content_type;
    Millis retry_after{0};
    std::unique_ptr<server::http::Body> body;
    Bytes buffer;     // given by the body, not delivered
    Bytes delivered;  // kept for kStale while small
    std::uint64_t sent = 0;
    bool arrived = false;
    bool started = false;
    bool body_done = false;
    bool waiting = false;  // for a wake
    bool silent = false;   // dead and nobody was told
    EventId event;

    std::string name() const { return std::to_string(link) + "/" + std::to_string(request_id); }
};

Network::Network(EventQueue& events, Trace& trace, std::uint64_t seed)
    : events_(events), trace_(trace), seed_(seed) {}
Network::~Network() = default;

Network::Flow* Network::find(FlowId id) {
    const auto found = flows_.find(id);
    return found == flows_.end() ? nullptr : found->second.get();
}

void Network::erase(FlowId id) {
    if (Flow* flow = find(id)) events_.cancel(flow->event);
    flows_.erase(id);
}

void Network::later(Flow& flow, Micros delay, void (Network::*what)(Flow&)) {
    flow.event = events_.after(delay, [this, id = flow.id, what] {
        if (Flow* found = find(id)) (this->*what)(*found);
    });
}

Micros Network::latency(Flow& flow) {
    // One draw a line: the order of draws inside an expression is the compiler's.
    const Micros coarse = Millis{between(flow.random, 0, flow.conditions.latency_ms_max)};
    return coarse + Micros{flow.random.below(1000)};
}

bool Network::blocked(const Flow& flow, Partition way) {
    const Partition p = links_[flow.link].partition;
    return p == way || p == Partition::kBoth;
}

bool Network::server_worked() { return !server_alive_ || server_alive_(); }

Fate Network::draw_fate(Link& link, Random& random, const std::string& path) {
    for (auto it = planned_.begin(); it != planned_.end(); ++it) {
        if (!path.ends_with(it->first)) continue;
        const Fate fate = it->second;
        planned_.erase(it);
        return fate;
    }
    Fate fate;
    std::uint64_t dice = random.below(1000);
    for (const FateKind kind : kAllFates) {
        const std::uint64_t share = link.conditions.permille[static_cast<std::size_t>(kind)];
        if (dice < share) {
            fate.kind = kind;
            break;
        }
        dice -= share;
    }
    // Most answers are short; a few are long.
    const std::uint64_t reach[] = {16, 200, 2'000, 60'000};
    fate.at_byte = random.below(reach[random.below(4)]);
    fate.pause = Millis{between(random, 100, 40'000)};
    fate.silent = chance(random, 400);
    return fate;
}

void Network::next_fate(Fate fate, std::string path) { planned_.emplace_back(std::move(path), fate); }

void Network::open(LinkId link_id, Caller& caller, std::uint64_t request, server::http::Request content) {
    Link& link = links_[link_id];
    auto flow = std::make_unique<Flow>();
    flow->id = next_flow_++;
    flow->link = link_id;
    flow->caller = &caller;
    flow->request_id = request;
    flow->request = std::move(content);
    flow->conditions = link.conditions;
    flow->random = stream(seed_, "net", link_id, link.requests++);
    flow->fate = draw_fate(link, flow->random, path_of(flow->request));
    bytes_up_ += flow->request.body.size();
    trace_.line("net", flow->name() + " " + flow->request.target + " " + std::to_string(flow->request.body.size()) +
                           " bytes, fate " + std::string(fate_name(flow->fate.kind)));
    Flow& ref = *flow;
    flows_.emplace(ref.id, std::move(flow));
    later(ref, latency(ref), &Network::arrive);
}

void Network::cancel(LinkId link, std::uint64_t request) {
    for (const auto& [id, flow] : flows_) {
        if (flow->link != link || flow->request_id != request) continue;
        trace_.line("net", flow->name() + " cancelled");
        return erase(id);
    }
}

void Network::drop_link(LinkId link) {
    std::vector<FlowId> gone;
    for (const auto& [id, flow] : flows_)
        if (flow->link == link) gone.push_back(id);
    for (const FlowId id : gone) erase(id);
}

void Network::set_partition(LinkId link, Partition partition) { links_[link].partition = partition; }

void Network::heal() {
    planned_.clear();
    for (auto& [id, link] : links_) {
        link.partition = Partition::kNone;
        link.conditions = NetConditions{};
    }
    for (auto& [id, flow] : flows_) {
        flow->conditions = NetConditions{};
        if (!flow->silent) flow->fate = Fate{};
    }
}

void Network::set_handler(server::http::Handler* handler) {
    handler_ = handler;
    if (handler != nullptr) return;
    for (auto& [id, flow] : flows_) {
        flow->body.reset();
        if (!flow->arrived || flow->silent) continue;
        // A dead process resets its connections; behind a dead network card they fall silent.
        flow->waiting = false;
        events_.cancel(flow->event);
        if (chance(flow->random, 250)) {
            go_silent(*flow, "server gone");
        } else {
            reset(*flow, "server gone");
        }
    }
}

void Network::wake_if_wanted() {
    if (handler_ == nullptr || !handler_->take_wake()) return;
    for (auto& [id, flow] : flows_) {
        if (!flow->waiting) continue;
        flow->waiting = false;
        events_.cancel(flow->event);
        later(*flow, Micros{0}, &Network::pump);
    }
}

// ---- the way up ----

void Network::arrive(Flow& flow) {
    if (blocked(flow, Partition::kRequests) || flow.fate.kind == FateKind::kLoseRequest) {
        trace_.mark(flow.fate.kind == FateKind::kLoseRequest ? "net.lose_request" : "net.partition_request");
        if (flow.fate.silent) return go_silent(flow, "request lost");
        flow.event = {};
        return later(flow, Millis{between(flow.random, 0, kConnectTimeoutMs)}, &Network::fail_flow);
    }
    switch (flow.fate.kind) {
        case FateKind::kPortal:
        case FateKind::kEmpty:
        case FateKind::kBadGateway: return answer_foreign(flow);
        case FateKind::kStale: {
            const auto& kept = links_[flow.link].last_answers;
            if (kept.contains(flow.request.target)) return answer_foreign(flow);
            flow.fate = {};
            break;
        }
        default: break;
    }
    if (handler_ == nullptr) return reset(flow, "refused");
    flow.arrived = true;
    ++handled_;
    const FlowId id = flow.id;
    if (flow.fate.kind == FateKind::kDuplicate)
        handle_again(flow.request, Millis{between(flow.random, 0, 3'000)});
    if (flow.request.body.size() > handler_->body_bytes_max(flow.request.target)) {
        flow.status = 413;
        flow.body_done = true;
        return later(flow, latency(flow), &Network::start);
    }
    server::http::Response response = handler_->handle(flow.request);
    if (!server_worked()) return;  // set_handler(nullptr) has reset the flow
    Flow* still = find(id);
    if (still == nullptr) return;
    still->status = response.status;
    still->content_type = response.content_type;
    if (response.retry_after_s) still->retry_after = std::chrono::seconds(*response.retry_after_s);
    still->body = std::move(response.body);
    still->body_done = still->body == nullptr;
    wake_if_wanted();
    if (still->fate.kind == FateKind::kLoseResponse) {
        trace_.mark("net.lose_response");
        if (still->fate.silent) return go_silent(*still, "response lost");
        return reset(*still, "response lost");
    }
    later(*still, latency(*still), &Network::start);
}

void Network::handle_again(const server::http::Request& request, Micros delay) {
    events_.after(delay, [this, request] {
        if (handler_ == nullptr) return;
        trace_.mark("net.duplicate");
        trace_.line("net", "a proxy repeats " + request.target);
        {
            server::http::Response response = handler_->handle(request);
            if (!server_worked()) return;
            Bytes ignored;
            if (response.body) response.body->next(ignored);
            if (!server_worked()) return;
        }
        wake_if_wanted();
    });
}

void Network::answer_foreign(Flow& flow) {
    trace_.mark("net." + std::string(fate_name(flow.fate.kind)));
    flow.content_type = "text/html";
    flow.body_done = true;
    switch (flow.fate.kind) {
        case FateKind::kPortal:
            flow.status = 200;
            flow.buffer = kPortalPage;
            break;
        case FateKind::kEmpty: flow.status = 204; break;
        case FateKind::kBadGateway:
            flow.status = 502;
            flow.buffer = kGatewayPage;
            break;
        default:
            flow.status = 200;
            flow.content_type = "application/vnd.skerry";
            flow.buffer = links_[flow.link].last_answers[flow.request.target];
            break;
    }
    later(flow, latency(flow), &Network::start);
}

// ---- the way down ----

void Network::start(Flow& flow) {
    if (blocked(flow, Partition::kResponses)) {
        trace_.mark("net.partition_response");
        return later(flow, kPartitionRetry, &Network::start);
    }
    flow.started = true;
    const FlowId id = flow.id;
    Caller* caller = flow.caller;
    later(flow, Micros{0}, &Network::pump);
    caller->response_started(flow.request_id, flow.status, flow.content_type, flow.retry_after);
    static_cast<void>(id);  // the caller may have cancelled: nothing of the flow is touched after this
}

void Network::pump(Flow& flow) {
    const FlowId id = flow.id;
    for (std::size_t spins = 0; flow.buffer.empty() && !flow.body_done; ++spins) {
        if (flow.body == nullptr || spins > kSpinsMax) return reset(flow, "the body gives nothing");
        const server::http::Step step = flow.body->next(flow.buffer);
        if (!server_worked() || find(id) == nullptr) return;
        if (step == server::http::Step::kEnd) {
            flow.body_done = true;
            flow.body.reset();
        } else if (step == server::http::Step::kWait && flow.buffer.empty()) {
            flow.waiting = true;
            if (const auto at = flow.body->ask_again_at()) {
                flow.event = events_.after(*at - events_.now(), [this, id] {
                    Flow* found = find(id);
                    if (found == nullptr || !found->waiting) return;
                    found->waiting = false;
                    pump(*found);
                });
            }
            wake_if_wanted();
            return;
        } else if (step == server::http::Step::kWait) {
            break;
        }
    }
    wake_if_wanted();
    if (flow.buffer.empty()) return later(flow, Micros{0}, &Network::finish);
    later(flow, Millis{between(flow.random, 0, flow.conditions.chunk_gap_ms_max)}, &Network::deliver);
}

void Network::deliver(Flow& flow) {
    if (blocked(flow, Partition::kResponses)) {
        trace_.mark("net.partition_response");
        return later(flow, kPartitionRetry, &Network::deliver);
    }
    std::size_t size = std::min<std::size_t>(flow.buffer.size(),
                                             1 + flow.random.below(flow.conditions.chunk_bytes_max));
    const FateKind kind = flow.fate.kind;
    const bool stops = kind == FateKind::kCut || kind == FateKind::kSilence || kind == FateKind::kStall ||
                       kind == FateKind::kTruncate;
    if (stops && flow.sent + size > flow.fate.at_byte) {
        size = static_cast<std::size_t>(flow.fate.at_byte - flow.sent);
        if (size == 0) {
            trace_.mark("net." + std::string(fate_name(kind)));
            if (kind == FateKind::kCut) return reset(flow, "cut");
            if (kind == FateKind::kSilence) return go_silent(flow, "half-open");
            if (kind == FateKind::kTruncate) {
                flow.buffer.clear();
                flow.body_done = true;
                flow.body.reset();
                return later(flow, Micros{0}, &Network::finish);
            }
            const Micros pause = flow.fate.pause;
            flow.fate = {};
            return later(flow, pause, &Network::deliver);
        }
    }
    const Bytes chunk = flow.buffer.substr(0, size);
    flow.buffer.erase(0, size);
    flow.sent += size;
    bytes_down_ += size;
    if (flow.delivered.size() < 20'000 && flow.status == 200) flow.delivered.append(chunk);
    later(flow, Micros{0}, &Network::pump);
    flow.caller->response_bytes(flow.request_id, chunk);
}

void Network::finish(Flow& flow) {
    if (flow.fate.kind == FateKind::kNone && flow.delivered.size() == flow.sent)
        links_[flow.link].last_answers[flow.request.target] = flow.delivered;
    trace_.line("net", flow.name() + " ended, " + std::to_string(flow.status) + ", " + std::to_string(flow.sent) + " bytes");
    Caller* caller = flow.caller;
    const std::uint64_t request = flow.request_id;
    erase(flow.id);
    caller->response_ended(request);
}

void Network::fail_flow(Flow& flow) {
    trace_.line("net", flow.name() + " failed");
    Caller* caller = flow.caller;
    const std::uint64_t request = flow.request_id;
    erase(flow.id);
    caller->request_failed(request, Error{Code::kOffline, "the connection broke", {}});
}

void Network::reset(Flow& flow, std::string_view why) {
    trace_.line("net", flow.name() + " reset: " + std::string(why));
    flow.body.reset();
    flow.waiting = false;
    later(flow, latency(flow), &Network::fail_flow);
}

void Network::go_silent(Flow& flow, std::string_view why) {
    trace_.mark("net.silent");
    trace_.line("net", flow.name() + " silent: " + std::string(why));
    flow.silent = true;
    flow.waiting = false;
    flow.body.reset();
}

}  // namespace skerry::kit
