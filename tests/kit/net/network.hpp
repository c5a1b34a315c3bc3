// The simulated network between devices and the server: byte streams into and out of the very request
// handler that the HTTP listener calls. It moves bytes, never objects; it knows no frame.
//
//   Caller --open--> Flow --(latency, fate)--> Handler::handle --> Body --next--> buffer --chunks--> Caller
//
// A body is asked for more only when what it gave has been delivered (back-pressure). A body that waits is
// asked again when the handler says wake or at its own time. Callers are only ever called from the event
// queue, so a Caller may open and cancel flows from within its callbacks.
//
// Thread rule: one thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include <skerry/error.hpp>

#include "base/random.hpp"
#include "kit/events/event_queue.hpp"
#include "kit/events/trace.hpp"
#include "kit/net/faults.hpp"
#include "server/http/handler.hpp"

namespace skerry::kit {

using LinkId = std::uint32_t;

// The device's side of its requests.
class Caller {
  public:
    virtual ~Caller() = default;
    virtual void response_started(std::uint64_t request, int status, std::string_view content_type, Millis retry_after) = 0;
    virtual void response_bytes(std::uint64_t request, BytesView bytes) = 0;
    virtual void response_ended(std::uint64_t request) = 0;
    virtual void request_failed(std::uint64_t request, Error error) = 0;
};

class Network {
  public:
    Network(EventQueue& events, Trace& trace, std::uint64_t seed);
    ~Network();

    // ---- the server's side ----
    // Null: nobody listens. Taking the handler away resets every flow (silently for those half-open).
    void set_handler(server::http::Handler* handler);
    // Called after the server did something, before any of its bytes travel. False: it died doing it.
    void on_server_work(std::function<bool()> check) { server_alive_ = std::move(check); }
    // Asks waiting bodies again if the handler wants it. Call after anything that the server noticed.
    void wake_if_wanted();

    // ---- a device's side ----
    void open(LinkId link, Caller& caller, std::uint64_t request, server::http::Request content);
    void cancel(LinkId link, std::uint64_t request);
    // The device died: its flows vanish.
    void drop_link(LinkId link);

    // ---- faults ----
    void set_conditions(LinkId link, const NetConditions& conditions) { links_[link].conditions = conditions; }
    void set_partition(LinkId link, Partition partition);
    Partition partition(LinkId link) { return links_[link].partition; }
    // All links: no partition, no fault. Flows that are dead already stay dead.
    void heal();
    // The next request (whose path ends in `path`; empty = any) meets this fate, whatever the conditions say.
    void next_fate(Fate fate, std::string path = {});
    void cut_next_response_at(std::uint64_t byte, std::string path = {}) {
        next_fate({.kind = FateKind::kCut, .at_byte = byte}, std::move(path));
    }
    // The fate set by next_fate() has been met.
    bool fate_pending() const { return !planned_.empty(); }

    std::size_t open_flows() const { return flows_.size(); }
    std::uint64_t requests_handled() const { return handled_; }
    std::uint64_t bytes_up() const { return bytes_up_; }
    std::uint64_t bytes_down() const { return bytes_down_; }

  private:
    struct Flow;
    struct Link {
        NetConditions conditions;
        Partition partition = Partition::kNone;
        std::uint64_t requests = 0;                 // names the random stream of the next one
        std::map<std::string, Bytes> last_answers;  // whole ones, by path, for kStale
    };
    using FlowId = std::uint64_t;

    Fate draw_fate(Link& link, Random& random, const std::string& path);
    Flow* find(FlowId id);
    void later(Flow& flow, Micros delay, void (Network::*what)(Flow&));
    Micros latency(Flow& flow);
    void arrive(Flow& flow);
    void answer_foreign(Flow& flow);
    void start(Flow& flow);
    void pump(Flow& flow);
    void deliver(Flow& flow);
    void finish(Flow& flow);
    void fail_flow(Flow& flow);
    void reset(Flow& flow, std::string_view why);
    void go_silent(Flow& flow, std::string_view why);
    void handle_again(const server::http::Request& request, Micros delay);
    bool blocked(const Flow& flow, Partition way);
    bool server_worked();
    void erase(FlowId id);

    EventQueue& events_;
    Trace& trace_;
    std::uint64_t seed_;
    server::http::Handler* handler_ = nullptr;
    std::function<bool()> server_alive_;
    std::map<LinkId, Link> links_;
    std::map<FlowId, std::unique_ptr<Flow>> flows_;
    FlowId next_flow_ = 1;
    std::vector<std::pair<std::string, Fate>> planned_;
    std::uint64_t handled_ = 0;
    std::uint64_t bytes_up_ = 0;
    std::uint64_t bytes_down_ = 0;
};

}  // namespace skerry::kit
