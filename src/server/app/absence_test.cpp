// Devices that were away: what is forgotten without them, and how they come back. Checks: digests through the Handler.
#include "server/app/devices.hpp"
#include "server/app/test_world.hpp"
#include "sqlite/database.hpp"
#include "wire/check.hpp"

namespace skerry::server::test {
namespace {

const model::Row kOslo{text("Oslo"), number(5)};
constexpr Micros kDay = std::chrono::hours(24);

struct Absence : testing::Test {
    World world;
    Peer anna{world, "anna"};
    Peer bert{world, "bert"};

    void SetUp() override {
        for (const char* key : {"a", "b", "c"}) world.sql("INSERT INTO place VALUES('" + std::string(key) + "', 'x', 1)");
        anna.pull();
        bert.pull();
        anna.pull();  // shows what it was given
        bert.pull();
        ticks();
    }
    // Enough of them for the keeper to come to its end.
    void ticks() {
        for (int i = 0; i < 20; ++i) {
            world.clock.now += std::chrono::seconds(10);
            world.handler().tick();
        }
    }
    void days(int n) {
        world.clock.now += n * kDay;
        ticks();
    }
    // Bert asks for changes now and then, anna does not.
    void bert_goes_on(int n) {
        for (int i = 0; i < n; i += 20) {
            days(20);
            world.sql("UPDATE place SET people = people + 1 WHERE id = 'c'");
            bert.pull();
            bert.pull();
            ticks();
        }
    }
    std::int64_t tombstones() { return world.integer("SELECT count(*) FROM skerry_member WHERE live = 0"); }
    std::map<KeyRef, model::Row> truth() {
        std::map<KeyRef, model::Row> rows;
        for (const auto& row : world.sql("SELECT id, name, people FROM place").rows) rows[{kPlace, std::get<std::string>(row[0])}] = {row[1], row[2]};
        return rows;
    }
    std::map<KeyRef, model::Row> places(const Peer& peer) {
        std::map<KeyRef, model::Row> rows;
        for (const auto& [at, row] : peer.rows)
            if (at.entity == kPlace) rows[at] = row;
        return rows;
    }
    // Past all triggers.
    void falsify(const std::string& sql) {
        auto db = *sqlite::Database::open(world.place.dir + "/server.db");
        db.enable_triggers(false);
        const auto done = db.exec(sql);
        ASSERT_TRUE(done) << describe(done.error());
    }
};

TEST_F(Absence, M_33_a_tombstone_goes_when_every_device_has_passed_it) {
    world.sql("DELETE FROM place WHERE id = 'a'");
    bert.pull();
    bert.pull();
    days(8);
    EXPECT_EQ(tombstones(), 1) << "anna has not heard of it";
    anna.pull();
    anna.pull();
    days(1);
    EXPECT_EQ(tombstones(), 0);
    EXPECT_FALSE(anna.pull().begins.at(0).verify) << "both are above the floor";
    EXPECT_EQ(places(anna), truth());
}

TEST_F(Absence, M_33_a_tombstone_goes_when_the_retention_ended_whoever_is_away) {
    world.sql("DELETE FROM place WHERE id = 'a'");
    bert_goes_on(80);
    EXPECT_EQ(tombstones(), 1);
    bert_goes_on(20);
    EXPECT_EQ(tombstones(), 0);
}

TEST_F(Absence, G_13_case_C1_a_device_that_was_away_for_400_days_verifies_and_nothing_comes_back_to_life) {
    const auto edit = anna.txn({Peer::update(kPlace, "a", {{0, text("x"), text("anna's"), {}}})});
    const auto mine = anna.txn({Peer::insert(kPlace, "new", kOslo)});
    world.sql("DELETE FROM place WHERE id = 'a'");
    bert_goes_on(400);
    ASSERT_EQ(tombstones(), 0);
    const PushAnswer push = anna.push({edit, mine});
    ASSERT_EQ(push.verdicts.size(), 2u);
    EXPECT_NE(push.verdict(0), Verdict::kApplied);
    EXPECT_EQ(push.verdict(1), Verdict::kApplied);
    const PullAnswer pull = anna.pull();
    EXPECT_TRUE(pull.begins.at(0).verify);
    EXPECT_EQ(anna.settled.size(), 2u) << "its journal is judged";
    EXPECT_EQ(truth().count({kPlace, "a"}), 0u);
    EXPECT_EQ(truth().count({kPlace, "new"}), 1u);
    EXPECT_EQ(places(anna), truth());
    EXPECT_FALSE(anna.pull().begins.at(0).verify) << "from now on it goes on as ever";
}

// Above the floor of all that it holds, a long absence costs a delta and no more.
TEST_F(Absence, pitfall_34_who_missed_no_tombstone_is_not_made_to_read_everything_again) {
    days(60);
    world.sql("UPDATE place SET name = 'y' WHERE id = 'b'");
    days(10);
    const PullAnswer pull = anna.pull();
    EXPECT_FALSE(pull.begins.at(0).verify);
    EXPECT_EQ(pull.rows.at(0).size(), 1u);
    EXPECT_EQ(places(anna), truth());
}

TEST_F(Absence, a_forgotten_device_holds_nothing_back_and_comes_back_without_loss) {
    ASSERT_EQ(anna.push({anna.txn({Peer::insert(kPlace, "annas", kOslo)})}).verdict(), Verdict::kApplied);
    const Transaction first = anna.txn({Peer::insert(kPlace, "later", kOslo)});
    world.sql("DELETE FROM place WHERE id = 'a'");
    bert.pull();
    bert.pull();
    days(8);
    ASSERT_EQ(tombstones(), 1);
    const auto listed = list_devices(world.place);
    ASSERT_TRUE(listed);
    ASSERT_EQ(listed->size(), 2u);
    const auto id = [&] {
        for (const KnownDevice& device : *listed)
            if (device.user == "anna") return device.id;
        return std::string();
    }();
    EXPECT_EQ(forget_device(world.place, "zz").error().code, Code::kNotFound);
    EXPECT_EQ(forget_device(world.place, "").error().code, Code::kNotFound);
    const auto forgotten = forget_device(world.place, id);
    ASSERT_TRUE(forgotten);
    EXPECT_EQ(forgotten->user, "anna");
    EXPECT_EQ(forgotten->transactions, 1u);
    EXPECT_GE(forgotten->behind, 1u);
    days(1);
    EXPECT_EQ(tombstones(), 0);
    EXPECT_EQ(anna.pull().error, Code::kNotEnrolled);
    EXPECT_EQ(anna.enroll(), 200);
    // What it had sent is known still; what it had not is taken.
    anna.keep_from = TxnNo{1};
    EXPECT_EQ(anna.push({first}).verdict(), Verdict::kApplied);
    EXPECT_TRUE(anna.pull().begins.at(0).verify);
    EXPECT_EQ(places(anna), truth());
    EXPECT_EQ(truth().count({kPlace, "annas"}), 1u);
}

// 400 days of two devices that sync daily: what is kept besides rows does not grow with time.
TEST_F(Absence, case_B15_marks_sets_and_tombstones_do_not_grow_with_time) {
    const auto size = [&] {
        return world.integer("SELECT (SELECT count(*) FROM skerry_batch) + (SELECT count(*) FROM skerry_grant_set) + (SELECT count(*) FROM skerry_outcome) + "
                             "(SELECT count(*) FROM skerry_result) + (SELECT count(*) FROM skerry_log) + (SELECT count(*) FROM skerry_log_row) + "
                             "(SELECT count(*) FROM skerry_history) + (SELECT count(*) FROM skerry_member)");
    };
    std::int64_t after_200 = 0;
    for (int day = 0; day < 400; ++day) {
        world.clock.now += kDay;
        const std::string key = "d" + std::to_string(day);
        anna.push({anna.txn({Peer::insert(kPlace, key, kOslo)})});
        anna.pull();
        anna.keep_from = anna.no.next();
        bert.pull();
        world.sql("DELETE FROM place WHERE id = '" + key + "'");
        for (int i = 0; i < 5; ++i) {
            world.clock.now += std::chrono::seconds(10);
            world.handler().tick();
        }
        if (day == 199) after_200 = size();
    }
    EXPECT_LE(size(), after_200 + 20);
    EXPECT_LT(size(), 90 * 6 + 200) << "the retention's worth";
}

TEST_F(Absence, case_B8_a_download_under_way_ends_whole_though_the_server_forgets_meanwhile) {
    for (int i = 0; i < 40; ++i) world.sql("INSERT INTO place VALUES('k" + std::to_string(10 + i) + "', 'x', 1)");
    Peer carl(world, "carl");
    carl.checkpoints_max = 3;
    carl.pull({.slice_rows = 5});
    carl.checkpoints_max = SIZE_MAX;
    ASSERT_EQ(carl.rows.size(), 15u);
    ASSERT_FALSE(carl.complete);
    world.sql("DELETE FROM place WHERE id IN ('k12', 'k15', 'k45')");
    bert_goes_on(400);
    ASSERT_EQ(tombstones(), 0);
    carl.after_checkpoint = [&] {
        EXPECT_TRUE(!carl.complete || places(carl) == truth()) << "named as complete, and is not";
    };
    carl.pull({.slice_rows = 5});
    EXPECT_TRUE(carl.complete);
    EXPECT_EQ(places(carl), truth());
}

TEST_F(Absence, case_B19_a_device_that_was_put_back_to_an_older_state_is_noticed) {
    const auto rows = anna.rows;
    const Bytes cursor = anna.cursor;
    world.sql("DELETE FROM place WHERE id = 'a'; UPDATE place SET name = 'y' WHERE id = 'b'");
    for (Peer* peer : {&anna, &bert}) {
        peer->pull();
        peer->pull();
    }
    days(8);
    ASSERT_EQ(tombstones(), 0) << "everybody has passed it";
    anna.rows = rows;
    anna.cursor = cursor;
    EXPECT_TRUE(anna.pull().begins.at(0).verify) << "the server remembers that it was further";
    EXPECT_EQ(places(anna), truth());
    EXPECT_FALSE(anna.pull().begins.at(0).verify);
    // Put back to nothing: a device like a new one.
    anna.rows.clear();
    anna.lines.clear();
    anna.scopes.clear();
    anna.whole_now.clear();
    anna.cursor.clear();
    anna.pull();
    EXPECT_EQ(places(anna), truth());
}

// ---- checks ----

struct Answer {
    std::vector<wire::Differs> differs;
    bool moved = false;
    bool ended = false;
    std::optional<Code> error;
};

struct Checks : Absence {
    wire::Check check_of(const Peer& peer, std::vector<wire::KeyRange> ranges) {
        wire::Check check{peer.id, peer.model.hash(), peer.cursor};
        for (wire::KeyRange& range : ranges) {
            wire::RangeDigest digest;
            for (const auto& [at, row] : peer.rows)
                if (at.entity == range.entity && at.key > range.after && (!range.upto || at.key <= *range.upto))
                    digest.add(wire::held_hash(peer.model.entity(at.entity), at.key, row, {}));
            check.ranges.push_back({std::move(range), digest});
        }
        return check;
    }
    Answer ask(const wire::Check& check, const std::string& bearer) {
        Bytes body;
        wire::put_header(body, wire::Kind::kCheckRequest);
        wire::put(body, check);
        wire::put_empty(body, wire::FrameType::kEnd);
        http::Response response = world.post(wire::kPathCheck, std::move(body), bearer);
        const Bytes bytes = read_all(*response.body);
        const auto frames = wire::read_body(bytes, wire::Kind::kCheckResponse);
        Answer answer;
        if (!frames) {
            ADD_FAILURE() << describe(frames.error());
            return answer;
        }
        for (const wire::Frame& frame : *frames) {
            if (frame.type == wire::FrameType::kDiffers) answer.differs.push_back(*wire::get_differs(frame.payload));
            if (frame.type == wire::FrameType::kMoved) answer.moved = true;
            if (frame.type == wire::FrameType::kEnd) answer.ended = true;
            if (frame.type == wire::FrameType::kError) answer.error = wire::get_failure(frame.payload)->code;
        }
        return answer;
    }
    Answer ask_all(const Peer& peer) { return ask(check_of(peer, {{kPlace, "", std::nullopt}, {kVisit, "", std::nullopt}}), peer.bearer); }
};

TEST_F(Checks, P_16_what_is_equal_is_not_told_and_what_differs_is_listed) {
    const Answer equal = ask_all(anna);
    EXPECT_TRUE(equal.ended);
    EXPECT_TRUE(equal.differs.empty());
    EXPECT_FALSE(equal.moved);
    anna.rows[{kPlace, "b"}][1] = number(77);
    anna.rows.erase({kPlace, "c"});
    const Answer other = ask_all(anna);
    ASSERT_EQ(other.differs.size(), 1u);
    EXPECT_EQ(other.differs[0].index, 0u);
    ASSERT_EQ(other.differs[0].rows.size(), 3u);
    EXPECT_EQ(other.differs[0].rows[1].key, "b");
    // Only the range where it is.
    const Answer part = ask(check_of(anna, {{kPlace, "", "a"}, {kPlace, "a", "b"}, {kPlace, "c", std::nullopt}}), anna.bearer);
    ASSERT_EQ(part.differs.size(), 1u);
    EXPECT_EQ(part.differs[0].index, 1u);
    // The ranges are read anew, and they alone.
    const PullAnswer repair = anna.pull({.repair = {{kPlace, "a", std::nullopt}}});
    EXPECT_EQ(repair.slice_sizes, (std::vector<std::size_t>{2}));
    EXPECT_EQ(places(anna), truth());
    EXPECT_TRUE(ask_all(anna).differs.empty());
}

TEST_F(Checks, X_7_rows_that_were_falsified_on_the_server_are_noticed) {
    falsify("UPDATE place SET name = 'false' WHERE id = 'b'");
    falsify("DELETE FROM place WHERE id = 'c'");
    EXPECT_TRUE(anna.pull().rows.empty() || anna.pull().rows.at(0).empty()) << "no delta tells of them";
    const Answer answer = ask_all(anna);
    ASSERT_EQ(answer.differs.size(), 1u);
    EXPECT_EQ(answer.differs[0].rows.size(), 2u);
    anna.pull({.repair = {{kPlace, "a", std::nullopt}}});
    EXPECT_EQ(places(anna), truth());
}

TEST_F(Checks, pitfall_33_digests_are_compared_at_the_device_s_cursor_only) {
    world.sql("UPDATE place SET name = 'y' WHERE id = 'a'");
    EXPECT_TRUE(ask_all(anna).moved);
    anna.pull();
    EXPECT_TRUE(ask_all(anna).differs.empty());
    EXPECT_FALSE(ask_all(anna).moved);
    // A cursor that is not this device's, or none, stands for nothing.
    wire::Check check = check_of(anna, {{kPlace, "", std::nullopt}});
    check.token = bert.cursor;
    EXPECT_TRUE(ask(check, anna.bearer).moved);
    check.token.clear();
    EXPECT_TRUE(ask(check, anna.bearer).moved);
}

TEST_F(Checks, many_rows_are_divided_into_parts_and_read_in_steps) {
    world.sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 7000) INSERT INTO place SELECT 'm' || (10000 + i), 'x', i FROM n");
    anna.pull();
    EXPECT_TRUE(ask_all(anna).differs.empty());
    anna.rows[{kPlace, "m13000"}][1] = number(-1);
    const Answer answer = ask_all(anna);
    ASSERT_EQ(answer.differs.size(), 1u);
    ASSERT_GE(answer.differs[0].parts.size(), 16u);
    std::uint64_t rows = 0;
    for (const wire::DigestPart& part : answer.differs[0].parts) rows += part.digest.count;
    EXPECT_EQ(rows, 7003u);
}

TEST_F(Checks, strangers_and_nonsense_are_refused) {
    const wire::Check check = check_of(anna, {{kPlace, "", std::nullopt}});
    EXPECT_EQ(ask(check, "Bearer no").error, Code::kUnauthorized);
    EXPECT_EQ(ask(check, bert.bearer).error, Code::kDeviceOfOtherUser);
    EXPECT_EQ(ask(check_of(anna, {{EntityIx{99}, "", std::nullopt}}), anna.bearer).error, Code::kDamagedFrame);
    wire::Check other = check;
    other.model_hash = 1;
    EXPECT_EQ(ask(other, anna.bearer).error, Code::kModelMismatch);
}

}  // namespace
}  // namespace skerry::server::test
