#include "server/ops/service.hpp"

#include <array>

#include "server/access/principal.hpp"
#include "server/http/route_table.hpp"

namespace skerry::server::ops {

namespace {

constexpr Micros kReadyFor = std::chrono::seconds(1);
// Changes of other programs that wait longer: the sequencer does not keep up or cannot write.
constexpr Micros kBehindMax = std::chrono::seconds(10);
// After a request that failed for want of room: a small write may succeed where it did not. Not for ever, or nobody would
// come and find out that there is room again.
constexpr Micros kFullFor = std::chrono::minutes(1);
constexpr std::uint32_t kRetryAfterS = 5;


http::Response plain(int status, std::string text) {
    http::Response response;
    response.status = status;
    response.content_type = "text/plain; charset=utf-8";
    if (status == 503) response.retry_after_s = kRetryAfterS;
    response.body = std::make_unique<http::WholeBody>(std::move(text));
    return response;
}

class CountedBody final : public http::Body {
  public:
    CountedBody(std::unique_ptr<http::Body> inner, std::shared_ptr<Traffic> traffic, Traffic::Route& route)
        : inner_(std::move(inner)), traffic_(std::move(traffic)), route_(route) {
        ++traffic_->bodies_open;
    }
    ~CountedBody() override { --traffic_->bodies_open; }
    http::Step next(Bytes& out) override {
        const std::size_t before = out.size();
        const http::Step step = inner_->next(out);
        route_.bytes_out += out.size() - before;
        return step;
    }
    std::optional<Micros> ask_again_at() const override { return inner_->ask_again_at(); }
    std::string_view content_encoding() const override { return inner_->content_encoding(); }

  private:
    std::unique_ptr<http::Body> inner_;
    std::shared_ptr<Traffic> traffic_;  // shared: a body may outlive the server that made it
    Traffic::Route& route_;             // of traffic_
};

class Service final : public http::Handler {
  public:
    explicit Service(const ServiceContext& context) : c_(context) {
        for (const http::Route& route : http::kRoutes) traffic_->routes.try_emplace(std::string(route.path));
        traffic_->routes.try_emplace("other");  // whatever else somebody asks for
    }

    http::Response handle(const http::Request& request) override {
        Traffic::Route& measured = measured_of(request);
        const Micros begun = c_.clock.mono();
        const Route* route = find(request);
        const std::uint64_t full_before = c_.tally.disk_full;
        const auto judged_before = c_.tally.transactions;
        http::Response response = route == nullptr ? c_.inner.handle(request) : (this->*route->run)(request);
        traffic_->timed(measured, c_.clock.mono() - begun);
        if (c_.tally.transactions != judged_before) full_at_.reset();
        if (c_.tally.disk_full != full_before) full_at_ = begun;
        measured.bytes_in += request.body.size();
        return counted(std::move(response), measured);
    }

    std::optional<http::Response> refuse_early(const http::Request& head) override {
        if (find(head) != nullptr) return std::nullopt;  // they take no body: the host says so
        auto refused = c_.inner.refuse_early(head);
        if (refused) *refused = counted(std::move(*refused), measured_of(head));
        return refused;
    }

    std::size_t body_bytes_max(std::string_view target) const override { return c_.inner.body_bytes_max(target); }
    bool tick() override { return c_.inner.tick(); }
    bool look() override { return c_.inner.look(); }
    bool take_wake() override { return c_.inner.take_wake(); }
    void stop() override {
        stopping_ = true;
        c_.inner.stop();
    }

  private:
    struct Route {
        const http::Route* route;
        http::Response (Service::*run)(const http::Request&);
    };

    const Route* find(const http::Request& request) const {
        static constexpr std::array kOwn{
            Route{http::find_route("/healthz"), &Service::health},
            Route{http::find_route("/readyz"), &Service::ready},
            Route{http::find_route("/metrics"), &Service::metrics},
        };
        for (const Route& own : kOwn)
            if (own.route->path == request.target && own.route->method == request.method && request.body.empty() &&
                (own.route->gate != http::Gate::kMetrics || c_.metrics == Metrics::kOn))
                return &own;
        return nullptr;
    }

    Traffic::Route& measured_of(const http::Request& request) {
        const auto found = traffic_->routes.find(request.target);
        return found == traffic_->routes.end() ? traffic_->routes.find("other")->second : found->second;
    }

    http::Response counted(http::Response response, Traffic::Route& measured) {
        ++measured.answers[response.status];
        if (response.body) response.body = std::make_unique<CountedBody>(std::move(response.body), traffic_, measured);
        return response;
    }

    http::Response health(const http::Request&) { return plain(200, "ok\n"); }

    http::Response ready(const http::Request&) {
        if (stopping_) return plain(503, "the server is stopping\n");
        const Micros now = c_.clock.mono();
        if (!looked_ || now - *looked_ >= kReadyFor) {
            looked_ = now;
            std::string fault = fault_now(now);
            if (fault != fault_) c_.log.line(fault.empty() ? LogLevel::kInfo : LogLevel::kError, fault.empty() ? "ready again" : "not ready: " + fault);
            fault_ = std::move(fault);
        }
        return fault_.empty() ? plain(200, "ready\n") : plain(503, fault_ + "\n");
    }

    std::string fault_now(Micros now) {
        storage::Mark last;
        bool empty = false;
        const auto read = [&]() -> Result<void> {
            SKERRY_ASSIGN(const auto view, c_.backend.snapshot());
            SKERRY_ASSIGN(last, view->last());
            SKERRY_ASSIGN(empty, view->queue_empty());
            return {};
        }();
        if (!read) return "the database cannot be read: " + std::string(code_name(read.error().code));
        const auto written = c_.backend.probe(c_.clock.wall());
        if (!written && written.error().code != Code::kBusy)  // busy: somebody writes, so it can be written
            return "the database cannot be written: " + std::string(code_name(written.error().code));
        if (full_at_ && now - *full_at_ < kFullFor) return "the database cannot be written: disk_full";
        if (empty || last.seq != waiting_at_) waiting_since_.reset();
        waiting_at_ = last.seq;
        if (empty) return {};
        if (!waiting_since_) waiting_since_ = now;
        return now - *waiting_since_ > kBehindMax ? "changes wait for the sequencer" : "";
    }

    http::Response metrics(const http::Request& request) {
        const auto text = [&]() -> Result<std::string> {
            SKERRY_ASSIGN(const auto view, c_.backend.snapshot());
            SKERRY_TRY(access::authenticate_metrics(*view, request.authorization, c_.clock.wall()));
            SKERRY_ASSIGN(const storage::Mark last, view->last());
            SKERRY_ASSIGN(const storage::Figures figures, c_.backend.figures());
            return metrics_text({*traffic_, c_.tally, figures, last.seq.value, c_.sequencer.rows()});
        }();
        if (text) {
            http::Response response = plain(200, *text);
            response.content_type = "text/plain; version=0.0.4; charset=utf-8";
            return response;
        }
        if (text.error().code == Code::kUnauthorized) return plain(401, "unauthorized\n");
        c_.log.line(LogLevel::kError, "metrics: " + std::string(code_name(text.error().code)) + ": " + text.error().message);
        return plain(503, "the database cannot be read\n");
    }

    const ServiceContext c_;
    std::shared_ptr<Traffic> traffic_ = std::make_shared<Traffic>();
    bool stopping_ = false;
    // readiness as it was last seen
    std::optional<Micros> looked_;
    std::string fault_;
    std::optional<Micros> full_at_;
    Seq waiting_at_;
    std::optional<Micros> waiting_since_;
};

}  // namespace

std::unique_ptr<http::Handler> make_service(const ServiceContext& context) { return std::make_unique<Service>(context); }

}  // namespace skerry::server::ops
