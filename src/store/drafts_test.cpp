// Rejected transactions: kept, listed, edited, done again, dropped; what they say of the row meanwhile.
#include "store/drafts.hpp"

#include "store/testing.hpp"

namespace skerry::store {
namespace {

using model::Merge;
using model::Type;

Value t(std::string_view text) { return Value{std::string(text)}; }
Value n(std::int64_t number) { return Value{number}; }

model::Model drafts_model() {
    model::Model m{"test", 1, {}};
    m.entities.push_back({.name = "house", .key = {.name = "id"},
                          .attributes = {{.name = "name"}, {.name = "people", .type = Type::kInt}, {.name = "visits", .type = Type::kInt, .merge = Merge::kCounter},
                                         {.name = "notes", .merge = Merge::kText}}});
    m.entities.push_back({.name = "visit", .key = {.name = "id"}, .attributes = {{.name = "house", .references = EntityIx{0}}, {.name = "kind"}}});
    m.entities[0].checks = {{"people < 100", "people"}};
    model::complete(m);
    return m;
}

class DraftsTest : public StoreTest {
  protected:
    DraftsTest() : StoreTest(drafts_model()) { apply({.scopes = all_scopes()}, {house_row("a", "x", 1, 5)}); }
    Piece house_row(std::string key, std::string_view name, std::int64_t people, std::int64_t visits, std::string_view notes = "one two three") {
        return row("house", std::move(key), {t(name), n(people), n(visits), t(notes)});
    }
    static wire::Outcome applied(std::uint64_t no) { return {{no}, wire::Verdict::kApplied, Code::kInternal, {}, ""}; }
    static wire::Outcome rejected(std::uint64_t no, Code code = Code::kCheckFailed, std::string message = "house.people does not meet the check", std::uint64_t root = 0) {
        return {{no}, wire::Verdict::kRejected, code, {root == 0 ? no : root}, std::move(message)};
    }
    // The next checkpoint.
    void settle(std::vector<wire::Outcome> outcomes, std::vector<Piece> pieces = {}) {
        apply({.outcomes = std::move(outcomes), .token = "token " + std::to_string(++tokens_)}, std::move(pieces));
    }
    Drafts drafts() { return Drafts(*store_); }
    std::string state(std::string_view entity, std::string_view key) {
        const auto state = row_state(*store_, entity, key);
        return state ? state->state : std::string(code_name(state.error().code));
    }
    // A rejected creation, and what was rejected because of it.
    void make_group() {
        sql("INSERT INTO house VALUES('h', 'new', 7, 0, NULL)");
        sql("INSERT INTO visit VALUES('v', 'h', 'first')");
        sql("UPDATE house SET name = 'newer', visits = visits + 1 WHERE id = 'h'");
        settle({rejected(1), rejected(2, Code::kDependency, "builds on transaction 1", 1), rejected(3, Code::kDependency, "builds on transaction 1", 1)});
    }
    int tokens_ = 0;
};

TEST_F(DraftsTest, M_25_a_rejected_transaction_is_listed_with_code_message_member_and_content) {
    sql("UPDATE house SET name = 'y', people = 50");
    settle({rejected(1)});
    const auto list = drafts().list();
    ASSERT_TRUE(list && list->size() == 1);
    const Draft& draft = list->front();
    EXPECT_EQ(draft.number, 1u);
    EXPECT_EQ(draft.waiting_for, 0u);
    EXPECT_EQ(draft.code, "check_failed");
    EXPECT_EQ(draft.message, "house.people does not meet the check");
    EXPECT_EQ(draft.member, "house.people");
    EXPECT_EQ(draft.made_at, "2023-11-14T22:13:20.000000Z");
    ASSERT_EQ(draft.changes.size(), 1u);
    EXPECT_EQ(draft.changes[0].operation, "update");
    ASSERT_EQ(draft.changes[0].fields.size(), 2u);
    EXPECT_EQ(draft.changes[0].fields[1].attribute, "people");
    EXPECT_EQ(draft.changes[0].fields[1].was, n(1));
    EXPECT_EQ(draft.changes[0].fields[1].now, n(50));
    EXPECT_EQ(rows("SELECT name, people FROM house"), "'x',1") << "taken back in the data";
    EXPECT_EQ(drafts().get(2).error().code, Code::kNotFound);
}

TEST_F(DraftsTest, O_20_a_draft_done_again_detects_what_others_changed_since) {
    sql("UPDATE house SET name = 'mine', people = 50, visits = 7, notes = 'one TWO three'");
    settle({rejected(1)}, {house_row("a", "theirs", 3, 8, "one two three four")});
    const auto made = drafts().retry(1);
    ASSERT_TRUE(made) << describe(made.error());
    EXPECT_EQ(made->transaction, 2u);
    EXPECT_EQ(ops(2), "U house a name:'x'->'mine' people:1->50 visits:8->10 notes:'one two three'->'one TWO three'") << "changed from what the author saw";
    EXPECT_EQ(rows("SELECT name, visits, notes FROM house"), "'mine',10,'one TWO three four'");
    EXPECT_EQ(Journal(*store_).load(TxnNo{2})->redo_of, std::vector<TxnNo>{TxnNo{1}});
    EXPECT_TRUE(drafts().list()->empty());
    EXPECT_EQ(drafts().retry(1).error().code, Code::kNotFound) << "once";
}

// Seed 14000473: the server takes an author's next change as it is, so his earlier words have to be in it.
TEST_F(DraftsTest, a_form_on_a_text_is_joined_with_an_unsent_change_of_the_same_author) {
    const auto save = [&](std::string_view shown, std::string_view edited) {
        ASSERT_TRUE(store_->begin());
        ASSERT_TRUE(store_->update("house", "a", {{"notes", t(shown)}}, {{"notes", t(edited)}}));
        ASSERT_TRUE(store_->commit());
    };
    sql("UPDATE house SET notes = 'ONE two three'");
    save("one two three", "one two three four");
    EXPECT_EQ(ops(2), "U house a notes:'ONE two three'->'ONE two three four'<1");
    EXPECT_EQ(rows("SELECT notes FROM house"), "'ONE two three four'");
    save("one two three", "eins two three");
    EXPECT_EQ(ops(3), "U house a notes:'one two three'->'eins two three'<2") << "the same words: the later ones are meant";
}

TEST_F(DraftsTest, M_27_what_waits_for_a_draft_goes_with_it_in_order_as_one_transaction) {
    make_group();
    const auto list = drafts().list();
    ASSERT_TRUE(list && list->size() == 3);
    EXPECT_EQ((*list)[1].waiting_for, 1u);
    EXPECT_EQ((*list)[2].waiting_for, 1u);
    EXPECT_EQ(state("house", "h"), "rejected");
    EXPECT_EQ(state("visit", "v"), "waiting");
    ASSERT_TRUE(drafts().retry(2));
    EXPECT_EQ(ops(4), "I house h 'newer' 7 1 NULL; I visit v 'h' 'first'");
    EXPECT_EQ(Journal(*store_).load(TxnNo{4})->redo_of, (std::vector<TxnNo>{{1}, {2}, {3}}));
    EXPECT_EQ(state("visit", "v"), "pending");
}

TEST_F(DraftsTest, M_26_an_edited_draft_does_what_was_edited) {
    make_group();
    ASSERT_TRUE(drafts().edit(1, "house", "h", {{"people", n(8)}, {"notes", t("mended")}}));
    ASSERT_TRUE(drafts().edit(3, "house", "h", {{"name", t("newest")}, {"people", n(9)}}));
    EXPECT_EQ(transactions(), 0) << "nothing is sent by editing";
    ASSERT_TRUE(drafts().retry(1));
    EXPECT_EQ(ops(4), "I house h 'newest' 9 1 'mended'; I visit v 'h' 'first'");
    EXPECT_EQ(drafts().edit(1, "house", "h", {{"people", n(8)}}).error().code, Code::kNotFound);
}

TEST_F(DraftsTest, a_created_row_can_be_moved_to_another_key_with_what_refers_to_it) {
    make_group();
    ASSERT_TRUE(drafts().edit(1, "house", "h", {{"id", t("moved")}, {"name", t("n")}}));
    ASSERT_TRUE(drafts().retry(1));
    EXPECT_EQ(ops(4), "I house moved 'newer' 7 1 NULL; I visit v 'moved' 'first'");
}

TEST_F(DraftsTest, edits_that_make_no_sense_are_refused_by_name_and_change_nothing) {
    sql("UPDATE house SET people = 50");
    sql("DELETE FROM house");
    settle({rejected(1), rejected(2, Code::kStillReferenced, "x")});
    EXPECT_EQ(drafts().edit(1, "house", "b", {{"people", n(8)}}).error().code, Code::kNotFound);
    EXPECT_EQ(drafts().edit(1, "house", "a", {{"rooms", n(8)}}).error().code, Code::kNotFound);
    EXPECT_EQ(drafts().edit(1, "house", "a", {{"people", t("eight")}}).error().code, Code::kValueInvalid);
    EXPECT_EQ(drafts().edit(1, "house", "a", {{"id", t("b")}}).error().code, Code::kKeyUpdate);
    EXPECT_EQ(drafts().edit(2, "house", "a", {{"people", n(8)}}).error().code, Code::kInvalidArgument);
    EXPECT_EQ(drafts().get(1)->changes[0].fields[0].now, n(50));
}

TEST_F(DraftsTest, a_draft_that_cannot_be_done_again_stays_and_nothing_is_done) {
    sql("UPDATE house SET people = 50");
    sql("INSERT INTO house(id) VALUES('k')");
    settle({rejected(1), rejected(2, Code::kKeyTaken, "taken")}, {gone("house", "a"), house_row("k", "theirs", 1, 1)});
    EXPECT_EQ(drafts().retry(1).error().code, Code::kNotFound) << "the row is not here any more";
    EXPECT_EQ(drafts().retry(2).error().code, Code::kKeyTaken);
    EXPECT_EQ(drafts().list()->size(), 2u);
    EXPECT_EQ(transactions(), 0);
    ASSERT_TRUE(drafts().edit(2, "house", "k", {{"people", n(100)}, {"id", t("free")}}));
    EXPECT_EQ(drafts().retry(2).error().code, Code::kCheckFailed) << "the device's own checks apply";
    EXPECT_FALSE(store_->in_transaction());
    ASSERT_TRUE(drafts().edit(2, "house", "free", {{"people", n(99)}}));
    EXPECT_TRUE(drafts().retry(2));
}

TEST_F(DraftsTest, a_discarded_group_is_a_transaction_that_only_discards) {
    make_group();
    const auto made = drafts().discard(3);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->value, 4u);
    EXPECT_EQ(ops(4), "");
    EXPECT_EQ(Journal(*store_).load(TxnNo{4})->redo_of, (std::vector<TxnNo>{{1}, {2}, {3}}));
    EXPECT_EQ(Journal(*store_).next_batch({}, 10, 1000)->payloads.size(), 1u) << "the server is told";
    EXPECT_TRUE(drafts().list()->empty());
    EXPECT_EQ(rows("SELECT count(*) FROM house"), "1");
    const auto entries = log(*store_, {.entity = "visit", .key = "v"});
    ASSERT_TRUE(entries && entries->size() == 1);
    EXPECT_EQ(entries->front().draft, "discarded");
    EXPECT_EQ(entries->front().mended_by, 4u);
    settle({applied(4)});
    EXPECT_EQ(transactions(), 0);
}

TEST_F(DraftsTest, a_mended_draft_that_is_rejected_again_closes_the_first_one_too_when_it_is_mended) {
    sql("UPDATE house SET people = 50");
    settle({rejected(1)});
    ASSERT_TRUE(drafts().retry(1));
    settle({rejected(2)});
    ASSERT_EQ(drafts().list()->size(), 1u);
    ASSERT_TRUE(drafts().retry(2));
    EXPECT_EQ(Journal(*store_).load(TxnNo{3})->redo_of, (std::vector<TxnNo>{{1}, {2}}));
}

TEST_F(DraftsTest, the_terms_of_a_draft_hold_for_its_redo) {
    ASSERT_TRUE(store_->begin({.strict = true}));
    ASSERT_TRUE(store_->assert_row("house", "a", "people = 1"));
    sql("UPDATE house SET name = 'y'");
    ASSERT_TRUE(store_->commit());
    settle({rejected(1, Code::kAssertFailed, "house 'a': people = 1")}, {house_row("a", "x", 2, 5)});
    EXPECT_EQ(drafts().retry(1).error().code, Code::kAssertFailed);
    settle({}, {house_row("a", "x", 1, 5)});
    ASSERT_TRUE(drafts().retry(1));
    EXPECT_TRUE(Journal(*store_).load(TxnNo{2})->strict);
    EXPECT_EQ(Journal(*store_).load(TxnNo{2})->asserts.size(), 1u);
}

TEST_F(DraftsTest, a_redo_that_has_nothing_left_but_its_terms_and_is_rejected_is_a_draft_too) {
    ASSERT_TRUE(store_->begin({}));
    ASSERT_TRUE(store_->assert_row("house", "a", "people = 1"));
    sql("UPDATE house SET name = 'y'");
    ASSERT_TRUE(store_->commit());
    settle({rejected(1, Code::kAssertFailed, "house 'a': people = 1")}, {house_row("a", "y", 1, 5)});
    ASSERT_TRUE(drafts().retry(1));
    EXPECT_TRUE(Journal(*store_).load(TxnNo{2})->ops.empty()) << "somebody has written the same";
    settle({rejected(2, Code::kAssertFailed, "house 'a': people = 1")});
    const auto open = drafts().list();
    ASSERT_TRUE(open && open->size() == 1) << "or the work would be gone from every list";
    EXPECT_EQ(open->front().number, 2u);
}

TEST_F(DraftsTest, what_was_rejected_for_its_form_can_be_read_and_mended) {
    apply({.token = "json"});
    sql("UPDATE house SET notes = 'x'");
    const wire::Transaction made = *Journal(*store_).load(TxnNo{1});
    wire::Transaction odd = made;
    odd.ops[0].changes[0].new_value = t(std::string_view("bad\xff", 4));
    Bytes body;
    Writer out(body);
    wire::put_op_body(out, odd.ops[0]);
    auto put = store_->db().prepare("UPDATE skerry_op SET body = ?1");
    ASSERT_TRUE(put->bind_blob(1, body).run());
    settle({rejected(1, Code::kValueInvalid, "house.notes is not UTF-8")});
    ASSERT_TRUE(drafts().get(1));
    ASSERT_TRUE(drafts().edit(1, "house", "a", {{"notes", t("good")}}));
    EXPECT_TRUE(drafts().retry(1));
}

TEST_F(DraftsTest, P_33_each_draft_is_told_once_also_across_restarts) {
    sql("UPDATE house SET people = 50");
    settle({rejected(1)});
    EXPECT_EQ(drafts().take_untold()->size(), 1u);
    EXPECT_EQ(drafts().take_untold()->size(), 0u);
    open();
    EXPECT_EQ(drafts().take_untold()->size(), 0u);
    sql("UPDATE house SET people = 51");
    sql("UPDATE house SET people = 52");
    settle({rejected(2), rejected(3)});
    open();
    EXPECT_EQ(drafts().take_untold()->size(), 2u);
}

TEST_F(DraftsTest, P_38_a_row_says_where_it_stands_and_since_when) {
    EXPECT_EQ(state("house", "a"), "synced");
    EXPECT_EQ(row_state(*store_, "house", "a")->at, "2023-11-14T22:13:20.000000Z");
    EXPECT_EQ(state("house", "nobody"), "not_found");
    clock_.now += std::chrono::seconds(5);
    sql("UPDATE house SET people = 50");
    EXPECT_EQ(state("house", "a"), "pending");
    EXPECT_EQ(row_state(*store_, "house", "a")->at, "2023-11-14T22:13:25.000000Z");
    EXPECT_EQ(row_state(*store_, "house", "a")->transaction, 1u);
    ASSERT_TRUE(Journal(*store_).mark_sent({applied(1)}));
    EXPECT_EQ(state("house", "a"), "sending");
    auto other = foreign();
    ASSERT_TRUE(other.exec("UPDATE house SET people = 51"));
    EXPECT_EQ(state("house", "a"), "pending") << "what is newest and unsent";
    settle({applied(1), rejected(2)});
    EXPECT_EQ(state("house", "a"), "rejected");
    ASSERT_TRUE(drafts().discard(2));
    EXPECT_EQ(state("house", "a"), "synced");
}

TEST_F(DraftsTest, the_log_has_every_transaction_made_here_newest_first) {
    sql("UPDATE house SET people = 2");
    sql("INSERT INTO visit VALUES('v', 'a', 'k')");
    sql("UPDATE house SET people = 50");
    ASSERT_TRUE(Journal(*store_).mark_sent({applied(1), applied(2)}));
    settle({applied(1)});
    sql("UPDATE house SET people = 51");
    const auto all = log(*store_, {});
    ASSERT_TRUE(all && all->size() == 4);
    std::string text;
    for (const LogEntry& entry : *all) text += std::to_string(entry.transaction) + " " + entry.state + " " + entry.verdict + "; ";
    EXPECT_EQ(text, "4 pending ; 3 pending ; 2 sent ; 1 settled applied; ");
    const auto one = log(*store_, {.entity = "house", .key = "a", .limit = 2});
    ASSERT_TRUE(one && one->size() == 2);
    EXPECT_EQ((*one)[1].transaction, 3u);
    EXPECT_EQ((*one)[1].changes[0].fields[0].now, n(50));
    EXPECT_EQ(log(*store_, {.entity = "cart"}).error().code, Code::kNotFound);
}

TEST_F(DraftsTest, pitfall_15_a_rejected_number_is_never_used_again) {
    sql("UPDATE house SET people = 50");
    settle({rejected(1)});
    sql("UPDATE house SET name = 'later'");
    ASSERT_TRUE(drafts().retry(1));
    EXPECT_EQ(*store_->meta().next_no(), TxnNo{4});
    EXPECT_EQ(ops(3), "U house a people:1->50");
}

TEST_F(DraftsTest, drafts_of_an_earlier_identity_stay_and_have_names_of_their_own) {
    sql("UPDATE house SET people = 50");
    settle({rejected(1)});
    ASSERT_TRUE(Journal(*store_).take_new_identity());
    sql("UPDATE house SET people = 60");
    settle({rejected(1)});
    const auto list = drafts().list();
    ASSERT_TRUE(list && list->size() == 2);
    EXPECT_EQ((*list)[1].number, 2u);
    EXPECT_EQ((*list)[1].transaction, 1u);
    ASSERT_TRUE(drafts().retry(1));
    EXPECT_TRUE(Journal(*store_).load(TxnNo{2})->redo_of.empty()) << "the server knows it under another device";
    ASSERT_TRUE(drafts().retry(2));
    EXPECT_EQ(Journal(*store_).load(TxnNo{3})->redo_of, std::vector<TxnNo>{TxnNo{1}});
}

}  // namespace
}  // namespace skerry::store
