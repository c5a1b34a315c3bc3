// Applying checkpoints: settle, rebase, sweep, cursor.
#include "store/live.hpp"
#include "store/testing.hpp"

namespace skerry::store {
namespace {

using wire::Outcome;
using wire::Verdict;

class Checkpoints : public StoreTest {
  protected:
    static Outcome applied(std::uint64_t no) { return {{no}, Verdict::kApplied, Code::kInternal, {}, ""}; }
    static Outcome rejected(std::uint64_t no) { return {{no}, Verdict::kRejected, Code::kKeyTaken, {no}, "taken"}; }
};

TEST_F(Checkpoints, pitfall_2_what_settles_is_not_applied_twice) {
    apply({.scopes = whole_scopes()}, {house("a", "x", 5)});
    sql("UPDATE house SET people = 6");
    sql("UPDATE house SET name = 'later'");
    apply({.outcomes = {applied(1)}, .token = "two"}, {house("a", "theirs", 6)});
    EXPECT_EQ(rows("SELECT name, people FROM house"), "'later',6");
    EXPECT_EQ(rows("SELECT name, people FROM skerry_base_house"), "'theirs',6");
    apply({.outcomes = {applied(2)}, .token = "three"}, {house("a", "later", 6)});
    EXPECT_EQ(rows("SELECT name, people FROM house"), "'later',6");
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_base_house"), "0") << "no unsettled operation, no base row";
    EXPECT_EQ(transactions(), 0);
}

TEST_F(Checkpoints, a_rejected_transaction_leaves_the_overlay_and_becomes_a_draft) {
    apply({.scopes = whole_scopes()}, {house("a", "x", 1)});
    sql("UPDATE house SET name = 'refused'");
    sql("INSERT INTO house VALUES('n', 'refused too', 1)");
    apply({.outcomes = {rejected(1), rejected(2)}, .token = "two"});
    EXPECT_EQ(rows("SELECT id, name FROM house"), "'a','x'") << "the row shows the server's truth";
    EXPECT_EQ(rows("SELECT no, message FROM skerry_draft"), "1,'taken'; 2,'taken'");
}

TEST_F(Checkpoints, pitfall_6_a_leave_removes_a_row_only_with_its_last_line) {
    const std::vector<wire::ScopeInfo> scopes = {{{7}, "house/path=A", {1}, false}, {{8}, "house/assignee=B", {1}, false}};
    apply({.scopes = scopes}, {house("both", "x", 1, {{7}, {8}}), house("only7", "x", 1, {{7}})});
    apply({.token = "two"}, {leave("both", {7}), leave("only7", {7})});
    EXPECT_EQ(rows("SELECT id FROM house"), "'both'") << "B still grants it though nothing of B was sent";
    apply({.token = "three"},
          {piece([](Bytes& out) { wire::put_number(out, wire::FrameType::kLostScope, 8); })});
    EXPECT_EQ(rows("SELECT id FROM house"), "");
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_scope_row"), "0");
}

TEST_F(Checkpoints, pitfall_6_a_lost_scope_keeps_what_another_still_grants) {
    const std::vector<wire::ScopeInfo> scopes = {{{7}, "house/path=A", {1}, false}, {{8}, "house/assignee=B", {1}, false}};
    apply({.scopes = scopes}, {house("both", "x", 1, {{7}, {8}}), house("only7", "x", 1, {{7}})});
    apply({.token = "two"},
          {piece([](Bytes& out) { wire::put_number(out, wire::FrameType::kLostScope, 7); })});
    EXPECT_EQ(rows("SELECT id FROM house"), "'both'");
}

TEST_F(Checkpoints, a_slice_is_the_whole_truth_of_its_range_but_keeps_what_is_unsettled) {
    apply({.scopes = whole_scopes()}, {house("b", "stale", 1), house("c", "kept", 1), house("z", "beyond", 1)});
    sql("INSERT INTO house VALUES('bb', 'mine', 1)");
    sql("UPDATE house SET name = 'edited' WHERE id = 'c'");
    apply({.token = "two"},
          {house_slice("", "m", {{"a", {}, {Value{std::string("new")}, Value{Null{}}}}, {"c", {}, {Value{std::string("server")}, Value{std::int64_t{4}}}}})});
    EXPECT_EQ(rows("SELECT id, name, people FROM house ORDER BY id"), "'a','new',NULL; 'bb','mine',1; 'c','edited',4; 'z','beyond',1");
}

TEST_F(Checkpoints, case_N5_what_was_answered_to_another_device_or_cursor_is_not_taken) {
    DeviceId other;
    other.bytes[0] = 9;
    ASSERT_NE(*store_->meta().device(), other);
    const auto taken = [&](std::uint64_t from) {
        return apply({.scopes = whole_scopes(), .token = "stolen", .from = from}, {house("a", "of somebody else", 1)}).continues;
    };
    EXPECT_FALSE(taken(wire::continues(other, ""))) << "neither has a cursor yet";
    const std::uint64_t first = continued();
    apply({.scopes = whole_scopes(), .token = "one"}, {house("b", "mine", 1)});
    EXPECT_FALSE(taken(wire::continues(other, "theirs")));
    EXPECT_FALSE(taken(first)) << "an older answer of its own";
    EXPECT_EQ(rows("SELECT id FROM house"), "'b'");
    EXPECT_EQ(**store_->meta().bytes(key::kToken), "one");
}

TEST_F(Checkpoints, case_B10_the_cursor_never_passes_what_was_received_and_not_applied) {
    apply({.scopes = whole_scopes(), .token = "one"});
    {
        // An answer that breaks off before its checkpoint.
        Staging torn(*store_);
        stage(torn, [&](Bytes& out) { wire::put(out, wire::Begin{.from = continued(), .caught_up = true}); });
        const Piece row = house("a", "x", 1);
        ASSERT_TRUE(torn.stage(row.first, row.second));
    }
    // Another one goes on from where that would have led.
    EXPECT_FALSE(apply({.token = "three", .from = hash64("two")}, {house("b", "x", 2)}).continues);
    EXPECT_EQ(**store_->meta().bytes(key::kToken), "one");
    EXPECT_EQ(rows("SELECT id FROM house"), "");
    apply({.token = "two"}, {house("a", "x", 1)});
    apply({.token = "three"}, {house("b", "x", 2)});
    EXPECT_EQ(rows("SELECT id FROM house ORDER BY id"), "'a'; 'b'");
}

TEST_F(Checkpoints, case_B14_a_stream_that_is_faster_than_the_answer_to_the_push_is_believed) {
    apply({.scopes = whole_scopes()});
    sql("INSERT INTO house VALUES('a', 'mine', 1)");
    Journal journal(*store_);
    ASSERT_EQ(journal.next_batch(TxnNo{}, 500, 1 << 20)->payloads.size(), 1u);
    apply({.outcomes = {applied(1)}, .token = "two"}, {house("a", "as the server changed it", 7)});
    EXPECT_EQ(rows("SELECT name, people FROM house"), "'as the server changed it',7");
    ASSERT_TRUE(journal.mark_sent({applied(1)}));
    EXPECT_EQ(rows("SELECT name, people FROM house"), "'as the server changed it',7");
    EXPECT_TRUE(journal.next_batch(TxnNo{}, 500, 1 << 20)->payloads.empty());
    EXPECT_EQ(transactions(), 0);
}

TEST_F(Checkpoints, pitfall_32_a_checkpoint_that_does_not_continue_the_cursor_is_dropped_whole) {
    apply({.scopes = whole_scopes()}, {house("a", "x", 1)});
    const auto report = apply({.token = "other", .from = 42}, {house("a", "stale", 9)});
    EXPECT_FALSE(report.continues);
    EXPECT_EQ(rows("SELECT name FROM house"), "'x'");
    EXPECT_EQ(**store_->meta().bytes(key::kToken), "next");
}

TEST_F(Checkpoints, pitfall_28_a_leave_of_a_row_with_unsettled_changes_hides_it_and_keeps_the_change) {
    apply({.scopes = whole_scopes()}, {house("a", "x", 1)});
    sql("UPDATE house SET name = 'pending'");
    apply({.token = "two"}, {leave("a", {2})});
    EXPECT_EQ(rows("SELECT * FROM house"), "");
    EXPECT_EQ(ops(1), "U house a name:'x'->'pending'");
}

TEST_F(Checkpoints, pitfall_27_a_row_settled_and_not_in_the_frame_goes_when_it_is_not_in_the_download) {
    apply({.scopes = whole_scopes()});
    sql("INSERT INTO house VALUES('elsewhere', 'x', 1)");
    apply({.outcomes = {applied(1)}, .token = "two"});
    EXPECT_EQ(rows("SELECT * FROM house"), "");
}

TEST_F(Checkpoints, case_C2_a_row_made_here_survives_that_its_key_left_on_the_server) {
    apply({.scopes = whole_scopes()});
    sql("INSERT INTO house VALUES('n', 'made here', 1)");
    apply({.token = "two"}, {leave("n", {2})});
    EXPECT_EQ(rows("SELECT name FROM house"), "'made here'");
    EXPECT_EQ(ops(1), "I house n 'made here' 1") << "it is pushed and judged";
    apply({.outcomes = {rejected(1)}, .token = "three"});
    EXPECT_EQ(rows("SELECT count(*) FROM house"), "0");
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_draft"), "1") << "no silent loss";
}

TEST_F(Checkpoints, pitfall_75_open_writes_are_numbered_before_rows_arrive) {
    apply({.scopes = whole_scopes()}, {house("a", "x", 1)});
    auto other = foreign();
    ASSERT_TRUE(other.exec("UPDATE house SET name = 'open'"));
    apply({.token = "two"}, {house("a", "server", 2), house("b", "server", 2)});
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_pre_house"), "0");
    EXPECT_FALSE(*store_->number_open()) << "no server row became a local edit";
    EXPECT_EQ(transactions(), 1);
    EXPECT_EQ(ops(1), "U house a name:'x'->'open'");
    EXPECT_EQ(rows("SELECT id, name, people FROM house ORDER BY id"), "'a','open',2; 'b','server',2");
}

TEST_F(Checkpoints, a_row_that_the_apps_own_index_refuses_is_set_aside_and_the_rest_goes_on) {
    sql("CREATE UNIQUE INDEX app_index ON house(name)");
    apply({.scopes = whole_scopes()}, {house("a", "same", 1), house("b", "same", 2), house("c", "other", 3)});
    EXPECT_EQ(rows("SELECT id FROM house ORDER BY id"), "'a'; 'c'");
    EXPECT_EQ(rows("SELECT key FROM skerry_quarantine"), "'b'");
}

TEST_F(Checkpoints, many_frames_go_to_the_disk_and_come_back) {
    std::vector<wire::RowEntry> none;
    std::vector<Piece> pieces;
    const std::string text(500'000, 'x');
    for (int i = 0; i < 40; ++i) pieces.push_back(house("k" + std::to_string(i), text, i));
    apply({.scopes = whole_scopes()}, pieces);
    EXPECT_EQ(rows("SELECT count(*), sum(people) FROM house"), "40,780");
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_stage"), "0");
}

TEST_F(Checkpoints, verify_mode_keeps_rows_until_their_slice_has_passed) {
    apply({.scopes = whole_scopes()}, {house("a", "x", 1), house("z", "x", 1)});
    Sent again{.scopes = whole_scopes(), .verify = true, .token = "two"};
    apply(again, {house_slice("", "m", {{"a", {}, {Value{std::string("mended")}, Value{Null{}}}}})});
    EXPECT_EQ(rows("SELECT id, name FROM house ORDER BY id"), "'a','mended'; 'z','x'");
    EXPECT_EQ(rows("SELECT complete FROM skerry_scope WHERE id = 2"), "0");
    apply({.token = "three"},
          {house_slice("m", std::nullopt, {}), piece([](Bytes& out) { wire::put_number(out, wire::FrameType::kComplete, 2); })});
    EXPECT_EQ(rows("SELECT id FROM house"), "'a'");
    EXPECT_EQ(rows("SELECT complete FROM skerry_scope WHERE id = 2"), "1");
}

TEST_F(Checkpoints, pitfall_25_a_new_identity_takes_over_what_is_unsettled_under_new_numbers) {
    apply({.scopes = whole_scopes()}, {house("a", "x", 1)});
    sql("UPDATE house SET name = 'T1'");
    sql("INSERT INTO house VALUES('n', 'T2', 1)");
    sql("UPDATE house SET name = 'T3'");
    apply({.outcomes = {applied(1)}, .token = "two"}, {house("a", "T1", 1)});
    const DeviceId before = *store_->meta().device();
    Journal journal(*store_);
    ASSERT_TRUE(journal.mark_sent({applied(2)}));
    EXPECT_EQ(journal.take_new_identity().error().code, Code::kBusy) << "what the server knows settles first";
    ASSERT_TRUE(store_->db().exec("UPDATE skerry_txn SET state = 1"));
    ASSERT_TRUE(journal.take_new_identity());
    EXPECT_NE(*store_->meta().device(), before);
    EXPECT_EQ(ops(1), "I house n 'T2' 1");
    EXPECT_EQ(ops(2), "U house a name:'T1'->'T3'; U house n name:'T2'->'T3'<1 needs 1") << "T1 settled under the old identity";
    EXPECT_EQ(*store_->meta().next_no(), TxnNo{3});
    EXPECT_EQ(rows("SELECT id, name FROM house ORDER BY id"), "'a','T3'; 'n','T3'");
}

TEST_F(Checkpoints, a_server_that_lacks_settled_transactions_gets_them_from_the_archive) {
    apply({.scopes = whole_scopes()});
    sql("INSERT INTO house VALUES('a', 'x', 1)");
    sql("INSERT INTO house VALUES('b', 'x', 1)");
    sql("INSERT INTO house VALUES('c', 'x', 1)");
    apply({.outcomes = {applied(1), applied(2)}, .token = "two"}, {house("a", "x", 1), house("b", "x", 1)});
    Journal journal(*store_);
    EXPECT_FALSE(journal.counts()->heals);
    EXPECT_EQ(journal.counts()->first_unsettled, TxnNo{3});
    ASSERT_TRUE(journal.resend_from(TxnNo{2}));
    EXPECT_TRUE(journal.counts()->heals);
    const auto batch = journal.next_batch(TxnNo{}, 500, 1 << 20);
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->payloads.size(), 2u);
    EXPECT_EQ(batch->first, TxnNo{2});
    EXPECT_EQ(batch->last, TxnNo{3});
    ASSERT_TRUE(journal.mark_sent({applied(2), applied(3)}));
    EXPECT_TRUE(journal.next_batch(TxnNo{}, 500, 1 << 20)->payloads.empty());
    EXPECT_FALSE(journal.counts()->heals);
    ASSERT_TRUE(store_->db().exec("DELETE FROM skerry_archive WHERE no = 1"));
    EXPECT_EQ(journal.resend_from(TxnNo{5}).error().code, Code::kGapLost) << "this device never made 4";
}

TEST_F(Checkpoints, pitfall_24_what_is_no_longer_kept_is_declared_lost_and_the_rest_is_sent_again) {
    apply({.scopes = whole_scopes()});
    for (const char* key : {"a", "b", "c", "d"}) sql("INSERT INTO house VALUES('" + std::string(key) + "', 'x', 1)");
    apply({.outcomes = {applied(1), applied(2), applied(3)}, .token = "two"}, {house("a", "x", 1), house("b", "x", 1), house("c", "x", 1)});
    ASSERT_TRUE(store_->db().exec("DELETE FROM skerry_archive WHERE no IN (1, 3)"));
    Journal journal(*store_);
    ASSERT_TRUE(journal.resend_from(TxnNo{1}));
    const auto batch = *journal.next_batch(TxnNo{}, 500, 1 << 20);
    ASSERT_EQ(batch.payloads.size(), 4u);
    std::vector<std::size_t> ops;
    for (std::size_t i = 0; i < 4; ++i) {
        const auto txn = wire::get_kept_transaction(batch.payloads[i], store_->model());
        ASSERT_TRUE(txn);
        EXPECT_EQ(txn->no, TxnNo{i + 1});
        ops.push_back(txn->ops.size());
    }
    EXPECT_EQ(ops, (std::vector<std::size_t>{0, 1, 0, 1})) << "an empty one in the place of each that is gone";
    ASSERT_TRUE(journal.resend_from(TxnNo{1}));
    EXPECT_EQ(journal.next_batch(TxnNo{}, 500, 1 << 20)->payloads, batch.payloads) << "asked again, they are the same transactions";
    EXPECT_EQ(rows("SELECT no FROM skerry_archive WHERE code = 77 ORDER BY no"), "1; 3");
    EXPECT_EQ(rows("SELECT id FROM house ORDER BY id"), "'a'; 'b'; 'c'; 'd'") << "what the server lacks goes when it says so, not before";
    ASSERT_TRUE(journal.mark_sent({applied(1), applied(2), applied(3), applied(4)}));
    EXPECT_TRUE(journal.next_batch(TxnNo{}, 500, 1 << 20)->payloads.empty());
}

TEST_F(Checkpoints, live_queries_run_when_a_table_they_read_changed_whoever_wrote) {
    LiveQueries live(*store_);
    std::vector<std::string> seen;
    sql("CREATE VIEW names AS SELECT name FROM house");
    const auto id = live.add("SELECT count(*) FROM names", [&](const Table& t) { seen.push_back(model::to_text(t.rows[0][0])); });
    ASSERT_TRUE(id);
    sql("INSERT INTO house VALUES('a', 'x', 1)");
    ASSERT_TRUE(live.poll());
    sql("INSERT INTO site VALUES('s', 'x')");
    ASSERT_TRUE(live.poll());
    ASSERT_TRUE(foreign().exec("INSERT INTO house VALUES('b', 'x', 1)"));
    ASSERT_TRUE(live.poll());
    apply({.scopes = whole_scopes()}, {house("c", "x", 1)});
    ASSERT_TRUE(live.poll());
    EXPECT_EQ(seen, (std::vector<std::string>{"0", "1", "2", "3"}));
    live.remove(*id);
    EXPECT_EQ(live.add("DELETE FROM house", [](const Table&) {}).error().code, Code::kInvalidArgument);
}

TEST_F(Checkpoints, a_store_of_a_newer_format_is_refused_by_name) {
    ASSERT_TRUE(store_->meta().set(key::kFormat, kStoreFormat + 1));
    const auto opened = Store::open({.path = path(), .vfs = "", .device_name = "", .model = ""}, clock_, random_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::kFormatTooNew);
}

TEST_F(Checkpoints, a_database_of_another_program_is_refused_and_not_touched) {
    const std::string other = path() + "-other";
    auto db = sqlite::Database::open(other);
    ASSERT_TRUE(db->exec("CREATE TABLE mine(a)"));
    const auto opened = Store::open({.path = other}, clock_, random_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::kAlreadyExists);
    EXPECT_EQ(*db->integer("SELECT count(*) FROM sqlite_schema"), 1);
}

}  // namespace
}  // namespace skerry::store
