// Requests of a device that has a token and means harm: frames with good checksums and any content, through the server's routes. It is
// answered with what belongs there, the server never fails for reasons of its own, and other devices go on.
#include "server/app/inspect.hpp"
#include "store/store.hpp"
#include "wire/check.hpp"
#include "wire/continuing.hpp"
#include "wire/json/requests.hpp"
#include "world.hpp"

namespace {

using namespace skerry;

constexpr int kRequestsMax = 6;

struct Route {
    std::string_view path;
    wire::Kind asks;
    wire::Kind answers;
};
constexpr Route kRoutes[] = {{wire::kPathPush, wire::Kind::kPushRequest, wire::Kind::kPushResponse},
                             {wire::kPathPull, wire::Kind::kPullRequest, wire::Kind::kPullResponse},
                             {wire::kPathCheck, wire::Kind::kCheckRequest, wire::Kind::kCheckResponse},
                             {wire::kPathEnroll, wire::Kind::kEnrollRequest, wire::Kind::kEnrollResponse}};

// What no fuzzer would guess is put right, unless the input says not to: who it is, of which model, where it stands.
template <class Message>
void put_right(Message& message) {
    message.device = fuzz::made().id;
    message.model_hash = fuzz::small_model().hash();
    if constexpr (requires { message.token; })
        if (message.token.size() < 4) message.token = fuzz::made().token;
}

void put_frame(Bytes& body, wire::FrameType type, BytesView payload, bool right) {
    if (right && type == wire::FrameType::kPushHello)
        if (auto hello = wire::get_push_hello(payload)) return put_right(*hello), wire::put(body, *hello);
    if (right && type == wire::FrameType::kPull)
        if (auto pull = wire::get_pull(payload)) return put_right(*pull), wire::put(body, *pull);
    if (right && type == wire::FrameType::kCheck)
        if (auto check = wire::get_check(payload)) return put_right(*check), wire::put(body, *check);
    if (right && type == wire::FrameType::kEnroll)
        if (auto enroll = wire::get_enroll(payload)) return enroll->device = fuzz::made().id, wire::put(body, *enroll);
    wire::put_frame(body, type, payload);
}

server::http::Request request_of(fuzz::Choices& in, const Route& route) {
    const std::uint8_t how = in.byte();
    server::http::Request request{"POST", std::string(route.path), fuzz::made().bearer, std::string(wire::kContentType), {}};
    if (how >= 224) {
        request.content_type = wire::json::kContentType;
        request.body = in.piece();
        return request;
    }
    if (how >= 216) request.accept_encoding = "zstd";
    wire::put_header(request.body, route.asks);
    for (int frames = 1 + how % 4; frames > 0 && !in.empty(); --frames) {
        const auto type = static_cast<wire::FrameType>(in.byte());
        put_frame(request.body, type, in.piece(), (how & 128) == 0);
    }
    wire::put_empty(request.body, wire::FrameType::kEnd);
    return request;
}

void check_answer(const Route& route, const server::http::Request& request, server::http::Response& response) {
    // 500 is "the server met an error of its own": a request alone must not bring it about.
    SKERRY_ASSERT(response.status == 200 || (response.status >= 400 && response.status < 500));
    const Bytes body = fuzz::whole_answer(response);
    if (request.content_type != wire::kContentType || !request.accept_encoding.empty()) return;
    wire::FrameReader reader(route.answers);
    reader.feed(body);
    auto frame = reader.next();
    for (; frame && *frame; frame = reader.next()) {
        if ((*frame)->type != wire::FrameType::kError) continue;
        const auto failure = wire::get_failure((*frame)->payload);
        SKERRY_ASSERT(failure && failure->code != Code::kServerFailed);
    }
    SKERRY_ASSERT(frame && reader.at_boundary());
}

// What a device sent is shown to the operator, rejected or not.
void ask_as_operator(const server::Place& place) {
    const auto inspector = server::Inspector::open(place);
    SKERRY_ASSERT(inspector && inspector->drafts(server::Drafts::kAll) && inspector->log() && inspector->lost_values() && inspector->quarantine());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Choices in(fuzz::view(data, size));
    kit::CrashDisk& disk = fuzz::disk_with(fuzz::kServerFile, fuzz::made().server);
    fuzz::FuzzClock clock;
    SeededRandom random(5);
    SilentLog log;
    auto server = server::Server::open({.place = fuzz::server_place(disk), .model = std::nullopt}, clock, random, log);
    SKERRY_ASSERT(server);
    for (int i = 0; i < kRequestsMax && !in.empty(); ++i) {
        const Route& route = kRoutes[in.byte() % std::size(kRoutes)];
        const server::http::Request request = request_of(in, route);
        auto response = (*server)->handler().handle(request);
        check_answer(route, request, response);
        clock.now += std::chrono::milliseconds(50);
        (*server)->handler().tick();
    }
    ask_as_operator(fuzz::server_place(disk));
    const auto fresh = store::Store::open({.path = "fresh.db", .vfs = disk.vfs_name(), .device_name = "", .model = {}, .busy_timeout_ms = 0}, clock, random);
    SKERRY_ASSERT(fresh && fuzz::sync(**fresh, **server, fuzz::made().bearer, clock, random, 100));
    SKERRY_ASSERT((*fresh)->has_model() && (*fresh)->meta().integer(store::key::kFreshAt)->value_or(0) != 0);
    return 0;
}
