// Every route with every method and every kind of caller. The rows of kExpected are written down: a route without one fails.
#include <algorithm>
#include <set>

#include "server/app/test_world.hpp"
#include "server/http/route_table.hpp"
#include "wire/check.hpp"

namespace skerry::server::test {
namespace {

using http::Gate;

constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "post", "BREW"};

struct Expected {
    std::string_view path;
    std::string_view method;
    int right;       // who has the right token, with a request that makes sense
    int other_user;  // who has a token of his own, and names the device of another
};
constexpr Expected kExpected[] = {
    {"/v1/enroll", "POST", 200, 403}, {"/v1/push", "POST", 200, 403}, {"/v1/pull", "POST", 200, 403}, {"/v1/check", "POST", 200, 403},
    {"/healthz", "GET", 200, 200},    {"/readyz", "GET", 200, 200},   {"/metrics", "GET", 200, 401},
};

struct Answer {
    int status = 0;
    std::string content_type;
    Bytes body;
    friend bool operator==(const Answer&, const Answer&) = default;
};

struct AccessMatrix : testing::Test {
    World world;
    Peer anna{world, "anna"};
    Peer ben{world, "ben"};

    AccessMatrix() {
        world.stop();
        ServerOptions options;
        options.place = world.place;
        options.metrics = ops::Metrics::kOn;
        auto opened = Server::open(options, world.clock, world.random, world.log);
        EXPECT_TRUE(opened);
        world.server = std::move(*opened);
        anna.pull();
    }

    std::string token(const std::string& user, const std::string& label = "", std::optional<Micros> valid = {}) {
        const auto made = make_token(world.place, {user, label, valid, {}}, world.clock, world.random);
        EXPECT_TRUE(made);
        return "Bearer " + *made;
    }

    // Those who are nobody. They must not be told apart.
    std::map<std::string, std::string> nobodies() {
        std::string unknown = anna.bearer;
        std::reverse(unknown.begin() + 11, unknown.end());
        const std::string expired = token("anna", "", std::chrono::seconds(10));
        const std::string revoked = token("anna", "to be revoked");
        world.sql("DELETE FROM skerry_token WHERE label = 'to be revoked'");
        world.clock.now += std::chrono::seconds(10);
        const std::string good = anna.bearer.substr(7);
        return {{"none", ""}, {"scheme only", "Bearer"}, {"no token", "Bearer "}, {"short", "Bearer skt_abc"}, {"another scheme", "Basic " + good},
                {"lower case", "bearer " + good}, {"two blanks", "Bearer  " + good}, {"with an end", "Bearer " + good + " "}, {"a list", "Bearer " + good + ", Bearer " + good},
                {"the token alone", good}, {"8 KiB", "Bearer skt_" + std::string(8192, 'a')}, {"other bytes", "Bearer skt_\xff\x01" + good.substr(6)},
                {"unknown", unknown}, {"expired", expired}, {"revoked", revoked}};
    }

    // Of anna's device.
    Bytes body_for(std::string_view path) const {
        Bytes body;
        const auto begin = [&](wire::Kind kind) { wire::put_header(body, kind); };
        if (path == wire::kPathEnroll) {
            begin(wire::Kind::kEnrollRequest);
            wire::put(body, wire::Enroll{anna.id, "phone", 0});
        } else if (path == wire::kPathPush) {
            return anna.push_body({});
        } else if (path == wire::kPathPull) {
            begin(wire::Kind::kPullRequest);
            wire::Pull pull;
            pull.device = anna.id;
            pull.model_hash = anna.model.hash();
            pull.keep_from = anna.keep_from;
            pull.token = anna.cursor;
            wire::put(body, pull);
        } else if (path == wire::kPathCheck) {
            begin(wire::Kind::kCheckRequest);
            wire::put(body, wire::Check{anna.id, anna.model.hash(), anna.cursor});
        } else {
            return body;
        }
        wire::put_empty(body, wire::FrameType::kEnd);
        return body;
    }

    http::Request request(std::string_view path, std::string_view method, const std::string& authorization) const {
        return {std::string(method), std::string(path), authorization, std::string(wire::kContentType), body_for(path)};
    }

    Answer ask(const http::Request& request) { return read(world.handler().handle(request)); }
    static Answer read(http::Response response) { return {response.status, response.content_type, response.body ? read_all(*response.body) : Bytes()}; }

    // What a host learns before the body is there: the same answer, or nothing.
    void expect_early(http::Request head, const Answer& answer) {
        head.body.clear();
        auto early = world.handler().refuse_early(head);
        ASSERT_TRUE(early) << head.method << " " << head.target;
        EXPECT_EQ(read(std::move(*early)), answer) << head.method << " " << head.target;
    }
};

const Expected* row_of(const http::Route& route) {
    for (const Expected& row : kExpected)
        if (row.path == route.path && row.method == route.method) return &row;
    return nullptr;
}

TEST_F(AccessMatrix, every_route_has_limits_and_a_row_here) {
    std::set<std::string_view> paths;
    for (const http::Route& route : http::kRoutes) {
        SCOPED_TRACE(route.path);
        EXPECT_NE(row_of(route), nullptr) << "a new route: say in kExpected who may what";
        EXPECT_TRUE(paths.insert(route.path).second) << "twice";
        EXPECT_EQ(http::find_route(route.path), &route);
        const bool takes_a_body = route.method == "POST";
        EXPECT_EQ(route.body_bytes_max > 0, takes_a_body);
        EXPECT_EQ(route.lines_bytes_max > 0, takes_a_body);
        EXPECT_LE(route.lines_bytes_max, route.body_bytes_max);
        EXPECT_EQ(world.handler().body_bytes_max(route.path), route.body_bytes_max);
        EXPECT_TRUE(route.gate != Gate::kNobodyAsked || !takes_a_body) << "nobody without a token makes the server read or write";
    }
    EXPECT_EQ(std::size(kExpected), http::kRoutes.size());
    EXPECT_EQ(world.handler().body_bytes_max("/v1/nothing"), 0u);
}

TEST_F(AccessMatrix, security_T2_whoever_is_nobody_gets_one_answer_whatever_he_sends) {
    const auto nobodies = this->nobodies();
    for (const http::Route& route : http::kRoutes) {
        if (route.gate == Gate::kNobodyAsked) continue;
        const Answer first = ask(request(route.path, route.method, ""));
        EXPECT_EQ(first.status, 401);
        for (const auto& [name, authorization] : nobodies) {
            SCOPED_TRACE(std::string(route.path) + " " + name);
            http::Request one = request(route.path, route.method, authorization);
            EXPECT_EQ(ask(one), first);
            if (route.gate == Gate::kUser) expect_early(one, first);
            for (const std::string_view type : {"", "text/plain", "application/json", "multipart/form-data"}) {
                one.content_type = type;
                EXPECT_EQ(ask(one), first) << "the token comes before everything else";
            }
            one.content_encoding = "gzip";
            if (route.gate == Gate::kUser) one.body = "garbage";
            EXPECT_EQ(ask(one), first);
        }
    }
}

TEST_F(AccessMatrix, every_route_with_every_method_and_caller) {
    auto callers = nobodies();
    callers["anna"] = anna.bearer;
    callers["ben"] = ben.bearer;
    callers["metrics"] = token("watcher", "metrics");
    const Answer nothing = ask(request("/v1/nothing", "GET", ""));
    EXPECT_EQ(nothing.status, 404);
    for (const http::Route& route : http::kRoutes) {
        const Expected& row = *row_of(route);
        for (const std::string_view method : kMethods) {
            for (const auto& [name, authorization] : callers) {
                SCOPED_TRACE(std::string(method) + " " + std::string(route.path) + " as " + name);
                const http::Request one = request(route.path, method, authorization);
                const Answer answer = ask(one);
                if (method != route.method) {
                    EXPECT_EQ(answer, nothing) << "no method tells that there is another";
                    expect_early(one, nothing);
                    continue;
                }
                const bool is_user = name == "anna" || name == "ben";
                int status = 401;
                if (route.gate == Gate::kNobodyAsked) status = 200;
                if (route.gate == Gate::kMetrics && name == "metrics") status = row.right;
                if (route.gate == Gate::kMetrics && is_user) status = row.other_user;
                if (route.gate == Gate::kUser && is_user) status = name == "anna" ? row.right : row.other_user;
                EXPECT_EQ(answer.status, status);
            }
        }
    }
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_device"), 2);
}

// A page of another site can make a browser send a form or a text, not our types and not a token.
TEST_F(AccessMatrix, security_T18_what_a_foreign_page_can_send_changes_nothing) {
    for (const std::string_view type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "TEXT/PLAIN;charset=utf-8", "application/vnd.skerry; charset=utf-8"}) {
        for (const std::string& authorization : {std::string(), anna.bearer}) {
            http::Request one = request(wire::kPathPush, "POST", authorization);
            one.body = anna.push_body({anna.txn({Peer::insert(kPlace, "oslo", {text("Oslo"), number(5)})})});
            one.content_type = type;
            EXPECT_EQ(ask(one).status, authorization.empty() ? 401 : 415) << type;
        }
    }
    EXPECT_EQ(world.integer("SELECT count(*) FROM place"), 0);
}

TEST_F(AccessMatrix, a_request_with_a_content_coding_is_refused_by_name_before_its_body) {
    for (const std::string_view coding : {"zstd", "gzip", "br", "identity", "x"}) {
        for (const std::string_view path : {wire::kPathEnroll, wire::kPathPush, wire::kPathPull, wire::kPathCheck}) {
            http::Request one = request(path, "POST", anna.bearer);
            one.content_encoding = coding;
            const Answer answer = ask(one);
            EXPECT_EQ(answer.status, 415);
            EXPECT_NE(answer.body.find("content coding"), Bytes::npos);
            expect_early(one, answer);
        }
    }
    EXPECT_FALSE(world.handler().refuse_early(request(wire::kPathPush, "POST", anna.bearer)));
}

// The largest body of each route and one byte more, in both forms.
TEST_F(AccessMatrix, bodies_up_to_each_limit_are_read_and_none_beyond) {
    for (const http::Route& route : http::kRoutes) {
        if (route.gate != Gate::kUser) continue;
        for (const bool lines : {false, true}) {
            const std::size_t most = lines ? route.lines_bytes_max : route.body_bytes_max;
            http::Request one = request(route.path, "POST", anna.bearer);
            one.content_type = lines ? wire::json::kContentType : wire::kContentType;
            one.body = Bytes(most, ' ');
            EXPECT_EQ(ask(one).status, 400) << route.path << ": it was read, and is nothing";
            one.body += ' ';
            const Answer beyond = ask(one);
            EXPECT_EQ(beyond.status, 413) << route.path;
        }
    }
}

}  // namespace
}  // namespace skerry::server::test
