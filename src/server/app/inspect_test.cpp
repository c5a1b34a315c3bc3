// What a person can ask a server folder about, and for how long.
#include "server/app/inspect.hpp"

#include "base/text.hpp"
#include "server/app/policy_world.hpp"
#include "sqlite/database.hpp"

namespace skerry::server::test {
namespace {

struct Inspect : PolicyWorld {
    Inspector inspector() { return std::move(*Inspector::open(world.place)); }
    void pass_days(int days) {
        world.clock.now += std::chrono::hours(24) * days;
        for (int i = 0; i < 10; ++i) world.handler().tick();
    }
};

TEST_F(Inspect, M_25_a_rejected_transaction_is_kept_with_code_message_member_and_content) {
    send(anna, {Peer::insert(kCard, "c", model::Row(8))});
    const auto bad = bert.txn({update(kCard, "c", kSetAt, Null{}, text("no set"))});
    EXPECT_EQ(send(bert, bad).code, Code::kValueInvalid);
    const auto dependent = bert.txn({update(kCard, "c", kSetAt, text("no set"), text(R"(["x"])"), bad.no)});
    EXPECT_EQ(send(bert, dependent).code, Code::kDependency);
    const auto drafts = *inspector().drafts();
    ASSERT_EQ(drafts.size(), 2u);
    EXPECT_EQ(drafts[0].transaction.user, "bert");
    EXPECT_EQ(drafts[0].transaction.device, hex(bert.id.view()));
    EXPECT_EQ(drafts[0].transaction.device_name, "phone");
    EXPECT_EQ(drafts[0].transaction.number, 1u);
    EXPECT_EQ(drafts[0].transaction.verdict, "rejected");
    EXPECT_EQ(drafts[0].transaction.code, "value_invalid");
    EXPECT_EQ(drafts[0].member, "card.set");
    EXPECT_EQ(drafts[0].state, "open");
    ASSERT_EQ(drafts[0].transaction.changes.size(), 1u);
    EXPECT_EQ(drafts[0].transaction.changes[0].fields.at(0).now, text("no set")) << "also what is not of its type";
    EXPECT_EQ(drafts[1].transaction.code, "dependency");
    EXPECT_EQ(drafts[1].root, 1u);
    // Mended by a new transaction.
    Transaction redo = bert.txn({update(kCard, "c", kSetAt, Null{}, text(R"(["x"])"))});
    redo.redo_of = {bad.no, dependent.no};
    EXPECT_EQ(send(bert, redo).verdict, Verdict::kApplied);
    EXPECT_TRUE(inspector().drafts()->empty());
    EXPECT_EQ(inspector().drafts(Drafts::kAll)->at(1).state, "redone");
}

// A device may send anything, and an operator reads it.
TEST_F(Inspect, a_transaction_of_attributes_that_are_not_there_shows_no_changes) {
    send(anna, {Peer::insert(kCard, "c", model::Row(8))});
    EXPECT_EQ(send(bert, {update(kCard, "c", 999, Null{}, text("x"))}).code, Code::kUnknownEntity);
    const auto drafts = *inspector().drafts();
    ASSERT_EQ(drafts.size(), 1u);
    EXPECT_EQ(drafts[0].transaction.code, "unknown_entity");
    EXPECT_TRUE(drafts[0].transaction.changes.empty());
    const auto log = *inspector().log();
    ASSERT_EQ(log.size(), 2u);
    EXPECT_TRUE(log[1].changes.empty());
}

TEST_F(Inspect, a_damaged_file_has_a_name) {
    model::Row row(8);
    row[kLastAt] = text("x");
    send(anna, {Peer::insert(kCard, "c", row)});
    send(bert, {update(kCard, "c", kLastAt, text("other"), text("y"))});
    ASSERT_EQ(inspector().lost_values()->size(), 1u);
    const auto damage = [&](std::string_view sql) {
        auto db = sqlite::Database::open(world.place.dir + "/server.db");
        ASSERT_TRUE(db && db->exec(sql)) << sql;
    };
    damage("UPDATE skerry_history SET entity = 99");
    EXPECT_EQ(inspector().lost_values().error().code, Code::kCorruptStore);
    damage("INSERT INTO skerry_quarantine(entity, key, reason, at_us) VALUES(-1, 'c', 'r', 0)");
    EXPECT_EQ(inspector().quarantine().error().code, Code::kCorruptStore);
}

TEST_F(Inspect, a_redo_that_is_rejected_leaves_its_draft_open_and_one_without_changes_discards) {
    Transaction t = anna.txn({Peer::insert(kCard, "c", model::Row(8))});
    send(anna, t);
    const auto bad = bert.txn({Peer::insert(kCard, "c", model::Row(8))});
    send(bert, bad);
    Transaction redo = bert.txn({Peer::insert(kCard, "c", model::Row(8))});
    redo.redo_of = {bad.no};
    EXPECT_EQ(send(bert, redo).code, Code::kKeyTaken);
    EXPECT_EQ(inspector().drafts()->size(), 2u);
    Transaction discard = bert.txn({});
    discard.redo_of = {bad.no, redo.no};
    EXPECT_EQ(send(bert, discard).verdict, Verdict::kApplied);
    EXPECT_TRUE(inspector().drafts()->empty());
    EXPECT_EQ(inspector().drafts(Drafts::kAll)->at(0).state, "discarded");
}

TEST_F(Inspect, who_changed_what_from_which_value_to_which) {
    model::Row row(8);
    row[kLastAt] = text("x");
    send(anna, {Peer::insert(kCard, "c", row)});
    send(anna, {Peer::insert(kCard, "unrelated", row)});
    world.clock.now += std::chrono::hours(1);
    send(bert, {update(kCard, "c", kLastAt, text("x"), text("y"))});
    send(anna, {update(kCard, "c", kLastAt, text("x"), text("z"))});
    send(bert, {remove(kCard, "c", row)});
    const auto log = *inspector().log({.entity = "card", .key = "c"});
    ASSERT_EQ(log.size(), 4u);
    EXPECT_EQ(log[0].changes.at(0).operation, "insert");
    EXPECT_EQ(log[1].user, "bert");
    EXPECT_EQ(log[1].at_us - log[0].at_us, std::int64_t{3600} * 1'000'000);
    EXPECT_EQ(log[1].changes.at(0).fields.at(0).was, text("x"));
    EXPECT_EQ(log[1].changes.at(0).fields.at(0).now, text("y"));
    EXPECT_EQ(log[2].verdict, "merged");
    EXPECT_EQ(log[3].changes.at(0).operation, "delete");
    const auto lost = *inspector().lost_values({.entity = "card", .key = "c"});
    ASSERT_EQ(lost.size(), 2u);
    EXPECT_EQ(lost[0].why, "overwritten");
    EXPECT_EQ(lost[0].values.at(0).was, text("y"));
    EXPECT_EQ(lost[0].user, "anna");
    EXPECT_EQ(lost[1].why, "deleted");
    EXPECT_EQ(lost[1].values.size(), 8u);
    EXPECT_EQ(lost[1].values.at(kLastAt).was, text("z"));
    EXPECT_EQ(inspector().log({.limit = 2})->size(), 2u);
    EXPECT_EQ(inspector().log({.entity = "card"})->size(), 5u) << "without a key: the entity's";
    EXPECT_EQ(inspector().log({.entity = "card", .limit = 2})->at(1).changes.at(0).operation, "delete");
    EXPECT_EQ(inspector().lost_values({.entity = "card"})->size(), 2u);
    EXPECT_EQ(inspector().log({.entity = "nothing", .key = "c"}).error().code, Code::kNotFound);
}

TEST_F(Inspect, X_2_what_is_old_is_forgotten_and_what_is_open_or_a_row_never) {
    model::Row row(8);
    row[kLastAt] = text("x");
    row[kAskAt] = text("x");
    send(anna, {Peer::insert(kCard, "c", row), Peer::insert(kCard, "gone", row)});
    send(anna, {remove(kCard, "gone", row)});
    send(anna, {update(kCard, "c", kLastAt, text("x"), text("y"))});
    send(bert, {update(kCard, "c", kLastAt, text("x"), text("z"))});
    send(anna, {update(kCard, "c", kAskAt, text("x"), text("anna's"))});
    send(bert, {update(kCard, "c", kAskAt, text("x"), text("bert's"))});
    const std::string id = std::get<std::string>(value("SELECT id FROM skerry_conflict"));
    send(bert, {Peer::update(world.model.conflicts(), id, {{model::record::kState, text("open"), text("closed"), {}}})});
    const auto bad = bert.txn({Peer::insert(kCard, "c", row)});
    send(bert, bad);
    Transaction discard = bert.txn({});
    discard.redo_of = {bad.no};
    send(bert, discard);
    anna.pull();
    ASSERT_EQ(anna.rows.size(), 2u);
    pass_days(89);
    anna.pull();
    EXPECT_EQ(anna.rows.size(), 2u);
    send(bert, {update(kCard, "c", kAskAt, text("y"), text("again"))});
    send(bert, {Peer::insert(kCard, "c", row)});
    EXPECT_EQ(inspector().log()->size(), 11u);
    pass_days(2);
    EXPECT_EQ(inspector().log()->size(), 2u);
    EXPECT_TRUE(inspector().lost_values()->empty());
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_log_row"), 2);
    EXPECT_EQ(inspector().drafts(Drafts::kAll)->size(), 1u);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_gone_card"), 0);
    anna.pull();
    EXPECT_EQ(anna.rows.size(), 2u) << "the row, and the record that is open; devices are told of the one that went";
    pass_days(400);
    EXPECT_EQ(inspector().drafts()->size(), 1u);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_conflict WHERE state = 'open'"), 1);
}

}  // namespace
}  // namespace skerry::server::test
