// Constraints within and between rows, for pushes (judged at the transaction's end) and for direct SQL (by triggers).
#include "server/app/test_world.hpp"
#include "sqlite/database.hpp"
#include "server/app/files.hpp"

namespace skerry::server::test {
namespace {

constexpr EntityIx kSite{0}, kRoom{1}, kNote{2}, kVisit2{3}, kTag{4};

// site <- room (cascade, and to itself) <- note (set null); site <- visit (restrict); tag: unique, checks.
model::Model places() {
    using model::OnDelete;
    using model::Type;
    const auto refers = [](std::string name, EntityIx to, OnDelete on_delete, bool required = false) {
        model::Attribute a{.name = std::move(name), .type = Type::kText, .required = required};
        a.references = to;
        a.on_delete = on_delete;
        return a;
    };
    const model::Attribute key{"id", Type::kText};
    model::Model model{"places", 1, {}};
    model.entities.push_back({.name = "site", .key = key, .attributes = {{"name", Type::kText}}});
    model.entities.push_back({.name = "room", .key = key, .attributes = {refers("site", kSite, OnDelete::kCascade), refers("parent", kRoom, OnDelete::kCascade)}});
    model.entities.push_back({.name = "note", .key = key, .attributes = {refers("room", kRoom, OnDelete::kSetNull), {"body", Type::kText}}});
    model.entities.push_back({.name = "visit", .key = key, .attributes = {refers("site", kSite, OnDelete::kRestrict, true)}});
    model.entities.push_back({.name = "tag",
                              .key = key,
                              .attributes = {{.name = "code", .type = Type::kText, .required = true}, {"lo", Type::kInt}, {"hi", Type::kInt}, {"area", Type::kText}},
                              .checks = {{"lo >= 0", "lo"}, {"hi >= lo", ""}},
                              .unique = {{0}, {1, 3}}});
    model::complete(model);
    return model;
}

struct Constraint : testing::Test {
    World world{places()};
    Peer anna{world, "anna"};
    Peer bert{world, "bert"};

    Outcome send(Peer& peer, std::vector<wire::Op> ops) { return peer.push({peer.txn(std::move(ops))}).verdicts.at(0); }
    wire::Op remove(EntityIx entity, std::string key, const model::Row& base) const {
        return {.kind = wire::OpKind::kDelete, .entity = entity, .key = std::move(key), .base_hash = model::row_hash(world.model.entity(entity), base)};
    }
    static wire::Op site(std::string key) { return Peer::insert(kSite, std::move(key), {text("s")}); }
    static wire::Op room(std::string key, Value of, Value parent = Null{}) { return Peer::insert(kRoom, std::move(key), {std::move(of), std::move(parent)}); }
    static wire::Op tag(std::string key, Value code, Value lo, Value hi) {
        return Peer::insert(kTag, std::move(key), {std::move(code), std::move(lo), std::move(hi), Null{}});
    }
    std::optional<Code> refused(std::string_view statement) {
        auto result = ServerSql::open(world.place)->run(statement);
        return result ? std::nullopt : std::optional(result.error().code);
    }
    // Through the connection of a program that knows nothing of Skerry.
    std::optional<Code> foreign(std::string_view statement, std::string_view pragma = "PRAGMA recursive_triggers = 0") {
        auto db = sqlite::Database::open(database_path(world.place));
        EXPECT_TRUE(db && db->exec(pragma));
        const auto done = db->exec(statement);
        return done ? std::nullopt : std::optional(done.error().code);
    }
    std::string all(const std::string& table) {
        std::string keys;
        for (const auto& row : world.sql("SELECT id FROM " + table + " ORDER BY id").rows) keys += std::get<std::string>(row[0]) + " ";
        return keys;
    }
    void nested_rooms() {
        world.sql("INSERT INTO site VALUES('s', 'x'), ('t', 'x'); INSERT INTO room VALUES('a', 's', NULL), ('b', NULL, 'a'), ('c', NULL, 'b'), ('d', NULL, 'c'), ('z', 't', NULL);"
                  "INSERT INTO note VALUES('n', 'd', 'kept'), ('m', 'z', 'kept')");
    }
};

TEST_F(Constraint, O_15_parent_child_and_grandchild_made_offline_refer_rightly) {
    EXPECT_EQ(send(anna, {site("s"), room("b", Null{}, text("a")), room("a", text("s"))}).verdict, Verdict::kRejected) << "out of order is malformed";
    EXPECT_EQ(send(anna, {site("s"), room("a", text("s"), text("b")), room("b", text("s"))}).verdict, Verdict::kApplied) << "judged at the end";
    EXPECT_EQ(send(anna, {Peer::insert(kNote, "n", {text("b"), text("hello")})}).verdict, Verdict::kApplied);
    bert.pull();
    EXPECT_EQ(bert.rows.at({kRoom, "a"})[1], text("b"));
}

TEST_F(Constraint, M_25_M_27_one_bad_row_among_many_is_in_the_list_with_its_reason_and_its_children_wait_with_it) {
    std::vector<Transaction> many;
    for (int i = 0; i < 30; ++i) many.push_back(anna.txn({tag("t" + std::to_string(i), text("c" + std::to_string(i)), number(i), number(i))}));
    many.push_back(anna.txn({tag("bad", Null{}, number(1), number(1))}));
    many.push_back(anna.txn({Peer::update(kTag, "bad", {{1, number(1), number(2), many.back().no}})}, {many.back().no}));
    many.push_back(anna.txn({Peer::insert(kNote, "orphan", {text("nowhere"), text("x")})}));
    many.push_back(anna.txn({tag("last", text("last"), number(100), number(100))}));
    const PushAnswer answer = anna.push(many);
    ASSERT_EQ(answer.verdicts.size(), 34u);
    EXPECT_EQ(answer.verdicts[30].code, Code::kRequired);
    EXPECT_EQ(answer.verdicts[30].message, "tag.code is required");
    EXPECT_EQ(answer.verdicts[31].code, Code::kDependency);
    EXPECT_EQ(answer.verdicts[31].root, answer.verdicts[30].no);
    EXPECT_EQ(answer.verdicts[32].code, Code::kReferenceMissing);
    EXPECT_EQ(answer.verdict(33), Verdict::kApplied);
    EXPECT_EQ(world.integer("SELECT count(*) FROM tag"), 31);
    EXPECT_EQ(world.integer("SELECT count(*) FROM note"), 0);
}

TEST_F(Constraint, seed_4010030d_a_reference_to_a_row_that_others_deleted_is_missing_though_a_change_of_it_waits) {
    ASSERT_EQ(send(anna, {site("s"), room("gone", text("s")), room("r", text("s"))}).verdict, Verdict::kApplied);
    ASSERT_FALSE(foreign("DELETE FROM room WHERE id = 'gone'"));
    const auto change = anna.txn({Peer::update(kRoom, "gone", {{0, text("s"), Null{}, {}}})});
    EXPECT_EQ(anna.push({change}).verdicts.at(0).code, Code::kRowDeleted);
    const auto refers = anna.txn({Peer::update(kRoom, "r", {{1, Null{}, text("gone"), {}}})}, {change.no});
    EXPECT_EQ(anna.push({refers}).verdicts.at(0).code, Code::kReferenceMissing) << "no creation waits";
}

TEST_F(Constraint, pitfall_48_checks_are_of_the_row_that_would_be_written) {
    send(anna, {tag("t", text("c"), number(1), number(5))});
    EXPECT_EQ(send(anna, {Peer::update(kTag, "t", {{1, number(1), number(3), {}}})}).verdict, Verdict::kApplied);
    const Outcome outcome = send(bert, {Peer::update(kTag, "t", {{2, number(5), number(2), {}}})});
    EXPECT_EQ(outcome.code, Code::kCheckFailed) << "2 was fine beside the 1 that bert saw";
    EXPECT_NE(outcome.message.find("hi >= lo"), std::string::npos);
    EXPECT_EQ(send(bert, {Peer::update(kTag, "t", {{1, number(3), number(-1), {}}})}).message.substr(0, 7), "tag.lo ");
    EXPECT_EQ(send(bert, {Peer::update(kTag, "t", {{2, number(5), Null{}, {}}})}).verdict, Verdict::kApplied) << "NULL is no definite no";
}

TEST_F(Constraint, unique_is_judged_at_the_end_of_the_transaction) {
    send(anna, {tag("a", text("x"), number(1), Null{}), tag("b", text("y"), number(2), Null{})});
    EXPECT_EQ(send(anna, {tag("c", text("x"), Null{}, Null{})}).code, Code::kNotUnique);
    EXPECT_EQ(send(anna, {Peer::update(kTag, "a", {{0, text("x"), text("y"), {}}}), Peer::update(kTag, "b", {{0, text("y"), text("x"), {}}})}).verdict,
              Verdict::kApplied) << "two rows swap";
    EXPECT_EQ(send(anna, {tag("d", text("z"), number(1), Null{})}).verdict, Verdict::kApplied) << "a NULL makes it unlike any other";
    EXPECT_EQ(send(anna, {Peer::update(kTag, "a", {{3, Null{}, text("n"), {}}}), Peer::update(kTag, "d", {{3, Null{}, text("n"), {}}})}).code, Code::kNotUnique);
}

TEST_F(Constraint, O_16_restrict_cascade_and_set_null_reach_rows_that_the_device_did_not_know) {
    nested_rooms();
    world.sql("INSERT INTO visit VALUES('v', 't')");
    EXPECT_EQ(send(anna, {remove(kSite, "t", {text("x")})}).code, Code::kStillReferenced);
    EXPECT_EQ(all("room"), "a b c d z ");
    EXPECT_EQ(send(anna, {remove(kSite, "s", {text("x")})}).verdict, Verdict::kApplied);
    EXPECT_EQ(all("room"), "z ") << "all below it went";
    EXPECT_EQ(world.integer("SELECT count(*) FROM note WHERE room IS NULL AND body = 'kept'"), 1);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_history WHERE why = 4"), 4) << "and can be found again";
    bert.pull();
    EXPECT_EQ(bert.rows.count({kRoom, "d"}), 0u);
    EXPECT_TRUE(is_null(bert.rows.at({kNote, "n"})[0]));
    // A child that comes in the same push as its parent's deletion by somebody else.
    EXPECT_EQ(send(bert, {room("late", text("s"))}).code, Code::kReferenceMissing);
}

TEST_F(Constraint, a_parent_and_its_referring_child_can_go_together) {
    send(anna, {site("s"), Peer::insert(kVisit2, "v", {text("s")})});
    EXPECT_EQ(send(anna, {remove(kVisit2, "v", {text("s")}), remove(kSite, "s", {text("s")})}).verdict, Verdict::kApplied);
    EXPECT_EQ(all("site") + all("visit"), "");
}

TEST_F(Constraint, direct_sql_is_held_to_the_same_whoever_runs_it) {
    for (const char* pragma : {"PRAGMA recursive_triggers = 0", "PRAGMA recursive_triggers = 1"}) {
        SCOPED_TRACE(pragma);
        world.sql("DELETE FROM note; DELETE FROM visit; DELETE FROM room; DELETE FROM site; DELETE FROM tag");
        nested_rooms();
        const auto run = [&](std::string_view sql) { return foreign(sql, pragma); };
        EXPECT_EQ(run("INSERT INTO visit VALUES('v', 'nowhere')"), Code::kReferenceMissing);
        EXPECT_EQ(run("INSERT INTO visit VALUES('v', NULL)"), Code::kRequired);
        EXPECT_EQ(run("INSERT INTO visit VALUES('v', 't')"), std::nullopt);
        EXPECT_EQ(run("UPDATE visit SET site = 'nowhere'"), Code::kReferenceMissing);
        EXPECT_EQ(run("DELETE FROM site"), Code::kStillReferenced);
        EXPECT_EQ(run("INSERT INTO tag VALUES('a', 'x', 1, 1, NULL), ('b', 'y', 2, 2, NULL)"), std::nullopt);
        EXPECT_EQ(run("INSERT INTO tag VALUES('c', 'x', 1, 1, NULL)"), Code::kNotUnique);
        EXPECT_EQ(run("UPDATE tag SET code = 'y'"), Code::kNotUnique);
        EXPECT_EQ(run("UPDATE tag SET lo = -1"), Code::kCheckFailed);
        EXPECT_EQ(run("UPDATE OR IGNORE tag SET hi = 0"), Code::kCheckFailed);
        EXPECT_EQ(run("REPLACE INTO tag VALUES('a', 'y', 1, 1, NULL)"), Code::kNotUnique) << "a unique of the model evicts nobody";
        EXPECT_EQ(run("INSERT INTO tag VALUES('a', 'x', 5, 5, NULL) ON CONFLICT(id) DO UPDATE SET lo = 0"), std::nullopt);
        EXPECT_EQ(run("DELETE FROM site WHERE id = 's'"), std::nullopt);
        EXPECT_EQ(all("room"), "z ");
        EXPECT_EQ(world.integer("SELECT count(*) FROM note WHERE room IS NULL"), 1);
        anna.pull();
        bert.pull({.verify = true});
        EXPECT_EQ(anna.rows, bert.rows) << "cascades are captured like any write";
        EXPECT_EQ(anna.rows.count({kRoom, "d"}), 0u);
    }
}

TEST_F(Constraint, pitfall_10_rows_that_a_replace_evicts_through_an_operator_s_index_leave_the_devices) {
    world.sql("INSERT INTO site VALUES('a', 'one'), ('b', 'two'), ('c', 'three'); CREATE UNIQUE INDEX operators ON site(name COLLATE NOCASE)");
    anna.pull();
    world.stop();
    world.start();
    EXPECT_EQ(foreign("REPLACE INTO site VALUES('a', 'TWO')"), std::nullopt);
    EXPECT_EQ(foreign("UPDATE OR REPLACE site SET name = 'three' WHERE id = 'a'"), std::nullopt);
    anna.pull();
    EXPECT_EQ(all("site"), "a ");
    EXPECT_EQ(anna.rows.count({kSite, "b"}), 0u);
    EXPECT_EQ(anna.rows.count({kSite, "c"}), 0u);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_gone_site WHERE skerry_key IN ('b', 'c')"), 2);
    world.sql("CREATE UNIQUE INDEX unseen ON site(lower(name))");
    world.stop();
    world.start();
    EXPECT_NE(world.log.lines.back().find("unseen"), std::string::npos) << "what cannot be noticed is said";
}

TEST_F(Constraint, pitfall_9_an_image_survives_the_conflict_clause_of_the_statement_that_caused_it) {
    world.sql("INSERT INTO site VALUES('a', 'one'); DELETE FROM site; INSERT INTO site VALUES('a', 'two');"
              "CREATE TRIGGER app_t AFTER INSERT ON tag BEGIN DELETE FROM site WHERE id = 'a'; END");
    EXPECT_EQ(foreign("INSERT OR IGNORE INTO tag VALUES('t', 'x', 1, 1, NULL)"), std::nullopt);
    EXPECT_EQ(world.sql("SELECT name FROM skerry_gone_site WHERE skerry_key = 'a'").rows.at(0)[0], text("two"));
}

TEST_F(Constraint, what_an_app_s_trigger_writes_in_a_push_is_judged_with_it) {
    world.sql("CREATE TRIGGER app_t AFTER INSERT ON tag BEGIN INSERT INTO room VALUES('made', NEW.area, NULL); END");
    EXPECT_EQ(send(anna, {Peer::insert(kTag, "t", {text("x"), number(1), Null{}, text("nowhere")})}).code, Code::kReferenceMissing);
    EXPECT_EQ(send(anna, {site("s"), Peer::insert(kTag, "t", {text("x"), number(1), Null{}, text("s")})}).verdict, Verdict::kApplied);
    EXPECT_EQ(all("room"), "made ");
    EXPECT_EQ(world.integer("SELECT judging FROM skerry_state"), 0) << "nobody else is judged leniently";
}

TEST_F(Constraint, every_constraint_has_its_index) {
    std::vector<std::string> plans;
    for (const char* sql : {"SELECT 1 FROM room WHERE site = 'x'", "SELECT 1 FROM room WHERE parent = 'x'", "SELECT 1 FROM tag WHERE code = 'x'"})
        EXPECT_NE(std::get<std::string>(world.sql("EXPLAIN QUERY PLAN " + std::string(sql)).rows.at(0)[3]).find("skerry_index_"), std::string::npos) << sql;
}

}  // namespace
}  // namespace skerry::server::test
