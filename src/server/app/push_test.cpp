#include "server/app/test_world.hpp"

namespace skerry::server::test {
namespace {

const model::Row kOslo{text("Oslo"), number(5)};

struct Push : testing::Test {
    World world;
    Peer anna{world, "anna"};
    Peer bert{world, "bert"};

    // "oslo" is there, and everybody has it.
    void oslo_is_everywhere() {
        ASSERT_EQ(anna.push({anna.txn({Peer::insert(kPlace, "oslo", kOslo)})}).verdict(), Verdict::kApplied);
        anna.pull();
        bert.pull();
        anna.keep_from = anna.no.next();
    }
    static wire::Change name(std::string old_value, std::string new_value, TxnNo prev = {}) {
        return {0, text(std::move(old_value)), text(std::move(new_value)), prev};
    }
    static wire::Change people(std::int64_t old_value, std::int64_t new_value) {
        return {1, number(old_value), number(new_value), {}};
    }
};

TEST_F(Push, a_row_made_on_one_device_is_on_the_other_and_in_the_server_s_table) {
    oslo_is_everywhere();
    EXPECT_EQ(bert.rows.at({kPlace, "oslo"}), kOslo);
    EXPECT_EQ(world.sql("SELECT name FROM place").rows.at(0).at(0), text("Oslo"));
}

TEST_F(Push, pitfall_3_outcome_arrives_in_the_same_checkpoint_as_its_rows) {
    anna.pull();
    anna.push({anna.txn({Peer::insert(kPlace, "oslo", kOslo)})});
    const PullAnswer pull = anna.pull();
    ASSERT_EQ(pull.begins.size(), 1u);
    ASSERT_EQ(pull.outcomes[0].size(), 1u);
    EXPECT_EQ(pull.outcomes[0][0].verdict, Verdict::kApplied);
    EXPECT_EQ(pull.rows[0], (std::vector<KeyRef>{{kPlace, "oslo"}}));
    EXPECT_TRUE(bert.pull().outcomes.at(0).empty()) << "an outcome is the author's device's alone";
}

TEST_F(Push, pitfall_3_without_a_cursor_outcomes_come_before_the_slices_with_their_rows) {
    for (int i = 0; i < 10; ++i) anna.push({anna.txn({Peer::insert(kPlace, "p" + std::to_string(i), kOslo)})});
    const PullAnswer pull = anna.pull({.slice_rows = 2});
    EXPECT_EQ(pull.outcomes[0].size(), 10u);
    EXPECT_EQ(pull.rows[0].size(), 10u);
    EXPECT_GT(pull.begins.size(), 4u);
}

TEST_F(Push, pitfall_4_a_transaction_that_changes_nothing_still_settles) {
    oslo_is_everywhere();
    world.sql("UPDATE place SET name = 'Bergen'");
    anna.pull();
    const auto same = anna.txn({Peer::update(kPlace, "oslo", {name("Oslo", "Bergen")})});
    EXPECT_EQ(anna.push({same}).verdict(), Verdict::kApplied);
    const PullAnswer pull = anna.pull();
    EXPECT_EQ(pull.outcomes[0].size(), 1u);
    EXPECT_TRUE(pull.rows[0].empty());
    EXPECT_EQ(anna.settled.count(same.no), 1u);
}

TEST_F(Push, pitfall_12_a_trigger_that_normalises_makes_no_conflict_with_oneself) {
    oslo_is_everywhere();
    world.sql("CREATE TRIGGER app_upper AFTER UPDATE OF name ON place BEGIN "
              "UPDATE place SET name = upper(NEW.name) WHERE id = NEW.id; END");
    const auto t1 = anna.txn({Peer::update(kPlace, "oslo", {name("Oslo", "bob")})});
    const auto t2 = anna.txn({Peer::update(kPlace, "oslo", {name("bob", "bobby", t1.no)})});
    const PushAnswer answer = anna.push({t1, t2});
    EXPECT_EQ(answer.verdict(0), Verdict::kApplied);
    EXPECT_EQ(answer.verdict(1), Verdict::kApplied) << "what t1 left is BOB: nobody else wrote";
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_history"), 0);
    anna.pull();
    EXPECT_EQ(anna.rows.at({kPlace, "oslo"})[0], text("BOBBY"));
}

TEST_F(Push, pitfall_12_a_chain_that_begins_with_an_insert_compares_with_what_the_insert_left) {
    world.sql("CREATE TRIGGER app_upper AFTER INSERT ON place BEGIN "
              "UPDATE place SET name = upper(NEW.name) WHERE id = NEW.id; END");
    const auto t1 = anna.txn({Peer::insert(kPlace, "oslo", kOslo)});
    const auto t2 = anna.txn({Peer::update(kPlace, "oslo", {name("Oslo", "Bergen", t1.no)})}, {t1.no});
    const PushAnswer answer = anna.push({t1, t2});
    EXPECT_EQ(answer.verdict(1), Verdict::kApplied);
}

TEST_F(Push, pitfall_14_what_builds_on_a_rejected_creation_is_rejected_with_it_and_nothing_else_is) {
    oslo_is_everywhere();
    const auto create = bert.txn({Peer::insert(kPlace, "oslo", kOslo)});
    const auto change = bert.txn({Peer::update(kPlace, "oslo", {name("Oslo", "x", create.no)})}, {create.no});
    const auto deeper = bert.txn({Peer::update(kPlace, "oslo", {name("x", "y", change.no)})});
    const auto unrelated = bert.txn({Peer::insert(kPlace, "rome", kOslo)});
    const PushAnswer answer = bert.push({create, change, deeper, unrelated});
    ASSERT_EQ(answer.verdicts.size(), 4u);
    EXPECT_EQ(answer.verdicts[0].code, Code::kKeyTaken);
    EXPECT_EQ(answer.verdicts[0].root, create.no);
    EXPECT_EQ(answer.verdicts[1].code, Code::kDependency);
    EXPECT_EQ(answer.verdicts[1].root, create.no);
    EXPECT_EQ(answer.verdicts[2].code, Code::kDependency);
    EXPECT_EQ(answer.verdicts[2].root, create.no) << "the whole chain is one draft group";
    EXPECT_EQ(answer.verdict(3), Verdict::kApplied);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_draft"), 3) << "a lost phone loses no work";
    EXPECT_EQ(world.sql("SELECT name FROM place WHERE id = 'oslo'").rows[0][0], text("Oslo"));
}

TEST_F(Push, pitfall_15_rejected_does_not_block_later_numbers) {
    oslo_is_everywhere();
    auto bad = bert.txn({Peer::insert(kVisit, "not a uuid", {text("oslo"), text("")})});
    auto newer = bert.txn({Peer::insert(EntityIx{7}, "x", {})});
    const auto good = bert.txn({Peer::insert(kPlace, "rome", kOslo)});
    const PushAnswer answer = bert.push({bad, newer, good});
    ASSERT_EQ(answer.verdicts.size(), 3u);
    EXPECT_EQ(answer.verdicts[0].code, Code::kValueInvalid);
    EXPECT_EQ(answer.verdicts[1].code, Code::kUnknownEntity);
    EXPECT_EQ(answer.verdict(2), Verdict::kApplied);
    bert.pull();
    EXPECT_EQ(bert.settled.size(), 3u);
    const auto next = bert.push({bert.txn({Peer::insert(kPlace, "york", kOslo)})});
    EXPECT_EQ(next.verdict(), Verdict::kApplied);
}

TEST_F(Push, pitfall_15_a_row_that_the_app_s_own_constraint_refuses_is_rejected_alone) {
    world.sql("CREATE TRIGGER app_check BEFORE INSERT ON place WHEN NEW.people < 0 BEGIN SELECT RAISE(ABORT, 'people'); END");
    const PushAnswer answer = anna.push({anna.txn({Peer::insert(kPlace, "a", kOslo), Peer::insert(kPlace, "b", {text("b"), number(-1)})}),
                                         anna.txn({Peer::insert(kPlace, "c", kOslo)})});
    EXPECT_EQ(answer.verdict(0), Verdict::kRejected);
    EXPECT_EQ(answer.verdicts[0].code, Code::kConstraint);
    EXPECT_EQ(answer.verdict(1), Verdict::kApplied);
    EXPECT_EQ(world.integer("SELECT count(*) FROM place"), 1) << "a rejected transaction leaves nothing";
}

TEST_F(Push, pitfall_25_the_same_push_again_gives_the_same_verdicts_and_applies_nothing_twice) {
    oslo_is_everywhere();
    const auto t = bert.txn({Peer::update(kPlace, "oslo", {people(5, 6)})});
    EXPECT_EQ(bert.push({t}).verdict(), Verdict::kApplied);
    world.sql("UPDATE place SET people = 9");
    EXPECT_EQ(bert.push({t}).verdict(), Verdict::kApplied);
    EXPECT_EQ(world.integer("SELECT people FROM place"), 9);
    EXPECT_EQ(bert.push({t, t}).verdicts.size(), 2u) << "also twice in one request";
}

TEST_F(Push, case_A5_a_retry_in_other_batches_applies_what_is_new_and_nothing_twice) {
    std::vector<Transaction> all;
    for (int i = 0; i < 12; ++i) all.push_back(bert.txn({Peer::insert(kPlace, "p" + std::to_string(i), kOslo)}));
    const auto batch = [&](int from, int to) { return bert.push({all.begin() + from, all.begin() + to}); };
    EXPECT_EQ(batch(0, 4).verdicts.size(), 4u);  // committed, and the line breaks
    world.sql("UPDATE place SET people = 77 WHERE id = 'p1'; DELETE FROM place WHERE id = 'p2'");
    for (const auto& [from, to] : std::vector<std::pair<int, int>>{{2, 9}, {0, 10}, {1, 2}, {5, 12}, {0, 12}}) {
        const PushAnswer answer = batch(from, to);
        ASSERT_EQ(answer.verdicts.size(), static_cast<std::size_t>(to - from));
        for (std::size_t i = 0; i < answer.verdicts.size(); ++i) EXPECT_EQ(answer.verdict(i), Verdict::kApplied) << from << " " << i;
    }
    EXPECT_EQ(world.integer("SELECT count(*) FROM place"), 11);
    EXPECT_EQ(world.integer("SELECT people FROM place WHERE id = 'p1'"), 77);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_log"), 12);
}

TEST_F(Push, pitfall_25_another_transaction_under_a_known_number_stops_the_push) {
    const auto first = anna.txn({Peer::insert(kPlace, "a", kOslo)});
    anna.push({first});
    auto clone = first;
    clone.id = world.random.id<TxnId>();
    const PushAnswer answer = anna.push({clone, anna.txn({Peer::insert(kPlace, "b", kOslo)})});
    EXPECT_EQ(answer.identity_taken, first.no);
    EXPECT_TRUE(answer.verdicts.empty());
    EXPECT_EQ(world.integer("SELECT count(*) FROM place"), 1);
}

TEST_F(Push, pitfall_25_a_verdict_that_was_forgotten_is_settled_before_and_arrives_as_an_outcome) {
    const auto t = anna.txn({Peer::insert(kPlace, "a", kOslo)});
    anna.push({t});
    anna.pull();
    anna.keep_from = TxnNo{2};
    anna.push({anna.txn({Peer::insert(kPlace, "b", kOslo)})});
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_outcome WHERE no = 1"), 0);
    anna.pull();
    anna.settled.clear();
    anna.keep_from = TxnNo{1};  // a restored store: it has not settled t
    EXPECT_EQ(anna.push({t}).verdict(), Verdict::kSettledBefore);
    anna.pull();
    ASSERT_EQ(anna.settled.count(t.no), 1u);
    EXPECT_EQ(anna.settled.at(t.no).verdict, Verdict::kSettledBefore);
    EXPECT_EQ(world.integer("SELECT count(*) FROM place"), 2);
}

TEST_F(Push, a_gap_is_answered_with_the_number_that_is_expected) {
    anna.push({anna.txn({Peer::insert(kPlace, "a", kOslo)})});
    anna.no = TxnNo{4};
    const PushAnswer answer = anna.push({anna.txn({Peer::insert(kPlace, "b", kOslo)})});
    EXPECT_EQ(answer.expect, TxnNo{2});
    EXPECT_TRUE(answer.verdicts.empty());
}

// anna settled 1 and 2; this server lost 2, which builds on 1 and is sent again.
TEST_F(Push, pitfall_24_behind_a_gap_nothing_is_forgotten) {
    bert.push({bert.txn({Peer::insert(kPlace, "a", kOslo)})});
    EXPECT_EQ(anna.push({anna.txn({Peer::insert(kPlace, "a", kOslo)})}).verdict(), Verdict::kRejected);
    const auto second = anna.txn({Peer::insert(kPlace, "b", kOslo)}, {TxnNo{1}});
    anna.keep_from = TxnNo{3};
    EXPECT_EQ(anna.push({anna.txn({Peer::insert(kPlace, "c", kOslo)})}).expect, TxnNo{2});
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_outcome WHERE no = 1 AND verdict = 4"), 1);
    anna.keep_from = TxnNo{1};
    const PushAnswer again = anna.push({second});
    ASSERT_EQ(again.verdicts.size(), 1u);
    EXPECT_EQ(again.verdicts[0].verdict, Verdict::kRejected);
    EXPECT_EQ(again.verdicts[0].code, Code::kDependency);
}

TEST_F(Push, more_transactions_than_fit_one_commit_are_all_judged) {
    std::vector<Transaction> many;
    for (int i = 0; i < 120; ++i) many.push_back(anna.txn({Peer::insert(kPlace, "p" + std::to_string(i), kOslo)}));
    EXPECT_EQ(anna.push(many).verdicts.size(), 120u);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_batch"), 3);
}

TEST_F(Push, with_last_the_later_arrival_wins_and_the_other_value_is_in_history) {
    oslo_is_everywhere();
    EXPECT_EQ(anna.push({anna.txn({Peer::update(kPlace, "oslo", {name("Oslo", "Anna's")})})}).verdict(), Verdict::kApplied);
    EXPECT_EQ(bert.push({bert.txn({Peer::update(kPlace, "oslo", {name("Oslo", "Bert's")})})}).verdict(), Verdict::kMerged);
    EXPECT_EQ(bert.push({bert.txn({Peer::update(kPlace, "oslo", {people(5, 6)})})}).verdict(), Verdict::kApplied);
    EXPECT_EQ(world.sql("SELECT name FROM place").rows[0][0], text("Bert's"));
    Bytes lost;
    Writer w(lost);
    model::put_value(w, text("Anna's"));
    EXPECT_EQ(std::get<Blob>(world.sql("SELECT value FROM skerry_history").rows.at(0)[0]), Blob(lost.begin(), lost.end()));
}

TEST_F(Push, an_update_of_a_deleted_row_is_a_conflict_record_and_the_next_one_joins_it) {
    oslo_is_everywhere();
    anna.push({anna.txn({Peer::remove(kPlace, "oslo", kOslo)})});
    const auto t1 = bert.txn({Peer::update(kPlace, "oslo", {people(5, 6)})});
    const auto t2 = bert.txn({Peer::update(kPlace, "oslo", {people(6, 7)})});
    auto chained = t2;
    chained.ops[0].changes[0].prev = t1.no;
    const PushAnswer answer = bert.push({t1, chained});
    EXPECT_EQ(answer.verdict(0), Verdict::kConflict);
    EXPECT_EQ(answer.verdicts[0].code, Code::kRowDeleted);
    EXPECT_EQ(answer.verdict(1), Verdict::kConflict);
    EXPECT_EQ(world.integer("SELECT count(*) FROM place"), 0) << "delete wins";
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_conflict"), 1);
    // The row comes back while the record is open: what goes on from the conflict still joins it.
    anna.push({anna.txn({Peer::insert(kPlace, "oslo", kOslo)})});
    auto t3 = bert.txn({Peer::update(kPlace, "oslo", {people(7, 8)})});
    t3.ops[0].changes[0].prev = t2.no;
    EXPECT_EQ(bert.push({t3}).verdict(), Verdict::kConflict);
    EXPECT_EQ(world.integer("SELECT people FROM place"), 5);
    // Once a person has decided, it is a change like any other.
    world.sql("UPDATE skerry_conflict SET state = 'closed', choice = 'theirs'");
    auto t4 = bert.txn({Peer::update(kPlace, "oslo", {people(8, 9)})});
    t4.ops[0].changes[0].prev = t3.no;
    EXPECT_NE(bert.push({t4}).verdict(), Verdict::kConflict);
    EXPECT_EQ(world.integer("SELECT people FROM place"), 9);
}

TEST_F(Push, a_delete_of_a_row_changed_meanwhile_deletes_and_keeps_the_image) {
    oslo_is_everywhere();
    anna.push({anna.txn({Peer::update(kPlace, "oslo", {name("Oslo", "Kristiania")})})});
    EXPECT_EQ(bert.push({bert.txn({Peer::remove(kPlace, "oslo", kOslo)})}).verdict(), Verdict::kMerged);
    EXPECT_EQ(world.integer("SELECT count(*) FROM place"), 0);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_history WHERE why = 2"), 1);
    EXPECT_EQ(anna.push({anna.txn({Peer::remove(kPlace, "oslo", kOslo)})}).verdict(), Verdict::kApplied) << "gone is gone";
    EXPECT_EQ(anna.push({anna.txn({Peer::insert(kPlace, "oslo", kOslo)})}).verdict(), Verdict::kApplied);
}

TEST_F(Push, a_delete_after_ones_own_unsettled_change_is_no_conflict) {
    oslo_is_everywhere();
    const auto t1 = anna.txn({Peer::update(kPlace, "oslo", {people(5, 6)})});
    const auto t2 = anna.txn({Peer::remove(kPlace, "oslo", {}, t1.no)});
    const auto t3 = anna.txn({Peer::insert(kPlace, "oslo", kOslo, t2.no)});
    const PushAnswer answer = anna.push({t1, t2, t3});
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(answer.verdict(i), Verdict::kApplied) << i;
}

TEST_F(Push, pitfall_53_a_device_of_another_user_is_refused) {
    Peer thief(world, "bert");
    thief.id = anna.id;
    EXPECT_EQ(thief.enroll(), 403);
    EXPECT_EQ(thief.push({thief.txn({Peer::insert(kPlace, "x", kOslo)})}).error, Code::kDeviceOfOtherUser);
    EXPECT_EQ(thief.pull().error, Code::kDeviceOfOtherUser);
    thief.id = world.random.id<DeviceId>();
    EXPECT_EQ(thief.push({}).error, Code::kNotEnrolled);
    EXPECT_EQ(thief.pull().status, 403);
}

TEST_F(Push, one_damaged_frame_is_an_error_for_the_request_and_judges_nothing) {
    Bytes body = anna.push_body({anna.txn({Peer::insert(kPlace, "a", kOslo)})});
    for (std::size_t at = 0; at < body.size(); ++at) {
        Bytes damaged = body;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
        const PushAnswer answer = anna.push_bytes(damaged);
        EXPECT_TRUE(answer.error) << at;
        EXPECT_GE(answer.status, 400);
        EXPECT_LT(answer.status, 500);
        EXPECT_TRUE(anna.push_bytes(body.substr(0, at)).error) << at;
    }
    EXPECT_EQ(world.integer("SELECT count(*) FROM place"), 0);
    EXPECT_EQ(anna.push_bytes(body).verdict(), Verdict::kApplied);
}

TEST_F(Push, a_payload_that_is_garbage_behind_its_number_is_rejected_and_kept) {
    Bytes payload;
    Writer w(payload);
    w.varint(1);
    w.raw(world.random.id<TxnId>().view());
    w.raw("garbage");
    Bytes body;
    wire::put_header(body, wire::Kind::kPushRequest);
    wire::put(body, wire::PushHello{anna.id, outreach().hash(), TxnNo{1}});
    wire::put_frame(body, wire::FrameType::kTransaction, payload);
    wire::put_empty(body, wire::FrameType::kEnd);
    const PushAnswer answer = anna.push_bytes(body);
    ASSERT_EQ(answer.verdicts.size(), 1u);
    EXPECT_EQ(answer.verdict(), Verdict::kRejected);
    EXPECT_EQ(std::get<Blob>(world.sql("SELECT content FROM skerry_draft").rows.at(0)[0]), Blob(payload.begin(), payload.end()));
}

TEST_F(Push, what_builds_on_a_later_transaction_is_malformed) {
    const PushAnswer answer = anna.push({anna.txn({Peer::update(kPlace, "a", {name("", "x", TxnNo{9})})})});
    EXPECT_EQ(answer.verdicts.at(0).code, Code::kMalformedTxn);
}

TEST_F(Push, everything_is_still_known_after_a_restart) {
    const auto t = anna.txn({Peer::insert(kPlace, "a", kOslo)});
    anna.push({t});
    world.stop();
    world.start();
    EXPECT_EQ(anna.push({t}).verdict(), Verdict::kApplied);
    EXPECT_EQ(anna.push({anna.txn({Peer::insert(kPlace, "b", kOslo)})}).verdict(), Verdict::kApplied);
    bert.pull();
    EXPECT_EQ(bert.rows.size(), 2u);
}

}  // namespace
}  // namespace skerry::server::test
