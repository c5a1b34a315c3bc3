// What operations carry beside their values: predecessors, versions of rows, terms of the transaction; and what a device
// shows when they are put on another base.
#include "store/testing.hpp"

namespace skerry::store {
namespace {

using model::Merge;
using model::Type;

Value t(std::string_view text) { return Value{std::string(text)}; }
Value n(std::int64_t number) { return Value{number}; }

model::Model policy_model() {
    model::Model m{"test", 1, {}};
    m.entities.push_back({.name = "card", .key = {.name = "id"},
                          .attributes = {{.name = "name"},
                                         {.name = "visits", .type = Type::kInt, .merge = Merge::kCounter},
                                         {.name = "tags", .type = Type::kSet, .merge = Merge::kSet},
                                         {.name = "notes", .merge = Merge::kText},
                                         {.name = "first", .merge = Merge::kFirst},
                                         {.name = "most", .type = Type::kInt, .merge = Merge::kMax},
                                         {.name = "asked", .merge = Merge::kAsk}}});
    m.entities.push_back({.name = "form", .key = {.name = "id"}, .attributes = {{.name = "a"}, {.name = "b"}}, .conflict = model::Conflict::kDetect});
    m.entities.push_back({.name = "flag", .key = {.name = "id"}, .attributes = {{.name = "a"}, {.name = "n", .type = Type::kInt}},
                          .conflict = model::Conflict::kLast});
    m.entities.push_back({.name = "nat", .key = {.name = "id"}, .attributes = {{.name = "a"}, {.name = "n", .type = Type::kInt, .merge = Merge::kCounter}},
                          .create_create = model::CreateCreate::kMerge});
    model::complete(m);
    return m;
}

class NumberingTest : public StoreTest {
  protected:
    NumberingTest() : StoreTest(policy_model()) {
        apply({.scopes = all_scopes()}, {card("x", 5, "[\"a\"]", "one two three"), row("form", "f", {t("1"), t("2")}), row("flag", "g", {t("1"), n(2)})});
    }
    Piece card(std::string_view name, std::int64_t visits, std::string_view tags, std::string_view notes) {
        return row("card", "c", {t(name), n(visits), t(tags), t(notes), t("f"), n(1), t("q")});
    }
    wire::Transaction txn(std::uint64_t no) { return *Journal(*store_).load(TxnNo{no}); }
};

TEST_F(NumberingTest, value_policies_and_text_name_their_predecessor_counters_and_sets_do_not) {
    for (int i = 0; i < 2; ++i)
        sql("UPDATE card SET name = name || 'y', visits = visits + 1, tags = '[\"a\",\"" + std::string(i == 0 ? "b" : "c") +
            "\"]', notes = notes || ' four', first = first || 'g', most = most + 1, asked = asked || 'r'");
    std::string prevs;
    for (const wire::Change& change : op(2).changes) prevs += std::to_string(change.prev.value);
    EXPECT_EQ(prevs, "1001111");
}

TEST_F(NumberingTest, pitfall_16_rows_of_detect_tell_their_version_and_rows_of_last_all_attributes) {
    sql("UPDATE form SET a = 'x'");
    EXPECT_TRUE(op(1).row_version);
    EXPECT_EQ(op(1).base_hash, model::row_hash(store_->model().entity({1}), {t("1"), t("2")}));
    sql("UPDATE form SET b = 'y'");
    EXPECT_EQ(op(2).prev_row, TxnNo{1});
    EXPECT_EQ(op(2).base_hash, Hash128{});
    sql("UPDATE flag SET a = 'x'");
    EXPECT_EQ(ops(3), "U flag g a:'1'->'x' n:2->2");
    sql("UPDATE flag SET a = 'x'");
    EXPECT_EQ(transactions(), 3) << "nothing changed";
    sql("UPDATE flag SET n = 7");
    EXPECT_EQ(ops(4), "U flag g a:'x'->'x'<3 n:2->7<3");
    sql("DELETE FROM form");
    EXPECT_EQ(op(5).prev_row, TxnNo{2});
}

TEST_F(NumberingTest, G_1_local_changes_are_shown_on_top_of_whatever_arrives_each_by_its_policy) {
    sql("UPDATE card SET name = 'mine', visits = 6, tags = '[\"a\",\"b\"]', notes = 'one TWO three'");
    apply({.token = "two"}, {card("theirs", 8, "[\"c\"]", "one two three four")});
    EXPECT_EQ(rows("SELECT name, visits, tags, notes FROM card"), "'mine',9,'[\"b\",\"c\"]','one TWO three four'");
    sql("UPDATE card SET visits = visits + 1");
    EXPECT_EQ(op(2).changes[0].old_value, n(9));
    apply({.outcomes = {{{1}, wire::Verdict::kMerged, Code::kInternal, {}, ""}}, .token = "three"}, {card("mine", 9, "[\"b\",\"c\"]", "one TWO three four")});
    EXPECT_EQ(rows("SELECT visits FROM card"), "10") << "what settled counts once, what has not counts on top";
}

TEST_F(NumberingTest, a_form_that_was_open_while_rows_arrived_is_saved_as_what_its_user_did) {
    apply({.token = "two"}, {card("theirs", 8, "[\"c\"]", "one two three four")});
    ASSERT_TRUE(store_->begin());
    ASSERT_TRUE(store_->update("card", "c", {{"visits", n(7)}, {"tags", t("[\"a\"]")}, {"notes", t("one two three")}, {"name", t("x")}},
                               {{"visits", n(8)}, {"tags", t("[\"a\",\"b\"]")}, {"notes", t("one TWO three")}, {"name", t("mine")}}));
    ASSERT_TRUE(store_->commit());
    EXPECT_EQ(rows("SELECT name, visits, tags, notes FROM card"), "'mine',9,'[\"b\",\"c\"]','one TWO three four'");
    EXPECT_EQ(ops(1), "U card c name:'x'->'mine' visits:8->9 tags:'[\"c\"]'->'[\"b\",\"c\"]' notes:'one two three'->'one TWO three'");
    EXPECT_EQ(store_->update("card", "c", {}, {}).error().code, Code::kInvalidArgument);
}

TEST_F(NumberingTest, a_refused_form_leaves_nothing_behind) {
    ASSERT_TRUE(store_->begin());
    EXPECT_FALSE(store_->update("card", "c", {{"name", t("stale")}, {"most", n(1)}}, {{"name", t("edited")}, {"most", t("no number")}}));
    EXPECT_EQ(rows("SELECT name FROM card"), "'x'");
    sql("UPDATE card SET name = 'later'");
    ASSERT_TRUE(store_->commit());
    EXPECT_EQ(ops(1), "U card c name:'x'->'later'");
}

TEST_F(NumberingTest, a_whole_row_that_wins_is_shown_whole) {
    sql("UPDATE flag SET a = 'mine', n = 3");
    apply({.token = "two"}, {row("flag", "g", {t("theirs"), n(50)})});
    EXPECT_EQ(rows("SELECT a, n FROM flag"), "'mine',3");
}

TEST_F(NumberingTest, pitfall_29_a_creation_that_meets_another_is_shown_as_it_will_be_judged) {
    sql("INSERT INTO nat VALUES('k', 'mine', 2)");
    sql("INSERT INTO nat VALUES('l', NULL, 2)");
    apply({.token = "two"}, {row("nat", "k", {t("theirs"), n(5)}), row("nat", "l", {t("theirs"), n(5)})});
    EXPECT_EQ(rows("SELECT id, a, n FROM nat ORDER BY id"), "'k','mine',7; 'l','theirs',7");
}

TEST_F(NumberingTest, strict_asserts_and_what_it_replaces_are_kept_with_the_transaction) {
    ASSERT_TRUE(store_->begin({.strict = true}));
    ASSERT_TRUE(store_->assert_row("card", "c", "visits >= 5"));
    ASSERT_TRUE(store_->assert_row("card", "absent", "visits >= 5")) << "what is not here is for the server to say";
    sql("UPDATE card SET name = 'y'");
    ASSERT_TRUE(store_->commit());
    EXPECT_TRUE(txn(1).strict);
    ASSERT_EQ(txn(1).asserts.size(), 2u);
    EXPECT_EQ(txn(1).asserts[0], (wire::Assert{{0}, "c", "visits >= 5"}));
    sql("UPDATE card SET name = 'z'");
    EXPECT_FALSE(txn(2).strict) << "they are the transaction's, not the store's";
    EXPECT_TRUE(txn(2).asserts.empty());
    Bytes payload;
    Writer out(payload);
    wire::put_transaction(out, txn(1));
    EXPECT_TRUE(wire::get_transaction(payload, store_->model(), nullptr)) << "what is pushed is well formed";
}

TEST_F(NumberingTest, an_assert_that_is_definitely_false_here_fails_at_once) {
    ASSERT_TRUE(store_->begin());
    EXPECT_EQ(store_->assert_row("card", "c", "visits > 5").error().code, Code::kAssertFailed);
    EXPECT_EQ(store_->assert_row("card", "c", "visits >").error().code, Code::kExpressionInvalid);
    EXPECT_EQ(store_->assert_row("cart", "c", "visits > 5").error().code, Code::kNotFound);
    store_->rollback();
    EXPECT_EQ(store_->assert_row("card", "c", "visits > 4").error().code, Code::kInvalidArgument) << "outside a transaction";
    ASSERT_TRUE(store_->begin());
    ASSERT_TRUE(store_->assert_row("card", "c", "visits = 5"));
    ASSERT_TRUE(store_->commit());
    EXPECT_EQ(transactions(), 0) << "an assert alone is no transaction";
}

TEST_F(NumberingTest, pitfall_12_the_old_value_is_what_was_visible_and_survives_a_spelling_of_the_servers) {
    sql("UPDATE card SET name = 'bob'");
    apply({.token = "two"}, {card("Bob", 5, "[\"a\"]", "one two three")});
    sql("UPDATE card SET name = 'Bobby'");
    EXPECT_EQ(ops(2), "U card c name:'bob'->'Bobby'<1");
}

TEST_F(NumberingTest, two_stores_on_one_file_number_each_others_writes_once) {
    SeededRandom random(7);
    auto second = Store::open({.path = path()}, clock_, random);
    ASSERT_TRUE(second);
    sql("UPDATE card SET name = 'first'");
    ASSERT_TRUE((*second)->sql("UPDATE card SET name = 'second'"));
    auto other = foreign();
    ASSERT_TRUE(other.exec("UPDATE card SET name = 'third'"));
    ASSERT_TRUE((*second)->sql("UPDATE card SET most = 2"));
    EXPECT_EQ(ops(1) + " | " + ops(2) + " | " + ops(3) + " | " + ops(4),
              "U card c name:'x'->'first' | U card c name:'first'->'second'<1 | U card c name:'second'->'third'<2 | U card c most:1->2");
}

TEST_F(NumberingTest, every_kind_of_statement_is_captured_as_its_net_difference) {
    in_one({"INSERT INTO nat VALUES('1', 'a', 1), ('2', 'b', 2), ('3', 'c', 3)", "UPDATE nat SET n = n * 10 WHERE id > '1'",
            "REPLACE INTO nat VALUES('1', 'replaced', 9)", "INSERT INTO nat VALUES('2', 'z', 0) ON CONFLICT(id) DO UPDATE SET a = 'upserted ' || excluded.a",
            "INSERT OR IGNORE INTO nat VALUES('3', 'ignored', 0), ('4', 'd', 4)", "UPDATE OR REPLACE nat SET a = 'forced' WHERE id = '4'",
            "INSERT INTO nat SELECT id || 'x', a, n FROM nat WHERE id < '3'", "DELETE FROM nat WHERE id = '1x'",
            "UPDATE nat SET a = s.a FROM (SELECT 'from' AS a) AS s WHERE id = '2x'"});
    EXPECT_EQ(ops(1), "I nat 1 'replaced' 9; I nat 2 'upserted z' 20; I nat 2x 'from' 20; I nat 3 'c' 30; I nat 4 'forced' 4");
    EXPECT_FALSE(store_->sql("UPDATE nat SET n = CASE id WHEN '3' THEN 'x' ELSE 0 END")) << "fails half way";
    EXPECT_EQ(transactions(), 1);
    EXPECT_EQ(rows("SELECT sum(n) FROM nat"), "83");
}

TEST_F(NumberingTest, pitfall_55_keys_never_change_whoever_writes_and_however) {
    auto other = foreign();
    for (const char* statement : {"UPDATE card SET id = 'd'", "UPDATE OR IGNORE card SET id = 'd'", "UPDATE OR REPLACE card SET id = 'd'",
                                  "INSERT INTO card(id) VALUES('c') ON CONFLICT(id) DO UPDATE SET id = 'd'"})
        EXPECT_EQ(refused_to(other, statement), Code::kKeyUpdate) << statement;
    EXPECT_FALSE(*store_->number_open());
}

}  // namespace
}  // namespace skerry::store
