#include "server/app/files.hpp"
#include "server/app/test_world.hpp"

namespace skerry::server::test {
namespace {

struct Routes : testing::Test {
    World world;
    Peer anna{world, "anna"};

    http::Response ask(std::string method, std::string target, std::string authorization, Bytes body = {},
                       std::string type = std::string(wire::kContentType)) {
        return world.handler().handle({std::move(method), std::move(target), std::move(authorization), std::move(type), std::move(body)});
    }
    static Code code_of(http::Response& response, wire::Kind kind) {
        const Bytes bytes = read_all(*response.body);
        const auto frames = wire::read_body(bytes, kind);
        EXPECT_TRUE(frames);
        return frames ? wire::get_failure(frames->back().payload)->code : Code::kInternal;
    }
};

struct RouteCase {
    std::string_view path;
    wire::Kind kind;
};
constexpr RouteCase kPosts[] = {{wire::kPathEnroll, wire::Kind::kEnrollResponse},
                                {wire::kPathPush, wire::Kind::kPushResponse},
                                {wire::kPathPull, wire::Kind::kPullResponse}};

TEST_F(Routes, every_route_wants_a_good_token) {
    const std::string good = anna.bearer;
    std::string altered = good;
    altered.back() = altered.back() == 'A' ? 'B' : 'A';
    altered[altered.size() - 2] = altered[altered.size() - 2] == 'A' ? 'B' : 'A';
    for (const RouteCase& route : kPosts)
        for (const std::string& bad : {std::string(), std::string("Bearer "), std::string("Bearer skt_"), altered, "bearer" + good.substr(6),
                                       good + " ", "Basic " + good.substr(7), good.substr(7)}) {
            auto response = ask("POST", std::string(route.path), bad, "anything");
            EXPECT_EQ(response.status, 401) << route.path << " " << bad;
            EXPECT_EQ(code_of(response, route.kind), Code::kUnauthorized);
        }
}

TEST_F(Routes, an_expired_token_is_no_token) {
    const auto token = make_token(world.place, {"anna", "", std::chrono::seconds(10)}, world.clock, world.random);
    Peer other(world, "anna");
    other.bearer = "Bearer " + *token;
    EXPECT_EQ(other.pull().status, 200);
    world.clock.now += std::chrono::seconds(10);
    EXPECT_EQ(other.pull().status, 401);
}

TEST_F(Routes, with_a_good_token_a_foreign_or_cut_body_is_a_400_and_a_wrong_type_a_415) {
    for (const RouteCase& route : kPosts) {
        for (const std::string_view body : {"", "<html>", "SKRY", "{}"}) {
            auto response = ask("POST", std::string(route.path), anna.bearer, Bytes(body));
            EXPECT_EQ(response.status, 400) << route.path;
            EXPECT_EQ(code_of(response, route.kind), Code::kForeignAnswer);
        }
        EXPECT_EQ(ask("POST", std::string(route.path), anna.bearer, "", "application/json").status, 415);
    }
}

TEST_F(Routes, anything_else_is_not_there) {
    for (const std::string& target : {std::string("/"), std::string("/v1/pull/"), std::string("/v1/pull?x=1"), std::string("/V1/pull"), std::string("//v1/pull"), std::string("/v1/pull%20"), std::string("/healthz/"), std::string()}) {
        auto response = ask("POST", target, anna.bearer);
        EXPECT_EQ(response.status, 404) << target;
        EXPECT_EQ(code_of(response, wire::Kind::kPullResponse), Code::kNoSuchRoute);
        EXPECT_EQ(world.handler().body_bytes_max(target), 0u);
    }
    EXPECT_EQ(ask("GET", "/v1/pull", anna.bearer).status, 404);
    EXPECT_EQ(ask("GET", "/metrics", anna.bearer).status, 404) << "not switched on";
}

TEST_F(Routes, a_body_beyond_its_limit_is_refused) {
    for (const RouteCase& route : kPosts) {
        const std::size_t most = world.handler().body_bytes_max(route.path);
        EXPECT_GT(most, wire::kTokenBytesMax - 1);
        EXPECT_EQ(ask("POST", std::string(route.path), anna.bearer, Bytes(most + 1, 'x')).status, 413) << route.path;
    }
    EXPECT_GE(world.handler().body_bytes_max(wire::kPathPush), wire::kPushBytesMax);
}

TEST_F(Routes, another_model_is_a_409_until_the_device_enrols_again) {
    anna.model.version = 9;
    EXPECT_EQ(anna.push({}).status, 409);
    EXPECT_EQ(anna.pull().status, 409);
    EXPECT_EQ(anna.enroll(outreach().hash()), 200);
    EXPECT_EQ(anna.enroll(outreach().hash() + 1), 200) << "it is given the newest model, whatever it had";
}

TEST_F(Routes, enrolling_gives_the_model_and_the_user) {
    Bytes body;
    wire::put_header(body, wire::Kind::kEnrollRequest);
    wire::put(body, wire::Enroll{anna.id, "phone", 0});
    wire::put_empty(body, wire::FrameType::kEnd);
    auto response = ask("POST", "/v1/enroll", anna.bearer, body);
    const Bytes bytes = read_all(*response.body);
    const auto frames = wire::read_body(bytes, wire::Kind::kEnrollResponse);
    ASSERT_TRUE(frames);
    const auto answer = wire::get_enrolled(frames->at(0).payload);
    EXPECT_EQ(model::Model::load(answer->model).value(), outreach());
    EXPECT_EQ(answer->user, "anna");
}

TEST_F(Routes, what_goes_wrong_inside_is_logged_and_not_told) {
    anna.pull();
    world.sql("DROP TABLE skerry_outcome");
    const PullAnswer pull = anna.pull();
    EXPECT_EQ(pull.status, 500);
    EXPECT_EQ(pull.error, Code::kServerFailed);
    ASSERT_FALSE(world.log.lines.empty());
    EXPECT_NE(world.log.lines.back().find("skerry_outcome"), std::string::npos);
}

TEST_F(Routes, no_secret_is_in_the_log_or_in_the_database) {
    const std::string token = anna.bearer.substr(7);
    anna.pull();
    ask("POST", "/v1/push", anna.bearer, "garbage");
    for (const std::string& line : world.log.lines) EXPECT_EQ(line.find(token), std::string::npos);
    EXPECT_EQ(world.backup().find(token), std::string::npos);
}

TEST_F(Routes, hostile_bytes_on_every_route_are_answered_and_change_nothing) {
    for (int i = 0; i < 3000; ++i) {
        const RouteCase& route = kPosts[world.random.below(3)];
        Bytes body;
        if (world.random.below(4) != 0) wire::put_header(body, static_cast<wire::Kind>(1 + world.random.below(6)));
        for (std::uint64_t n = world.random.below(4); n > 0; --n) {
            Bytes payload(world.random.below(60), '\0');
            world.random.fill({reinterpret_cast<std::uint8_t*>(payload.data()), payload.size()});
            wire::put_frame(body, static_cast<wire::FrameType>(world.random.below(45)), payload);
        }
        if (world.random.below(2) != 0) wire::put_empty(body, wire::FrameType::kEnd);
        auto response = ask("POST", std::string(route.path), anna.bearer, body);
        EXPECT_GE(response.status, 400);
        EXPECT_LT(response.status, 500);
    }
    EXPECT_EQ(world.integer("SELECT count(*) FROM place"), 0);
}

}  // namespace
}  // namespace skerry::server::test
