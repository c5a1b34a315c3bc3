// The routes in lines of JSON: the same server, the same refusals, nothing that frames do not do too.
#include <algorithm>

#include "base/text.hpp"
#include "model/json.hpp"
#include "server/app/files.hpp"
#include "server/app/test_world.hpp"
#include "sqlite/database.hpp"
#include "wire/json/requests.hpp"

namespace skerry::server::test {
namespace {

struct LineRoutes : testing::Test {
    World world;
    Peer anna{world, "anna"};

    http::Response ask(std::string_view path, const std::string& lines, const std::string& bearer) {
        http::Response response = world.handler().handle({"POST", std::string(path), bearer, std::string(wire::json::kContentType), lines});
        EXPECT_EQ(response.content_type, wire::json::kContentType);
        return response;
    }
    http::Response ask(std::string_view path, const std::string& lines) { return ask(path, lines, anna.bearer); }
    // A line that begins like this and goes on with `members`.
    std::string line(std::string_view frame, const std::string& members = "") const {
        return "{\"frame\":\"" + std::string(frame) + "\",\"device\":\"" + hex(anna.id.view()) + "\"" + members + "}\n";
    }
    std::string transaction(std::uint64_t no, const std::string& operations) {
        return "{\"frame\":\"transaction\",\"number\":" + std::to_string(no) + ",\"id\":\"" + hex(world.random.id<TxnId>().view()) + "\",\"operations\":[" +
               operations + "]}\n";
    }
    static std::vector<std::string> lines_of(http::Response& response) {
        const Bytes bytes = read_all(*response.body);
        std::vector<std::string> lines;
        for (std::size_t at = 0; at < bytes.size();) {
            const std::size_t end = bytes.find('\n', at);
            EXPECT_NE(end, Bytes::npos) << "half a line";
            if (end == Bytes::npos) break;
            lines.push_back(bytes.substr(at, end - at));
            EXPECT_TRUE(model::canonical_json(lines.back())) << lines.back();
            at = end + 1;
        }
        return lines;
    }
    static bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
};

TEST_F(LineRoutes, push_and_pull_do_what_frames_do) {
    auto pushed = ask(wire::kPathPush, line("push") + transaction(1, R"({"operation":"insert","entity":"place","key":"oslo","values":{"name":"Oslo","people":7}})"));
    EXPECT_EQ(pushed.status, 200);
    const auto verdicts = lines_of(pushed);
    ASSERT_EQ(verdicts.size(), 2u);
    EXPECT_TRUE(has(verdicts[0], R"("verdict":"applied")")) << verdicts[0];
    EXPECT_EQ(verdicts[1], R"({"frame":"end"})");
    EXPECT_EQ(world.integer("SELECT people FROM place WHERE id = 'oslo'"), 7);

    auto pulled = ask(wire::kPathPull, line("pull"));
    const auto lines = lines_of(pulled);
    const auto row = std::find_if(lines.begin(), lines.end(), [](const std::string& l) { return has(l, R"("key":"oslo")"); });
    ASSERT_NE(row, lines.end());
    EXPECT_TRUE(has(*row, R"("values":{"name":"Oslo","people":7})")) << *row;
    EXPECT_TRUE(has(*row, "\"version\":\"" + hex(view_of(model::row_hash(world.model.entity(kPlace), {text("Oslo"), number(7)}))) + "\"")) << *row;
    EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [](const std::string& l) { return has(l, R"("frame":"outcomes")"); }));
    EXPECT_EQ(lines.back(), R"({"frame":"end"})");
}

TEST_F(LineRoutes, a_live_pull_gives_each_line_when_it_happens_and_beats) {
    http::Response live = ask(wire::kPathPull, line("pull", ",\"live\":true"));
    bool waits = false;
    Bytes first = read_all(*live.body, &waits);
    EXPECT_TRUE(waits);
    EXPECT_TRUE(has(first, R"("frame":"checkpoint")") && first.ends_with('\n'));
    world.sql("INSERT INTO place VALUES ('rome', 'Rome', 1)");
    world.handler().tick();
    const Bytes change = read_all(*live.body, &waits);
    EXPECT_TRUE(waits);
    EXPECT_TRUE(has(change, R"("key":"rome")") && change.ends_with('\n')) << change;
    world.clock.now = *live.body->ask_again_at();
    Bytes beat;
    EXPECT_EQ(live.body->next(beat), http::Step::kMore);
    EXPECT_EQ(beat, "{\"frame\":\"heartbeat\"}\n");
}

// A delta that the server keeps (kSpool) has lines like any other.
TEST_F(LineRoutes, a_large_checkpoint_comes_whole) {
    auto first = ask(wire::kPathPull, line("pull"));
    const std::string checkpoint = lines_of(first).rbegin()[1];
    const auto members = model::json_members(checkpoint);
    ASSERT_TRUE(members);
    std::map<std::string, std::string> last(members->begin(), members->end());
    world.sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO place SELECT printf('k%05d', i), 'name ' || i, i FROM n");
    auto pulled = ask(wire::kPathPull, line("pull", ",\"token\":" + last.at("token")));
    const auto lines = lines_of(pulled);
    EXPECT_TRUE(has(lines.at(0), "\"from\":" + last.at("next"))) << lines.at(0).substr(0, 200);
    std::size_t rows = 0;
    for (const std::string& one : lines)
        for (std::size_t at = one.find("\"key\":"); at != std::string::npos; at = one.find("\"key\":", at + 1)) ++rows;
    EXPECT_EQ(rows, 3000u);
    EXPECT_EQ(sqlite::Database::open(transit_path(world.place))->integer("SELECT count(*) FROM spool").value(), 1);
    EXPECT_EQ(lines.back(), R"({"frame":"end"})");
}

TEST_F(LineRoutes, a_check_answers_for_what_differs) {
    world.sql("INSERT INTO place VALUES ('rome', 'Rome', 1)");
    auto first = ask(wire::kPathPull, line("pull"));
    const auto members = model::json_members(lines_of(first).rbegin()[1]);
    std::map<std::string, std::string> last(members->begin(), members->end());
    const std::string ranges = R"(,"ranges":[{"entity":"place","count":0,"sum":"00000000000000000000000000000000"}])";
    auto checked = ask(wire::kPathCheck, line("check", ",\"token\":" + last.at("token") + ranges));
    const auto lines = lines_of(checked);
    EXPECT_TRUE(has(lines.at(0), R"({"frame":"differs","index":0,"rows":[{"key":"rome","hash":)")) << lines.at(0);
    world.sql("DELETE FROM place");
    auto moved = ask(wire::kPathCheck, line("check", ",\"token\":" + last.at("token") + ranges));
    EXPECT_EQ(lines_of(moved), (std::vector<std::string>{R"({"frame":"moved"})", R"({"frame":"end"})"}));
}

TEST_F(LineRoutes, refusals_are_lines_with_the_status_of_their_code) {
    const auto expect = [](http::Response response, int status, std::string_view code) {
        EXPECT_EQ(response.status, status);
        const auto lines = lines_of(response);
        ASSERT_EQ(lines.size(), 1u);
        EXPECT_TRUE(has(lines[0], "{\"frame\":\"error\",\"code\":\"" + std::string(code) + "\"")) << lines[0];
    };
    for (const std::string_view path : {wire::kPathEnroll, wire::kPathPush, wire::kPathPull, wire::kPathCheck}) {
        expect(ask(path, "not read", "Bearer skt_nobody"), 401, "unauthorized");
        expect(ask(path, "<html>"), 400, "invalid_argument");
        expect(ask(path, ""), 400, "invalid_argument");
        expect(ask(path, std::string(std::min(world.handler().body_bytes_max(path), wire::json::kRequestBytesMax) + 1, ' ')), 413, "limit_exceeded");
    }
    expect(ask("/v1/nothing", ""), 404, "no_such_route");
    expect(ask(wire::kPathPull, line("pull", ",\"model_hash\":\"0000000000000001\"")), 409, "model_mismatch");
    Peer ben(world, "ben");
    expect(ask(wire::kPathPull, line("pull"), ben.bearer), 403, "device_of_other_user");
    EXPECT_TRUE(world.log.lines.empty()) << "what a client does wrong is no alarm";
}

// One line that cannot be read, and the transactions before it have not happened.
TEST_F(LineRoutes, a_push_is_read_before_any_of_it_is_taken) {
    const std::string good = transaction(1, R"({"operation":"insert","entity":"place","key":"oslo","values":{}})");
    EXPECT_EQ(ask(wire::kPathPush, line("push") + good + "{\"frame\":\"transaction\"}").status, 400);
    EXPECT_EQ(world.integer("SELECT count(*) FROM place"), 0);
    EXPECT_EQ(ask(wire::kPathPush, line("push") + good).status, 200);
    EXPECT_EQ(world.integer("SELECT count(*) FROM place"), 1);
}

// What the form of a line cannot tell, the server judges as it judges frames.
TEST_F(LineRoutes, a_transaction_that_contradicts_itself_is_rejected_like_one_in_frames) {
    const std::string twice = R"({"operation":"insert","entity":"place","key":"oslo","values":{}},{"operation":"delete","entity":"place","key":"oslo","previous":1})";
    auto response = ask(wire::kPathPush, line("push") + transaction(1, twice));
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(has(lines_of(response).at(0), R"("verdict":"rejected","code":"malformed_txn")"));
}

}  // namespace
}  // namespace skerry::server::test
