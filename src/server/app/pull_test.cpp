#include <cstdlib>
#include <ctime>

#include "server/app/files.hpp"
#include "server/app/inspect.hpp"
#include "server/app/test_world.hpp"
#include "server/http/routes.hpp"
#include "server/outflow/limits.hpp"
#include "server/outflow/live_streams.hpp"
#include "server/outflow/spooler.hpp"
#include "server/storage/sqlite/backend.hpp"
#include "sqlite/database.hpp"

namespace skerry::server::test {
namespace {

const model::Row kOslo{text("Oslo"), number(5)};

struct Pull : testing::Test {
    World world;
    Peer anna{world, "anna"};
    Peer bert{world, "bert"};

    void hundred_places() {
        world.sql("INSERT INTO place WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
                  "SELECT printf('p%03d', i), 'place ' || i, i FROM n");
    }
    std::map<KeyRef, model::Row> truth() {
        std::map<KeyRef, model::Row> rows;
        for (const auto& row : world.sql("SELECT id, name, people FROM place").rows)
            rows[{kPlace, std::get<std::string>(row[0])}] = {row[1], row[2]};
        for (const auto& row : world.sql("SELECT id, place_id, note FROM visit").rows)
            rows[{kVisit, std::get<std::string>(row[0])}] = {row[1], row[2]};
        return rows;
    }
};

TEST_F(Pull, a_first_sync_comes_in_slices_and_is_whole_at_its_end) {
    hundred_places();
    const PullAnswer pull = anna.pull({.slice_rows = 30});
    EXPECT_EQ(pull.slice_sizes, (std::vector<std::size_t>{30, 30, 30, 10, 0, 0}));
    EXPECT_EQ(pull.begins.size(), 6u);
    EXPECT_EQ(pull.begins[0].scopes.size(), 3u) << "the third is that of conflict records";
    EXPECT_EQ(pull.begins[0].scopes[0].name, "place");
    EXPECT_TRUE(pull.begins[0].scopes[0].whole);
    EXPECT_FALSE(pull.begins[0].verify);
    EXPECT_EQ(pull.begins[0].rows_left, 100u);
    EXPECT_EQ(pull.begins[3].rows_left, 10u);
    EXPECT_TRUE(pull.begins[1].scopes.empty()) << "announced once";
    EXPECT_FALSE(pull.begins[3].caught_up);
    EXPECT_TRUE(pull.begins[5].caught_up);
    EXPECT_EQ(pull.completed, (std::vector{wire::ScopeId{1}, wire::ScopeId{2}, wire::ScopeId{3}}));
    EXPECT_TRUE(pull.ended);
    EXPECT_EQ(anna.rows, truth());
}

TEST_F(Pull, an_empty_server_is_whole_at_once_and_its_first_row_arrives_as_a_delta) {
    EXPECT_TRUE(anna.pull().ended);
    EXPECT_TRUE(anna.complete);
    world.sql("INSERT INTO place VALUES('oslo', 'Oslo', 5)");
    const PullAnswer pull = anna.pull();
    EXPECT_FALSE(pull.begins.at(0).verify);
    EXPECT_EQ(pull.rows[0].size(), 1u);
}

TEST_F(Pull, a_delta_holds_only_what_changed_and_leaves_come_last) {
    hundred_places();
    anna.pull();
    world.sql("UPDATE place SET people = 0 WHERE id = 'p007'");
    world.sql("DELETE FROM place WHERE id = 'p001'");
    world.sql("INSERT INTO visit VALUES('00000000-0000-7000-8000-000000000001', 'p007', 'hello')");
    const PullAnswer pull = anna.pull();
    ASSERT_EQ(pull.begins.size(), 1u);
    EXPECT_EQ(pull.rows[0], (std::vector<KeyRef>{{kPlace, "p007"}, {kVisit, "00000000-0000-7000-8000-000000000001"}}));
    EXPECT_EQ(pull.leaves[0], (std::vector<KeyRef>{{kPlace, "p001"}}));
    EXPECT_TRUE(pull.slice_sizes.empty());
    EXPECT_EQ(anna.rows, truth());
}

TEST_F(Pull, when_nothing_changed_an_answer_is_under_300_bytes) {
    hundred_places();
    anna.pull();
    const PullAnswer pull = anna.pull();
    EXPECT_EQ(pull.begins.size(), 1u);
    EXPECT_LT(pull.bytes, 300u);
    EXPECT_TRUE(anna.complete);
}

TEST_F(Pull, a_row_that_came_and_went_between_two_pulls_is_never_mentioned) {
    anna.pull();
    world.sql("INSERT INTO place VALUES('x', 'x', 1); DELETE FROM place WHERE id = 'x'");
    const PullAnswer pull = anna.pull();
    EXPECT_TRUE(pull.rows[0].empty() && pull.leaves[0].empty());
}

TEST_F(Pull, an_update_that_changes_nothing_is_not_sent) {
    hundred_places();
    anna.pull();
    world.sql("UPDATE place SET name = name");
    EXPECT_TRUE(anna.pull().rows[0].empty());
}

TEST_F(Pull, a_cut_off_pull_goes_on_from_its_last_whole_checkpoint) {
    hundred_places();
    anna.checkpoints_max = 3;
    anna.pull({.slice_rows = 10});
    anna.checkpoints_max = SIZE_MAX;
    EXPECT_EQ(anna.rows.size(), 30u);
    // Meanwhile rows on both sides of the position change and go.
    world.sql("DELETE FROM place WHERE id IN ('p005', 'p095'); UPDATE place SET people = 0 WHERE id IN ('p006', 'p096')");
    const PullAnswer rest = anna.pull({.slice_rows = 10});
    EXPECT_FALSE(rest.begins[0].verify);
    EXPECT_EQ(rest.begins[0].rows_left, 70u);
    EXPECT_EQ(anna.rows, truth());
}

TEST_F(Pull, a_live_pull_wakes_with_what_others_push) {
    anna.pull();
    anna.open_live();
    anna.read_live();
    EXPECT_TRUE(anna.live_waits());
    world.handler().take_wake();
    bert.push({bert.txn({Peer::insert(kPlace, "oslo", kOslo)})});
    EXPECT_TRUE(world.handler().take_wake());
    EXPECT_FALSE(world.handler().take_wake());
    anna.read_live();
    EXPECT_TRUE(anna.live_waits());
    EXPECT_EQ(anna.rows.size(), 1u);
    // Another process writes: nobody tells the server, its tick finds out.
    world.sql("INSERT INTO place VALUES('rome', 'Rome', 1)");
    EXPECT_TRUE(world.handler().tick());
    EXPECT_TRUE(world.handler().take_wake());
    EXPECT_FALSE(world.handler().tick());
    anna.read_live();
    EXPECT_EQ(anna.rows, truth());
}

TEST_F(Pull, a_waiting_live_pull_beats_every_five_seconds) {
    anna.open_live();
    anna.read_live();
    ASSERT_TRUE(anna.live_waits());
    EXPECT_EQ(anna.live_body().ask_again_at(), world.clock.now + Micros(outflow::kHeartbeat));
    Bytes bytes;
    EXPECT_EQ(anna.live_body().next(bytes), http::Step::kWait);
    world.clock.now += outflow::kHeartbeat;
    EXPECT_EQ(anna.live_body().next(bytes), http::Step::kMore);
    EXPECT_EQ(bytes.size(), wire::kFrameOverhead);
    EXPECT_EQ(anna.live_body().next(bytes), http::Step::kWait);
}

TEST_F(Pull, security_T6_a_live_pull_ends_soon_after_its_token_though_nothing_is_written) {
    anna.open_live();
    bert.open_live();
    anna.read_live();
    bert.read_live();
    const auto ends_within = [&](Micros time) {
        const Micros until = world.clock.now + time;
        while (world.clock.now < until) {
            world.clock.now += Micros(outflow::kHeartbeat);
            if (anna.read_live().error == Code::kUnauthorized) return true;
            EXPECT_FALSE(bert.read_live().error);
            EXPECT_TRUE(bert.live_waits());
        }
        return false;
    };
    EXPECT_FALSE(ends_within(std::chrono::minutes(2))) << "who has a token stays";
    world.sql("DELETE FROM skerry_token WHERE user = 'anna'");
    EXPECT_TRUE(ends_within(outflow::kRightsCheckEvery + Micros(outflow::kHeartbeat)));
}

TEST_F(Pull, security_T29_a_device_has_so_many_live_pulls_and_the_oldest_makes_room) {
    const auto open = [&](const Peer& peer) {
        Bytes body;
        wire::put_header(body, wire::Kind::kPullRequest);
        wire::Pull pull;
        pull.device = peer.id;
        pull.model_hash = peer.model.hash();
        pull.keep_from = peer.keep_from;
        pull.live = true;
        wire::put(body, pull);
        wire::put_empty(body, wire::FrameType::kEnd);
        http::Response response = world.post(wire::kPathPull, std::move(body), peer.bearer);
        EXPECT_EQ(response.status, 200);
        bool waits = false;
        read_all(*response.body, &waits);
        EXPECT_TRUE(waits);
        return response;
    };
    const auto waits = [](http::Response& response) {
        bool still = false;
        read_all(*response.body, &still);
        return still;
    };
    http::Response other = open(bert);
    std::vector<http::Response> all;
    for (std::size_t i = 0; i < outflow::kLiveStreamsMax; ++i) all.push_back(open(anna));
    for (http::Response& one : all) EXPECT_TRUE(waits(one)) << "up to the limit all stay";
    all.push_back(open(anna));
    EXPECT_FALSE(waits(all[0]));
    for (std::size_t i = 1; i < all.size(); ++i) EXPECT_TRUE(waits(all[i])) << i;
    EXPECT_TRUE(waits(other));
    all.erase(all.begin() + 1, all.begin() + 3);  // two go by themselves: there is room for two
    all.push_back(open(anna));
    all.push_back(open(anna));
    for (std::size_t i = 1; i < all.size(); ++i) EXPECT_TRUE(waits(all[i])) << i;
}

TEST_F(Pull, pitfall_37_a_live_pull_sends_nothing_more_once_its_token_is_gone) {
    anna.open_live();
    anna.read_live();
    world.sql("DELETE FROM skerry_token WHERE user = 'anna'");
    world.sql("INSERT INTO place VALUES('rome', 'Rome', 1)");
    world.handler().tick();
    EXPECT_EQ(anna.read_live().error, Code::kUnauthorized);
    EXPECT_TRUE(anna.rows.empty());
}

TEST_F(Pull, devices_that_wait_for_one_change_are_all_sent_it_each_with_its_own_outcomes) {
    Peer cleo{world, "cleo"};
    hundred_places();
    for (Peer* peer : {&anna, &bert, &cleo}) {
        peer->pull();
        peer->open_live();
        peer->read_live();
    }
    anna.push({anna.txn({Peer::insert(kPlace, "oslo", kOslo)})});
    world.sql("DELETE FROM place WHERE id = 'p001'");
    world.handler().tick();
    const PullAnswer to_anna = anna.read_live();
    const PullAnswer to_bert = bert.read_live();
    const PullAnswer to_cleo = cleo.read_live();
    EXPECT_EQ(to_bert.rows, to_anna.rows);
    EXPECT_EQ(to_cleo.leaves, to_anna.leaves);
    ASSERT_EQ(to_anna.outcomes.size(), 1u);
    EXPECT_EQ(to_anna.outcomes[0].size(), 1u);
    EXPECT_TRUE(to_bert.outcomes[0].empty() && to_cleo.outcomes[0].empty());
    for (Peer* peer : {&anna, &bert, &cleo}) EXPECT_EQ(peer->rows, truth());
    // Each goes on from where it is.
    world.sql("UPDATE place SET people = 7 WHERE id = 'p002'");
    world.handler().tick();
    anna.read_live();
    EXPECT_EQ(anna.rows, truth());
    world.sql("UPDATE place SET people = 8 WHERE id = 'p003'");
    world.handler().tick();
    for (Peer* peer : {&anna, &bert, &cleo}) {
        peer->read_live();
        EXPECT_EQ(peer->rows, truth());
    }
}

TEST_F(Pull, pitfall_37_what_devices_have_in_common_is_no_right_of_any_of_them) {
    for (Peer* peer : {&anna, &bert}) {
        peer->pull();
        peer->open_live();
        peer->read_live();
    }
    world.sql("INSERT INTO place VALUES('rome', 'Rome', 1); UPDATE skerry_device SET forgotten = 1 WHERE user = 'bert'");
    world.handler().tick();
    anna.read_live();
    EXPECT_EQ(anna.rows, truth());
    EXPECT_EQ(bert.read_live().error, Code::kNotEnrolled);
    EXPECT_TRUE(bert.rows.empty());
}

TEST_F(Pull, pitfall_37_a_token_that_ran_out_while_nothing_was_written_brings_nothing_more) {
    Peer cleo{world, "cleo"};
    for (Peer* peer : {&anna, &cleo}) {
        peer->pull();
        peer->open_live();
        peer->read_live();
    }
    const std::int64_t end = (world.clock.wall() + std::chrono::seconds(1)).count();
    world.sql("UPDATE skerry_token SET expires_us = " + std::to_string(end) + "; INSERT INTO place VALUES('rome', 'Rome', 1)");
    world.handler().tick();
    anna.read_live();
    EXPECT_EQ(anna.rows, truth());
    world.clock.now += std::chrono::seconds(2);
    EXPECT_EQ(cleo.read_live().error, Code::kUnauthorized);
    EXPECT_TRUE(cleo.rows.empty());
}

TEST_F(Pull, pitfall_24_a_restored_server_is_recognised_and_the_device_re_reads_by_slices) {
    hundred_places();
    anna.pull();
    const std::string backup = world.backup();
    world.sql("UPDATE place SET name = 'lost' WHERE id = 'p001'");
    const auto lost = anna.txn({Peer::insert(kPlace, "lost", kOslo)});
    anna.push({lost});
    anna.pull();
    EXPECT_EQ(anna.rows.size(), 101u);
    world.put_back(backup);
    // The numbers of the lost batches are given again, with other marks.
    world.sql("DELETE FROM place WHERE id = 'p002'");
    bert.pull();
    world.sql("DELETE FROM place WHERE id = 'p003'");
    EXPECT_EQ(anna.push({anna.txn({Peer::insert(kPlace, "new", kOslo)})}).expect, TxnNo{1});
    EXPECT_EQ(anna.push({lost}).verdict(), Verdict::kApplied);
    const PullAnswer pull = anna.pull({.slice_rows = 50});
    EXPECT_TRUE(pull.begins[0].verify);
    EXPECT_EQ(pull.begins[0].scopes.size(), 3u);
    EXPECT_EQ(pull.begins[0].seen, TxnNo{1});
    EXPECT_EQ(pull.outcomes[0].size(), 1u) << "every outcome that is kept, with its rows";
    EXPECT_FALSE(pull.begins[1].verify);
    EXPECT_EQ(anna.rows, truth());
    EXPECT_FALSE(anna.pull().begins[0].verify);
}

TEST_F(Pull, a_token_of_another_device_or_garbage_means_verify_never_an_error) {
    hundred_places();
    anna.pull();
    bert.rows[{kPlace, "stale"}] = kOslo;
    bert.cursor = anna.cursor;
    EXPECT_TRUE(bert.pull().begins[0].verify);
    EXPECT_EQ(bert.rows, truth());
    bert.cursor = "garbage";
    EXPECT_TRUE(bert.pull().begins[0].verify);
}

TEST_F(Pull, repair_reads_everything_again_and_mends_what_differs) {
    hundred_places();
    anna.pull();
    anna.rows[{kPlace, "p001"}] = kOslo;
    anna.rows[{kPlace, "phantom"}] = kOslo;
    anna.rows.erase({kPlace, "p002"});
    const PullAnswer pull = anna.pull({.verify = true, .slice_rows = 40});
    EXPECT_TRUE(pull.begins[0].verify);
    EXPECT_EQ(anna.rows, truth());
}

TEST_F(Pull, only_a_token_that_comes_back_moves_the_floor) {
    hundred_places();
    anna.pull();
    world.clock.now += std::chrono::seconds(10);
    world.handler().tick();
    EXPECT_EQ(world.integer("SELECT max(acked) FROM skerry_device"), 0);
    anna.pull();
    world.clock.now += std::chrono::seconds(10);
    world.handler().tick();
    EXPECT_EQ(world.integer("SELECT max(acked) FROM skerry_device"), 1);
}

TEST_F(Pull, large_rows_come_in_bounded_frames_and_slices) {
    for (int i = 0; i < 12; ++i)
        world.sql("INSERT INTO place VALUES('big" + std::to_string(i) + "', printf('%.*c', 200000, 'x'), 1)");
    EXPECT_GT(anna.pull().slice_sizes.size(), 2u) << "bytes end a slice, not only rows";
    EXPECT_EQ(anna.rows, truth());
    world.sql("UPDATE place SET people = 2");
    const PullAnswer delta = anna.pull();
    EXPECT_EQ(delta.begins.size(), 1u);
    EXPECT_EQ(anna.rows, truth());
}

TEST_F(Pull, a_row_that_no_device_would_take_is_held_back_and_stops_nobody) {
    world.sql("INSERT INTO place VALUES('bad', 'fine', 1), ('good', 'fine', 1)");
    anna.pull();
    world.sql("UPDATE place SET name = CAST(x'ff' AS TEXT) WHERE id = 'bad'; UPDATE place SET people = 2 WHERE id = 'good'");
    anna.pull();
    EXPECT_EQ(anna.rows.count({kPlace, "bad"}), 0u);
    EXPECT_EQ(anna.rows.at({kPlace, "good"})[1], number(2));
    bert.pull();
    EXPECT_EQ(bert.rows, anna.rows);
    EXPECT_FALSE(world.log.lines.empty());
    const auto held = Inspector::open(world.place)->quarantine();
    ASSERT_EQ(held->size(), 1u);
    EXPECT_EQ(held->at(0).key, "bad");
    EXPECT_EQ(held->at(0).reason, "place.name is not UTF-8 text without NUL");
    world.sql("UPDATE place SET name = 'mended' WHERE id = 'bad'");
    anna.pull();
    EXPECT_TRUE(Inspector::open(world.place)->quarantine()->empty());
    EXPECT_EQ(anna.rows, truth());
}

// Lets somebody commit at the worst moment: after the queue was put in order, before the snapshot is opened.
class Interrupted final : public storage::Backend {
  public:
    Interrupted(storage::Backend& inner, std::function<void()> interruption)
        : inner_(inner), interruption_(std::move(interruption)) {}
    const model::Model& model() const override { return inner_.model(); }
    std::uint64_t model_hash() const override { return inner_.model_hash(); }
    Epoch epoch() const override { return inner_.epoch(); }
    BytesView secret() const override { return inner_.secret(); }
    Result<std::unique_ptr<storage::WriteTxn>> begin_write(storage::Patience patience) override { return inner_.begin_write(patience); }
    Result<std::unique_ptr<storage::Snapshot>> snapshot() override {
        interruption_();
        return inner_.snapshot();
    }
    Result<bool> foreign_commit() override { return inner_.foreign_commit(); }
    Result<storage::Figures> figures() override { return inner_.figures(); }
    Result<void> probe(Micros now) override { return inner_.probe(now); }
    Result<void> tidy() override { return inner_.tidy(); }

  private:
    storage::Backend& inner_;
    std::function<void()> interruption_;
};

TEST_F(Pull, pitfall_5_a_commit_between_sequencing_and_snapshot_is_never_torn) {
    world.sql("INSERT INTO place VALUES('a', 'money', 100), ('b', 'money', 0)");
    anna.pull();
    int left = 5;
    auto backend = storage::SqliteBackend::open(database_path(world.place), {});
    ASSERT_TRUE(backend);
    Interrupted interrupted(**backend, [&] {
        // Moves money from a to b; a second statement touches a alone, so that a reader has a reason to read it.
        if (left-- > 0) world.sql("UPDATE place SET people = people - 10 WHERE id = 'a'; UPDATE place SET people = people + 10 WHERE id = 'b'");
    });
    scopes::Sequencer sequencer(interrupted, *scopes::rules_of(world.model), world.clock, world.random);
    ASSERT_TRUE(sequencer.adopt());
    scopes::Sealer sealer(interrupted.secret(), world.random);
    Tally tally;
    transit::File transit(transit_path(world.place), {});
    const auto routes = http::make_routes({interrupted, sequencer, sealer, world.clock, world.random, world.log, tally, kRetentionDefault, transit});
    world.other_handler = routes.get();
    for (int i = 0; i < 4; ++i) {
        const PullAnswer pull = anna.pull();
        ASSERT_FALSE(pull.error);
        const auto sum = std::get<std::int64_t>(anna.rows.at({kPlace, "a"})[1]) + std::get<std::int64_t>(anna.rows.at({kPlace, "b"})[1]);
        EXPECT_EQ(sum, 100);
        EXPECT_EQ(anna.rows, truth()) << "and nothing that the snapshot saw was left for later";
    }
}

TEST_F(Pull, pitfall_5_a_writer_that_never_pauses_makes_a_pull_come_back_later_not_hang) {
    auto backend = storage::SqliteBackend::open(database_path(world.place), {});
    int n = 0;
    Interrupted interrupted(**backend, [&] { world.sql("INSERT INTO place VALUES('" + std::to_string(n++) + "', '', 1)"); });
    scopes::Sequencer sequencer(interrupted, *scopes::rules_of(world.model), world.clock, world.random);
    ASSERT_TRUE(sequencer.adopt());
    scopes::Sealer sealer(interrupted.secret(), world.random);
    Tally tally;
    transit::File transit(transit_path(world.place), {});
    const auto routes = http::make_routes({interrupted, sequencer, sealer, world.clock, world.random, world.log, tally, kRetentionDefault, transit});
    world.other_handler = routes.get();
    const PullAnswer pull = anna.pull();
    EXPECT_EQ(pull.status, 503);
    EXPECT_EQ(pull.error, Code::kServerBusy);
}

TEST_F(Pull, O_11_what_began_before_a_sync_and_was_committed_after_it_comes_with_the_next) {
    world.sql("INSERT INTO place VALUES('before', '', 1)");
    anna.pull();
    auto program = sqlite::Database::open(database_path(world.place));
    ASSERT_TRUE(program);
    ASSERT_TRUE(program->exec("BEGIN IMMEDIATE; INSERT INTO place VALUES('late', '', 1); UPDATE place SET people = 2 WHERE id = 'before'"));
    const PullAnswer meanwhile = anna.pull();
    EXPECT_TRUE(meanwhile.ended);
    EXPECT_TRUE(meanwhile.rows.at(0).empty());
    ASSERT_TRUE(program->exec("COMMIT"));
    EXPECT_EQ(anna.pull().rows.at(0), (std::vector<KeyRef>{{kPlace, "before"}, {kPlace, "late"}}));
    EXPECT_EQ(anna.rows, truth());
}

TEST_F(Pull, case_B2_rows_of_one_moment_come_once_each_with_a_boundary_between_any_two) {
    hundred_places();  // one statement: they share time and seq
    for (std::size_t n = 1; n <= 100; ++n) {
        anna.checkpoints_max = 1;
        anna.pull({.slice_rows = 1});
        ASSERT_EQ(anna.rows.size(), n) << "one was left out, or came again";
        ASSERT_EQ(anna.rows.rbegin()->first.key, (n < 10 ? "p00" : n < 100 ? "p0" : "p") + std::to_string(n));
    }
    anna.checkpoints_max = SIZE_MAX;
    anna.pull();
    EXPECT_TRUE(anna.complete);
    EXPECT_EQ(anna.rows, truth());
}

TEST_F(Pull, case_B4_positions_are_compared_as_numbers_however_wide) {
    hundred_places();
    anna.pull();
    bert.pull();
    for (const std::int64_t before : {std::int64_t{7}, std::int64_t{97}, std::int64_t{254}, std::int64_t{65'533}, (std::int64_t{1} << 32) - 3, (std::int64_t{1} << 53) - 3}) {
        world.sql("INSERT INTO skerry_batch VALUES(" + std::to_string(before) + ", 7, 0)");
        for (int i = 1; i <= 5; ++i) {
            world.sql("UPDATE place SET people = people + 1 WHERE id = 'p00" + std::to_string(i) + "'");
            const PullAnswer pull = anna.pull();
            ASSERT_EQ(pull.rows.at(0).size(), 1u) << before << " " << i;
            ASSERT_FALSE(pull.begins[0].verify);
        }
        EXPECT_EQ(world.integer("SELECT max(seq) FROM skerry_batch"), before + 5);
        EXPECT_EQ(bert.pull().rows.at(0).size(), 5u);
        EXPECT_EQ(bert.rows, truth());
    }
    EXPECT_EQ(anna.rows, truth());
}

TEST_F(Pull, case_B18_what_is_written_now_arrives_now_in_any_time_zone) {
    anna.pull();
    for (const char* zone : {"AAA+12", "BBB-14"}) {
        setenv("TZ", zone, 1);
        tzset();
        world.sql("INSERT INTO place VALUES('" + std::string(zone) + "', datetime('now', 'localtime'), 1)");
        EXPECT_EQ(anna.pull().rows.at(0).size(), 1u) << zone;
        EXPECT_EQ(anna.push({anna.txn({Peer::insert(kPlace, std::string("pushed ") + zone, kOslo)})}).verdict(), Verdict::kApplied);
        EXPECT_EQ(anna.pull().rows.at(0).size(), 1u) << zone;
        bert.pull();
        EXPECT_EQ(bert.rows, truth()) << zone;
    }
    unsetenv("TZ");
    tzset();
}

TEST_F(Pull, case_B22_trailing_blanks_are_the_same_bytes_by_delta_and_by_slice) {
    anna.pull();
    world.sql("INSERT INTO place VALUES('k  ', 'name   ', 1), ('t' || char(9), ' ', 2)");
    anna.pull();
    bert.pull();
    EXPECT_EQ(anna.rows.at({kPlace, "k  "})[0], text("name   "));
    EXPECT_EQ(anna.rows, truth());
    EXPECT_EQ(bert.rows, truth());
}

TEST_F(Pull, case_N5_the_first_answers_of_two_devices_continue_different_things) {
    hundred_places();
    const PullAnswer annas = anna.pull();
    const PullAnswer berts = bert.pull();
    EXPECT_NE(annas.begins[0].from, berts.begins[0].from) << "a cache that gives one to the other gives it nothing that it takes";
}

}  // namespace
}  // namespace skerry::server::test
