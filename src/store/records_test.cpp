// Conflict records: shown with base, mine and theirs; decided in one transaction that the server sees no conflict in.
#include "store/records.hpp"

#include "model/json.hpp"
#include "store/activity.hpp"
#include "store/drafts.hpp"
#include "store/live.hpp"
#include "store/testing.hpp"

namespace skerry::store {
namespace {

using model::Merge;
using model::Type;

Value t(std::string_view text) { return Value{std::string(text)}; }
Value n(std::int64_t number) { return Value{number}; }

model::Model records_model() {
    model::Model m{"test", 1, {}};
    m.entities.push_back({.name = "card", .key = {.name = "id"},
                          .attributes = {{.name = "name", .merge = Merge::kAsk}, {.name = "visits", .type = Type::kInt, .merge = Merge::kCounter},
                                         {.name = "tags", .type = Type::kSet, .merge = Merge::kSet},
                                         {.name = "price", .type = Type::kDecimal, .precision = 6, .scale = 2}}});
    m.entities.push_back({.name = "form", .key = {.name = "id"}, .attributes = {{.name = "a"}, {.name = "b"}}, .conflict = model::Conflict::kDetect});
    m.entities.push_back({.name = "site", .key = {.name = "id"}, .attributes = {{.name = "name"}}});
    m.entities.push_back({.name = "mark", .key = {.name = "id"}, .attributes = {{.name = "site", .references = EntityIx{2}, .on_delete = model::OnDelete::kSetNull}}});
    model::complete(m);
    return m;
}

std::string id_of(int number) { return "00000000-0000-7000-8000-00000000000" + std::to_string(number); }

class RecordsTest : public StoreTest {
  protected:
    RecordsTest() : StoreTest(records_model()) { apply({.scopes = all_scopes()}, {card("c", "theirs", 8, "[\"c\"]", 100), row("form", "f", {t("a2"), t("b2")})}); }

    struct Made {
        std::string entity = "card", key = "c", attribute = "name", operation = "update", why = "both_changed", base, mine, batch, state = "open";
    };
    Piece card(std::string key, std::string_view name, std::int64_t visits, std::string_view tags, std::int64_t price) {
        return row("card", std::move(key), {t(name), n(visits), t(tags), n(price)});
    }
    Piece record(int number, const Made& made) {
        const auto json = [](const std::string& text) { return text.empty() ? Value{Null{}} : Value{*model::canonical_json(text)}; };
        const Value at = t("2026-01-0" + std::to_string(number) + "T00:00:00.000000Z");
        return row("skerry_conflict", id_of(number),
                   {t(made.entity), t(made.key), t(made.attribute), t("ann"), t("00112233"), n(3), t(made.batch), t(made.operation), t(made.why), json(made.base),
                    json(made.mine), Value{Null{}}, at, at, t(made.state), t(made.state == "open" ? "" : "theirs"), Value{Null{}}, Value{Null{}}});
    }
    void arrive(const std::vector<Piece>& pieces) { apply({.token = "token " + std::to_string(++tokens_)}, pieces); }
    void reject(std::uint64_t no, const std::vector<Piece>& pieces);
    Result<void> resolve(int number, Choice choice, Values values = {}) { return records_->resolve(id_of(number), {choice, std::move(values)}); }
    Records& records() { return *records_; }

    int tokens_ = 0;
    std::unique_ptr<Records> records_ = std::make_unique<Records>(*store_);
};

TEST_F(RecordsTest, P_30_a_record_shows_base_mine_and_theirs_as_they_are_now) {
    arrive({record(1, {.base = "{\"name\":\"old\"}", .mine = "{\"name\":\"mine\"}"})});
    const auto list = records().list(false);
    ASSERT_TRUE(list && list->size() == 1);
    const ConflictRecord& one = list->front();
    EXPECT_EQ(one.author, "ann");
    EXPECT_EQ(one.why, "both_changed");
    EXPECT_TRUE(one.row_exists);
    ASSERT_EQ(one.fields.size(), 1u);
    EXPECT_EQ(one.fields[0].base, t("old"));
    EXPECT_EQ(one.fields[0].mine, t("mine"));
    EXPECT_EQ(one.fields[0].theirs, t("theirs"));
    EXPECT_EQ(row_state(*store_, "card", "c")->state, "conflict");
    arrive({card("c", "theirs again", 8, "[]", 1)});
    EXPECT_EQ(records().get(id_of(1))->fields[0].theirs, t("theirs again")) << "it follows the row";
    sql("UPDATE card SET name = 'local'");
    EXPECT_EQ(records().get(id_of(1))->fields[0].theirs, t("theirs again")) << "theirs is the server's, not what is typed here";
    arrive({gone("card", "c")});
    EXPECT_FALSE(records().get(id_of(1))->row_exists);
    EXPECT_FALSE(records().get(id_of(1))->fields[0].theirs);
    EXPECT_EQ(records().get(id_of(2)).error().code, Code::kNotFound);
}

TEST_F(RecordsTest, choosing_mine_is_an_ordinary_change_of_what_the_server_has_and_closes_the_record) {
    arrive({record(1, {.base = "{\"name\":\"old\"}", .mine = "{\"name\":\"mine\"}"})});
    ASSERT_TRUE(resolve(1, Choice::kMine));
    EXPECT_EQ(ops(1), "U card c name:'theirs'->'mine'; U skerry_conflict " + id_of(1) + " state:'open'->'closed' choice:''->'mine'");
    EXPECT_TRUE(records().list(false)->empty()) << "closed at once, offline too";
    EXPECT_EQ(records().list(true)->size(), 1u);
    EXPECT_EQ(resolve(1, Choice::kTheirs).error().code, Code::kInvalidArgument);
    EXPECT_EQ(row_state(*store_, "card", "c")->state, "pending");
}

TEST_F(RecordsTest, the_old_value_of_a_decision_is_what_the_server_has_not_what_is_typed_here) {
    arrive({record(1, {.base = "{\"name\":\"old\"}", .mine = "{\"name\":\"mine\"}"})});
    sql("UPDATE card SET name = 'local'");
    ASSERT_TRUE(resolve(1, Choice::kMine));
    EXPECT_EQ(ops(2), "U card c name:'theirs'->'mine'<1; U skerry_conflict " + id_of(1) + " state:'open'->'closed' choice:''->'mine'");
}

TEST_F(RecordsTest, choosing_theirs_only_closes_and_a_mix_writes_what_was_given) {
    arrive({record(1, {.base = "{\"name\":\"old\"}", .mine = "{\"name\":\"mine\"}"}), record(2, {.base = "{\"name\":\"old\"}", .mine = "{\"name\":\"mine 2\"}"})});
    ASSERT_TRUE(resolve(1, Choice::kTheirs));
    EXPECT_EQ(ops(1), "U skerry_conflict " + id_of(1) + " state:'open'->'closed' choice:''->'theirs'");
    EXPECT_EQ(resolve(2, Choice::kMix).error().code, Code::kInvalidArgument);
    EXPECT_EQ(resolve(2, Choice::kMine, {{"name", t("x")}}).error().code, Code::kInvalidArgument);
    ASSERT_TRUE(resolve(2, Choice::kMix, {{"name", t("both")}, {"visits", n(9)}}));
    EXPECT_EQ(ops(2), "U card c name:'theirs'->'both' visits:8->9; U skerry_conflict " + id_of(2) + " state:'open'->'closed' choice:''->'mix'");
}

TEST_F(RecordsTest, of_counters_and_sets_mine_is_a_difference_on_what_is_there_now) {
    arrive({record(1, {.attribute = "", .why = "strict", .base = "{\"visits\":5,\"tags\":[\"a\"],\"price\":\"1.00\"}",
                       .mine = "{\"visits\":7,\"tags\":[\"a\",\"b\"],\"price\":\"2.50\"}"})});
    ASSERT_TRUE(resolve(1, Choice::kMine));
    EXPECT_EQ(rows("SELECT visits, tags, price FROM card"), "10,'[\"b\",\"c\"]',250");
}

TEST_F(RecordsTest, an_update_of_a_deleted_row_brings_it_back_from_the_image_and_the_changes) {
    arrive({gone("card", "c"), record(1, {.attribute = "", .why = "row_deleted", .base = "{\"name\":\"old\",\"visits\":5,\"tags\":[\"a\"],\"price\":\"1.00\"}",
                                          .mine = "{\"name\":\"mine\",\"visits\":6}"})});
    ASSERT_TRUE(resolve(1, Choice::kMine));
    EXPECT_EQ(rows("SELECT name, visits, tags, price FROM card"), "'mine',6,'[\"a\"]',100");
    EXPECT_EQ(ops(1).substr(0, 13), "I card c 'min");
    arrive({record(2, {.base = "{\"name\":\"old\"}", .mine = "{\"name\":\"m\"}"}), gone("card", "c")});
    EXPECT_EQ(rows("SELECT count(*) FROM card"), "1") << "an unsettled creation stays";
}

TEST_F(RecordsTest, a_record_on_one_attribute_cannot_bring_a_row_back) {
    arrive({gone("card", "c"), record(1, {.base = "{\"name\":\"old\"}", .mine = "{\"name\":\"m\"}"})});
    EXPECT_EQ(resolve(1, Choice::kMine).error().code, Code::kNotFound);
    EXPECT_EQ(records().get(id_of(1))->state, "open") << "nothing is half done";
    EXPECT_EQ(transactions(), 0);
    EXPECT_TRUE(resolve(1, Choice::kTheirs));
}

TEST_F(RecordsTest, a_delete_that_was_put_to_a_person_deletes_when_mine_is_chosen) {
    arrive({record(1, {.attribute = "", .operation = "delete", .why = "row_changed", .base = "{\"name\":\"old\",\"visits\":5,\"tags\":[],\"price\":null}"}),
            record(2, {.attribute = "", .operation = "delete", .why = "row_changed", .base = "{\"name\":\"old\"}"})});
    ASSERT_TRUE(resolve(2, Choice::kTheirs));
    EXPECT_EQ(rows("SELECT count(*) FROM card"), "1");
    ASSERT_TRUE(resolve(1, Choice::kMine));
    EXPECT_EQ(rows("SELECT count(*) FROM card"), "0");
    EXPECT_EQ(ops(2), "U skerry_conflict " + id_of(1) + " state:'open'->'closed' choice:''->'mine'; D card c");
}

TEST_F(RecordsTest, pitfall_21_records_of_one_batch_are_decided_together) {
    arrive({record(1, {.entity = "form", .key = "f", .attribute = "", .why = "row_changed", .base = "{\"a\":\"a1\"}", .mine = "{\"a\":\"mine\"}", .batch = "B"}),
            record(2, {.attribute = "", .why = "strict", .base = "{\"visits\":5}", .mine = "{\"visits\":6}", .batch = "B"}),
            record(3, {.attribute = "", .why = "strict", .base = "{\"visits\":5}", .mine = "{\"visits\":6}"})});
    ASSERT_TRUE(resolve(1, Choice::kMix, {{"a", t("mixed")}}));
    EXPECT_EQ(ops(1), "U card c visits:8->9; U form f a:'a2'->'mixed'; U skerry_conflict " + id_of(1) + " state:'open'->'closed' choice:''->'mix'; U skerry_conflict " +
                          id_of(2) + " state:'open'->'closed' choice:''->'mine'");
    EXPECT_EQ(op(1, 1).base_hash, model::row_hash(store_->model().entity({1}), {t("a2"), t("b2")})) << "the server finds the row as this decision saw it";
    EXPECT_EQ(records().list(false)->size(), 1u);
}

// Deleting the site empties the mark's reference here, before the mark's own record is decided; the server has it still.
TEST_F(RecordsTest, pitfall_21_what_one_record_of_a_batch_does_to_the_row_of_another_is_not_taken_for_what_the_server_has) {
    arrive({row("site", "s", {t("old")}), row("mark", "m", {t("s")}),
            record(1, {.entity = "site", .key = "s", .attribute = "", .operation = "delete", .why = "strict", .base = "{\"name\":\"old\"}", .batch = "B"}),
            record(2, {.entity = "mark", .key = "m", .attribute = "", .why = "strict", .base = "{\"site\":\"s\"}", .mine = "{\"site\":null}", .batch = "B"})});
    ASSERT_TRUE(resolve(1, Choice::kMine));
    EXPECT_NE(ops(1).find("U mark m site:'s'->NULL; "), std::string::npos) << ops(1);
}

// The transaction `no` is rejected, and others have decided these records.
void RecordsTest::reject(std::uint64_t no, const std::vector<Piece>& pieces) {
    apply({.outcomes = {{{no}, wire::Verdict::kRejected, Code::kCheckFailed, {no}, "no"}}, .token = "token " + std::to_string(++tokens_)}, pieces);
}

TEST_F(RecordsTest, M_26_a_draft_whose_record_others_have_decided_is_done_again_without_that) {
    const Made first{.base = "{\"name\":\"old\"}", .mine = "{\"name\":\"mine\"}", .batch = "B"};
    const Made second{.base = "{\"visits\":5}", .mine = "{\"visits\":6}", .batch = "B"};
    arrive({record(1, first), record(2, second)});
    ASSERT_TRUE(resolve(1, Choice::kMine));
    Made closed = first;
    closed.state = "closed";
    reject(1, {record(1, closed)});
    const auto done = Drafts(*store_).retry(1);
    ASSERT_TRUE(done) << describe(done.error());
    EXPECT_EQ(done->transaction, 2u);
    EXPECT_FALSE(done->nothing_left);
    EXPECT_EQ(done->decided, std::vector<std::string>{id_of(1)});
    EXPECT_EQ(ops(2), "U card c name:'theirs'->'mine' visits:8->9; U skerry_conflict " + id_of(2) + " state:'open'->'closed' choice:''->'mine'") << "the rest stays";
    EXPECT_EQ(rows("SELECT choice FROM skerry_conflict WHERE id = '" + id_of(1) + "'"), "'theirs'") << "their decision stands";
    EXPECT_TRUE(Drafts(*store_).list()->empty());
}

TEST_F(RecordsTest, M_26_a_draft_of_which_nothing_is_left_goes_away_and_says_so) {
    const Made made{.base = "{\"name\":\"old\"}", .mine = "{\"name\":\"mine\"}"};
    arrive({record(1, made), record(2, made)});
    ASSERT_TRUE(resolve(1, Choice::kTheirs));
    ASSERT_TRUE(resolve(2, Choice::kTheirs));
    Made closed = made;
    closed.state = "closed";
    reject(1, {record(1, closed)});
    reject(2, {gone("skerry_conflict", id_of(2))});
    for (const std::uint64_t number : {1u, 2u}) {
        const auto done = Drafts(*store_).retry(number);
        ASSERT_TRUE(done) << describe(done.error());
        EXPECT_TRUE(done->nothing_left);
        EXPECT_EQ(done->decided, std::vector<std::string>{id_of(static_cast<int>(number))});
        EXPECT_EQ(ops(done->transaction), "") << "the server is told that its copy of the draft is dropped";
        EXPECT_EQ(Journal(*store_).load(TxnNo{done->transaction})->redo_of, std::vector<TxnNo>{TxnNo{number}});
    }
    EXPECT_TRUE(Drafts(*store_).list()->empty());
    EXPECT_EQ(rows("SELECT state FROM skerry_draft"), "3; 3");
}

TEST_F(RecordsTest, P_33_each_open_record_is_told_once_also_across_restarts) {
    arrive({record(1, {.base = "{\"name\":\"old\"}", .mine = "{\"name\":\"mine\"}"})});
    EXPECT_EQ(records().take_untold()->size(), 1u);
    EXPECT_EQ(records().take_untold()->size(), 0u);
    arrive({record(2, {.base = "{\"name\":\"old\"}", .mine = "{\"name\":\"mine\"}"}), record(1, {.base = "{\"name\":\"old\"}", .mine = "{\"name\":\"newer\"}"})});
    records_.reset();
    open();
    records_ = std::make_unique<Records>(*store_);
    const auto fresh = records().take_untold();
    ASSERT_TRUE(fresh && fresh->size() == 1);
    EXPECT_EQ(fresh->front().id, id_of(2));
    ASSERT_TRUE(resolve(1, Choice::kTheirs));
    EXPECT_EQ(records().take_untold()->size(), 0u);
}

TEST_F(RecordsTest, live_queries_see_records_come_and_go) {
    LiveQueries live(*store_);
    std::vector<std::string> seen;
    ASSERT_TRUE(live.add("SELECT count(*) FROM skerry_conflict WHERE state = 'open'", [&](const Table& table) { seen.push_back(model::to_text(table.rows[0][0])); }));
    arrive({record(1, {.base = "{\"name\":\"old\"}", .mine = "{\"name\":\"mine\"}"})});
    ASSERT_TRUE(live.poll());
    ASSERT_TRUE(resolve(1, Choice::kTheirs));
    ASSERT_TRUE(live.poll());
    EXPECT_EQ(seen, (std::vector<std::string>{"0", "1", "0"}));
}

}  // namespace
}  // namespace skerry::store
