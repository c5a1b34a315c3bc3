#include "server/http/routes.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "server/access/devices.hpp"
#include "server/http/coded.hpp"
#include "server/http/lines.hpp"
#include "server/http/route_table.hpp"
#include "server/intake/push.hpp"
#include "server/outflow/check.hpp"
#include "server/outflow/pull.hpp"
#include "server/outflow/spooler.hpp"
#include "server/scopes/keeper.hpp"
#include "wire/json/requests.hpp"

namespace skerry::server::http {

namespace {

using access::Principal;

constexpr std::uint32_t kBusyRetryMs = 1'000;
constexpr std::uint32_t kOperatorRetryMs = 30'000;   // a person has to act, or did so already
constexpr std::uint32_t kDiskFullRetryMs = 60'000;  // a person has to act
// The same trouble comes with every request and every tick; a line now and then says it.
constexpr Micros kComplainEvery = std::chrono::minutes(1);
constexpr std::size_t kComplaintsMax = 100;

Bytes failure_body(wire::Kind kind, const wire::Failure& failure) {
    Bytes body;
    wire::put_header(body, kind);
    wire::put(body, failure);
    return body;
}

// A request that names the device's fault in its own words; everything else is the server's own affair.
bool is_for_the_device(Code code) {
    switch (code) {
        case Code::kInvalidArgument:
        case Code::kModelMismatch:
        case Code::kProtocolTooNew:
        case Code::kForeignAnswer:
        case Code::kDamagedFrame:
        case Code::kLimitExceeded:
        case Code::kTruncated:
        case Code::kUnauthorized:
        case Code::kNotEnrolled:
        case Code::kDeviceOfOtherUser:
        case Code::kNoSuchRoute:
        case Code::kServerBusy: return true;
        default: return false;
    }
}

class Routes final : public Handler {
  public:
    explicit Routes(const RoutesContext& context)
        : c_(context), keeper_(context.retention), parts_(c_.transit), spool_(c_.transit, c_.random), spooler_(spool_, c_.clock, c_.log),
          outflow_{c_.backend, c_.sequencer, c_.sealer, floor_, c_.clock, c_.log, c_.tally, spooler_},
          intake_{c_.backend, c_.sequencer, c_.clock, c_.log, c_.tally, parts_} {}

    Response handle(const Request& request) override {
        const Service* service = find(request);
        DeviceId device;
        const auto principal = admit(service, request);
        Response response = principal ? answer(*service, request, *principal, device) : refuse(kind_of(service), principal.error().error, principal.error().status);
        return dressed(std::move(response), service, request, device);
    }

    std::optional<Response> refuse_early(const Request& head) override {
        const Service* service = find(head);
        const auto principal = admit(service, head);
        if (principal) return std::nullopt;
        return dressed(refuse(kind_of(service), principal.error().error, principal.error().status), service, head, {});
    }

    std::size_t body_bytes_max(std::string_view target) const override {
        const Route* route = find_route(target);
        return route == nullptr ? 0 : route->body_bytes_max;
    }

    bool look() override {
        const auto looked = c_.sequencer.look();
        if (!looked && looked.error().code != Code::kBusy) complain(looked.error());
        return looked.value_or(false);
    }

    bool tick() override {
        const bool news = look();
        const auto flushed = floor_.flush(c_.backend, c_.clock.mono());
        if (!flushed && flushed.error().code != Code::kBusy) complain(flushed.error());
        const auto forgotten = keeper_.tick(c_.backend, c_.sequencer, c_.clock);
        if (!forgotten && forgotten.error().code != Code::kBusy) complain(forgotten.error());
        spooler_.tick();
        return news;
    }

    bool take_wake() override { return c_.sequencer.take_moved(); }

    void stop() override { outflow_.stopping = true; }

  private:
    using Run = Result<Response> (Routes::*)(const Request&, const Principal&);
    // What serves a route of devices.
    struct Service {
        const Route* route;
        wire::Kind asks;
        wire::Kind kind;  // of the answer
        Run run;
    };
    struct Refusal {
        Error error;
        int status = 0;  // 0: the one that goes with the error's code
    };

    // The one gate of all these routes. Whatever it refuses is refused by what the head says, so that the body need not be there; who
    // has no token learns nothing but that.
    tl::expected<Principal, Refusal> admit(const Service* service, const Request& head) {
        const auto refused = [](Code code, std::string why, int status = 0) {
            return tl::unexpected<Refusal>({Error{code, std::move(why), {}}, status});
        };
        if (service == nullptr) return refused(Code::kNoSuchRoute, "there is nothing at this address");
        auto principal = principal_of(head.authorization);
        if (!principal) return tl::unexpected<Refusal>({std::move(principal.error())});
        if (head.content_type != wire::kContentType && head.content_type != wire::json::kContentType)
            return refused(Code::kInvalidArgument,
                           "the content type has to be " + std::string(wire::kContentType) + " or " + std::string(wire::json::kContentType), 415);
        if (!head.content_encoding.empty()) return refused(Code::kInvalidArgument, "a request must not have a content coding", 415);
        return std::move(*principal);
    }

    // In frames. `device` is told of a request in lines, whose answer needs it.
    Response answer(const Service& service, const Request& request, const Principal& principal, DeviceId& device) {
        const bool lines = request.content_type == wire::json::kContentType;
        if (request.body.size() > (lines ? service.route->lines_bytes_max : service.route->body_bytes_max))
            return refuse(service.kind, Error{Code::kLimitExceeded, "the request is larger than this route takes", {}});
        if (!lines) return run(service, request, principal);
        auto read = wire::json::read_request(request.body, service.asks, {c_.backend.model(), c_.backend.model_hash(), service.route->body_bytes_max});
        if (!read) return refuse(service.kind, read.error());
        device = read->device;
        return run(service, {request.method, request.target, request.authorization, std::string(wire::kContentType), std::move(read->body)}, principal);
    }

    // As the request wants it: in lines of JSON, coded.
    Response dressed(Response response, const Service* service, const Request& request, const DeviceId& device) {
        if (request.content_type == wire::json::kContentType)
            response = in_lines(std::move(response), kind_of(service), c_.backend.model(), device, c_.log);
        return coding::accepts_zstd(request.accept_encoding) ? coded(std::move(response), packer_) : std::move(response);
    }

    Response run(const Service& service, const Request& request, const Principal& principal) {
        auto response = (this->*service.run)(request, principal);
        if (!response) return refuse(service.kind, response.error());
        return std::move(*response);
    }

    static const Service* find(const Request& request) {
        static constexpr std::array kServices{
            Service{find_route(wire::kPathEnroll), wire::Kind::kEnrollRequest, wire::Kind::kEnrollResponse, &Routes::enroll},
            Service{find_route(wire::kPathPush), wire::Kind::kPushRequest, wire::Kind::kPushResponse, &Routes::push},
            Service{find_route(wire::kPathPull), wire::Kind::kPullRequest, wire::Kind::kPullResponse, &Routes::pull},
            Service{find_route(wire::kPathCheck), wire::Kind::kCheckRequest, wire::Kind::kCheckResponse, &Routes::check},
        };
        for (const Service& service : kServices)
            if (service.route->path == request.target && service.route->method == request.method) return &service;
        return nullptr;
    }

    static wire::Kind kind_of(const Service* service) { return service == nullptr ? wire::Kind::kPullResponse : service->kind; }

    Result<Principal> principal_of(const std::string& authorization) {
        SKERRY_ASSIGN(const auto view, c_.backend.snapshot());
        return access::authenticate(*view, authorization, c_.clock.wall());
    }

    static Response framed(Bytes bytes) {
        Response response;
        response.content_type = wire::kContentType;
        response.body = std::make_unique<WholeBody>(std::move(bytes));
        return response;
    }

    Result<Response> enroll(const Request& request, const Principal& principal) {
        SKERRY_ASSIGN(const BytesView payload, only_frame(request.body, wire::Kind::kEnrollRequest, wire::FrameType::kEnroll));
        SKERRY_ASSIGN(const wire::Enroll message, wire::get_enroll(payload));
        SKERRY_ASSIGN(const wire::Enrolled answer, access::enroll(c_.backend, principal, message, c_.clock.wall()));
        Bytes body;
        wire::put_header(body, wire::Kind::kEnrollResponse);
        wire::put(body, answer);
        wire::put_empty(body, wire::FrameType::kEnd);
        return framed(std::move(body));
    }

    Result<Response> push(const Request& request, const Principal& principal) {
        SKERRY_ASSIGN(const intake::PushReply reply, intake::push(intake_, principal, request.body));
        Bytes body;
        wire::put_header(body, wire::Kind::kPushResponse);
        for (const wire::Outcome& verdict : reply.verdicts) wire::put_verdict(body, verdict);
        if (reply.have) wire::put(body, *reply.have);
        if (reply.expect) wire::put_number(body, wire::FrameType::kExpect, reply.expect->value);
        if (reply.identity_taken) wire::put_number(body, wire::FrameType::kIdentityTaken, reply.identity_taken->value);
        wire::put_empty(body, wire::FrameType::kEnd);
        return framed(std::move(body));
    }

    Result<Response> pull(const Request& request, const Principal&) {
        SKERRY_ASSIGN(const BytesView payload, only_frame(request.body, wire::Kind::kPullRequest, wire::FrameType::kPull));
        SKERRY_ASSIGN(const wire::Pull message, wire::get_pull(payload));
        Response response;
        response.content_type = wire::kContentType;
        SKERRY_ASSIGN(response.body, outflow::pull(outflow_, message,
                                                   {request.authorization, [this](const Error& e) { return failure_of(e); }}));
        return response;
    }

    Result<Response> check(const Request& request, const Principal&) {
        SKERRY_ASSIGN(const BytesView payload, only_frame(request.body, wire::Kind::kCheckRequest, wire::FrameType::kCheck));
        SKERRY_ASSIGN(const wire::Check message, wire::get_check(payload));
        Response response;
        response.content_type = wire::kContentType;
        SKERRY_ASSIGN(response.body, outflow::check(outflow_, message,
                                                    {request.authorization, [this](const Error& e) { return failure_of(e); }}));
        return response;
    }

    // Requests of one frame and the end. The view points into `body`.
    static Result<BytesView> only_frame(BytesView body, wire::Kind kind, wire::FrameType type) {
        SKERRY_ASSIGN(const auto frames, wire::read_body(body, kind));
        if (frames.size() != 2 || frames[0].type != type || frames[1].type != wire::FrameType::kEnd)
            return fail(Code::kDamagedFrame, "the request does not hold what belongs here");
        return frames[0].payload;
    }

    void complain(const Error& error) {
        std::string line = std::string(code_name(error.code)) + ": " + error.message;
        for (const std::string& context : error.context) line += "; while " + context;
        const Micros now = c_.clock.mono();
        const auto [said, is_new] = complaints_.try_emplace(line, now);
        if (!is_new && now - said->second < kComplainEvery) return;
        said->second = now;
        c_.log.line(LogLevel::kError, line);
        if (complaints_.size() > kComplaintsMax) complaints_.clear();
    }

    wire::Failure failure_of(const Error& error) {
        const wire::Failure failure = told_of(error);
        ++c_.tally.errors[failure.code];
        return failure;
    }

    wire::Failure told_of(const Error& error) {
        if (error.code == Code::kBusy || error.code == Code::kServerBusy)
            return {Code::kServerBusy, "the server is busy", kBusyRetryMs};
        if (error.code == Code::kDiskFull) {
            complain(error);
            ++c_.tally.disk_full;
            return {Code::kServerBusy, "the server's disk is full", kDiskFullRetryMs};
        }
        if (error.code == Code::kPrincipalFailed || error.code == Code::kProfileUnknown || error.code == Code::kTooManyScopes) {
            complain(error);
            return {error.code, error.message, kOperatorRetryMs};
        }
        if (is_for_the_device(error.code)) return {error.code, error.message, 0};
        complain(error);
        return {Code::kServerFailed, "the server met an error of its own", 0};
    }

    Response refuse(wire::Kind kind, const Error& error, int status = 0) {
        const wire::Failure failure = failure_of(error);
        Response response = framed(failure_body(kind, failure));
        response.status = status != 0 ? status : status_of(failure.code);
        if (failure.retry_after_ms != 0) response.retry_after_s = (failure.retry_after_ms + 999) / 1000;
        return response;
    }

    RoutesContext c_;
    coding::Packer packer_;
    std::map<std::string, Micros> complaints_;  // when each was last said
    scopes::Floor floor_;
    scopes::Keeper keeper_;
    transit::Parts parts_;
    transit::Spool spool_;
    outflow::Spooler spooler_;
    outflow::OutflowContext outflow_;
    intake::PushContext intake_;
};

}  // namespace

int status_of(Code code) {
    switch (code) {
        case Code::kUnauthorized: return 401;
        case Code::kNotEnrolled:
        case Code::kProfileUnknown:
        case Code::kTooManyScopes:
        case Code::kDeviceOfOtherUser: return 403;
        case Code::kNoSuchRoute: return 404;
        case Code::kModelMismatch: return 409;
        case Code::kLimitExceeded: return 413;
        case Code::kServerBusy: return 503;
        case Code::kInvalidArgument:
        case Code::kProtocolTooNew:
        case Code::kForeignAnswer:
        case Code::kDamagedFrame:
        case Code::kTruncated: return 400;
        default: return 500;
    }
}

std::unique_ptr<Handler> make_routes(const RoutesContext& context) { return std::make_unique<Routes>(context); }

}  // namespace skerry::server::http
