// The routes of those who run the server.
#include <regex>
#include <set>

#include "server/access/principal.hpp"
#include "server/app/test_world.hpp"

namespace skerry::server::test {
namespace {

struct Service : testing::Test {
    World world;

    Service() { serve(ops::Metrics::kOn); }

    void serve(ops::Metrics metrics) {
        world.stop();
        ServerOptions options;
        options.place = world.place;
        options.metrics = metrics;
        auto opened = Server::open(options, world.clock, world.random, world.log);
        ASSERT_TRUE(opened);
        world.server = std::move(*opened);
    }
    std::string bearer_labelled(const std::string& label) {
        const auto token = make_token(world.place, {"ops", label, std::nullopt}, world.clock, world.random);
        EXPECT_TRUE(token);
        return "Bearer " + *token;
    }
    http::Response get(std::string target, std::string authorization = {}, std::string method = "GET") {
        return world.handler().handle({std::move(method), std::move(target), std::move(authorization), {}, {}});
    }
    std::string metrics() {
        http::Response response = get("/metrics", bearer_labelled("metrics"));
        EXPECT_EQ(response.status, 200);
        return read_all(*response.body);
    }
    // The value on the line that begins with `name`, or empty.
    static std::string value(const std::string& page, const std::string& name) {
        const std::size_t at = ("\n" + page).find("\n" + name + " ");
        if (at == std::string::npos) return {};
        const std::size_t begin = at + name.size() + 1;
        return page.substr(begin, page.find('\n', begin) - begin);
    }
};

TEST_F(Service, health_and_readiness_answer_everybody_and_nobody_learns_more) {
    for (const char* path : {"/healthz", "/readyz"}) {
        http::Response response = get(path);
        EXPECT_EQ(response.status, 200) << path;
        EXPECT_EQ(read_all(*response.body), std::string_view(path) == "/healthz" ? "ok\n" : "ready\n");
        EXPECT_EQ(get(path, {}, "POST").status, 404);
        EXPECT_EQ(get(std::string(path) + "/").status, 404);
        EXPECT_EQ(get(std::string(path) + "?x").status, 404);
        EXPECT_EQ(world.handler().body_bytes_max(path), 0u);
    }
}

TEST_F(Service, readiness_asks_the_database_once_a_second_whoever_asks) {
    EXPECT_EQ(get("/readyz").status, 200);
    const std::int64_t first = world.integer("SELECT value FROM skerry_meta WHERE name = 'probed_us'");
    world.clock.now += std::chrono::milliseconds(900);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(get("/readyz").status, 200);
    EXPECT_EQ(world.integer("SELECT value FROM skerry_meta WHERE name = 'probed_us'"), first);
    world.clock.now += std::chrono::milliseconds(100);
    EXPECT_EQ(get("/readyz").status, 200);
    EXPECT_GT(world.integer("SELECT value FROM skerry_meta WHERE name = 'probed_us'"), first);
}

TEST_F(Service, a_server_whose_database_refuses_writes_is_not_ready) {
    world.sql("CREATE TRIGGER broken BEFORE UPDATE ON skerry_meta BEGIN SELECT RAISE(ABORT, 'no'); END;"
              "CREATE TRIGGER broken2 BEFORE INSERT ON skerry_meta BEGIN SELECT RAISE(ABORT, 'no'); END");
    http::Response response = get("/readyz");
    EXPECT_EQ(response.status, 503);
    EXPECT_TRUE(response.retry_after_s);
    EXPECT_TRUE(read_all(*response.body).starts_with("the database cannot be written: "));
    EXPECT_EQ(get("/healthz").status, 200) << "the process lives";
    EXPECT_EQ(world.log.lines.size(), 1u) << "said once";
    world.sql("DROP TRIGGER broken; DROP TRIGGER broken2");
    world.clock.now += std::chrono::seconds(1);
    EXPECT_EQ(get("/readyz").status, 200);
}

TEST_F(Service, changes_that_wait_too_long_for_the_sequencer_make_it_unready) {
    EXPECT_EQ(get("/readyz").status, 200);
    world.sql("INSERT INTO place VALUES('oslo', 'Oslo', 5)");
    for (int second = 0; second <= 11; ++second) {
        world.clock.now += std::chrono::seconds(1);
        EXPECT_EQ(get("/readyz").status, second <= 10 ? 200 : 503) << second;
    }
    world.handler().tick();
    world.clock.now += std::chrono::seconds(1);
    EXPECT_EQ(get("/readyz").status, 200);
}

TEST_F(Service, a_server_that_stops_is_not_ready_and_ends_live_streams_well) {
    Peer anna(world, "anna");
    anna.open_live();
    anna.read_live();
    EXPECT_TRUE(anna.live_waits());
    world.handler().stop();
    EXPECT_TRUE(anna.read_live().ended);
    http::Response response = get("/readyz");
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(read_all(*response.body), "the server is stopping\n");
}

TEST_F(Service, metrics_are_for_tokens_with_that_label_and_those_open_nothing_else) {
    Peer anna(world, "anna");
    for (const std::string& bad : {std::string(), std::string("Bearer skt_"), anna.bearer, bearer_labelled("Metrics"), bearer_labelled("")}) {
        http::Response response = get("/metrics", bad);
        EXPECT_EQ(response.status, 401);
        EXPECT_EQ(read_all(*response.body), "unauthorized\n");
    }
    const std::string scraper = bearer_labelled("metrics");
    EXPECT_EQ(get("/metrics", scraper).status, 200);
    anna.bearer = scraper;
    EXPECT_EQ(anna.enroll(), 401);
    EXPECT_EQ(anna.pull().status, 401);
    EXPECT_EQ(anna.push({}).status, 401);
    serve(ops::Metrics::kOff);
    EXPECT_EQ(get("/metrics", scraper).status, 404);
}

TEST_F(Service, metrics_tell_what_happened) {
    Peer anna(world, "anna");
    EXPECT_EQ(anna.push({anna.txn({Peer::insert(kPlace, "oslo", {text("Oslo"), number(5)})})}).status, 200);
    EXPECT_EQ(anna.push({anna.txn({Peer::insert(kPlace, "oslo", {text("Oslo"), number(5)})})}).status, 200);  // key_taken
    anna.pull();
    EXPECT_EQ(get("/nowhere").status, 404);
    const std::string page = metrics();
    EXPECT_EQ(value(page, "skerry_transactions_total{verdict=\"applied\"}"), "1");
    EXPECT_EQ(value(page, "skerry_transactions_total{verdict=\"rejected\"}"), "1");
    EXPECT_EQ(value(page, "skerry_transactions_total{verdict=\"conflict\"}"), "0");
    EXPECT_EQ(value(page, "skerry_requests_total{route=\"/v1/push\",status=\"200\"}"), "2");
    EXPECT_EQ(value(page, "skerry_requests_total{route=\"other\",status=\"404\"}"), "1");
    EXPECT_EQ(value(page, "skerry_errors_total{code=\"no_such_route\"}"), "1");
    EXPECT_EQ(value(page, "skerry_rows_sequenced_total"), "1");
    EXPECT_EQ(value(page, "skerry_drafts_open"), "1");
    EXPECT_EQ(value(page, "skerry_devices"), "1");
    EXPECT_EQ(value(page, "skerry_queue_rows"), "0");
    EXPECT_EQ(value(page, "skerry_conflicts_open"), "0");
    EXPECT_EQ(value(page, "skerry_last_seq"), std::to_string(world.integer("SELECT max(seq) FROM skerry_batch")));
    EXPECT_NE(value(page, "skerry_checkpoints_total"), "0");
    EXPECT_NE(value(page, "skerry_response_bytes_total{route=\"/v1/pull\"}"), "0");
    EXPECT_GT(std::stoull(value(page, "skerry_database_bytes")), 4096u);
    EXPECT_GT(std::stoull(value(page, "skerry_wal_bytes")), 0u);
    EXPECT_EQ(page.find("oslo"), std::string::npos);
    EXPECT_EQ(page.find("anna"), std::string::npos);
}

TEST_F(Service, metrics_have_the_form_that_prometheus_reads) {
    Peer(world, "anna").pull();
    const std::string page = metrics();
    const std::regex comment("# (HELP|TYPE) (skerry_[a-z_]+) .+");
    const std::regex sample("(skerry_[a-z_]+)(\\{([a-z]+=\"[^\"\\\\]*\",?)+\\})? [0-9.e+-]+");
    std::set<std::string> typed;
    std::size_t samples = 0;
    std::size_t begin = 0;
    for (std::size_t end = page.find('\n'); end != std::string::npos; begin = end + 1, end = page.find('\n', begin)) {
        const std::string line = page.substr(begin, end - begin);
        std::smatch found;
        if (std::regex_match(line, found, comment)) {
            typed.insert(found[2]);
            continue;
        }
        ASSERT_TRUE(std::regex_match(line, found, sample)) << line;
        const std::string family = std::regex_replace(found[1].str(), std::regex("_(bucket|sum|count)$"), "");
        EXPECT_TRUE(typed.contains(family)) << line;
        ++samples;
    }
    EXPECT_EQ(begin, page.size()) << "the last line ends";
    EXPECT_GT(samples, 20u);
    const std::string pull = "{route=\"/v1/pull\"";
    EXPECT_EQ(value(page, "skerry_request_seconds_bucket" + pull + ",le=\"+Inf\"}"), value(page, "skerry_request_seconds_count" + pull + "}"));
    EXPECT_EQ(value(page, "skerry_request_seconds_bucket" + pull + ",le=\"0.001\"}"), "1") << "the clock stood still";
}

}  // namespace
}  // namespace skerry::server::test
