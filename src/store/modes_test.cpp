// What a profile says of an entity besides which rows come: rows that are cleared, that stay as they are, that are never sent.
#include "store/modes.hpp"

#include "store/activity.hpp"
#include "store/testing.hpp"

namespace skerry::store {
namespace {

using model::Download;
using wire::Outcome;
using wire::Verdict;

// site has the mode; house is downloaded whole and refers to sites.
model::Profile profile(std::string name, Download site) {
    return {std::move(name), {{.entity = {0}, .download = site}, {.entity = {1}}}};
}
model::Model model_with(Download first) {
    model::Model model = test_model();
    model.entities[1].attributes.push_back({.name = "site", .references = EntityIx{0}});
    model.profiles = {profile("first", first), profile("all", Download::kAll), profile("never", Download::kNever),
                      profile("preserve", Download::kNonePreserve)};
    return model;
}

class ModesTest : public StoreTest {
  protected:
    explicit ModesTest(Download mode) : StoreTest(model_with(mode)) {}
    static Outcome applied(std::uint64_t no) { return {{no}, Verdict::kApplied, Code::kInternal, {}, ""}; }
    static Outcome rejected(std::uint64_t no) { return {{no}, Verdict::kRejected, Code::kKeyTaken, {no}, "taken"}; }
    static wire::ScopeInfo house_scope() { return {{2}, "entity/house", {1}, true}; }
    static wire::ScopeInfo site_scope() { return {{1}, "entity/site", {0}, true}; }
    Piece site(std::string key, std::string name) { return row("site", std::move(key), {Value{std::move(name)}}); }
    Piece sites(std::vector<wire::RowEntry> entries) {
        return piece([&](Bytes& out) { wire::put(out, wire::Slice{{0}, {{1}}, "", std::nullopt, entries}); });
    }
};

struct NoneClear : ModesTest {
    NoneClear() : ModesTest(Download::kNoneClear) {}
};
struct NonePreserve : ModesTest {
    NonePreserve() : ModesTest(Download::kNonePreserve) {}
};
struct Never : ModesTest {
    Never() : ModesTest(Download::kNever) {}
};

TEST_F(NoneClear, M_3_what_is_uploaded_is_cleared_and_what_is_not_stays) {
    apply({.scopes = {house_scope()}});
    sql("INSERT INTO site VALUES('a', 'sent')");
    sql("INSERT INTO site VALUES('b', 'not yet')");
    sql("INSERT INTO site VALUES('c', 'refused')");
    const auto report = apply({.outcomes = {applied(1)}, .token = "two"});
    EXPECT_EQ(rows("SELECT id FROM site ORDER BY id"), "'b'; 'c'") << "everything is uploaded before it is cleared";
    EXPECT_EQ(report.left.outside, 1u);
    apply({.outcomes = {applied(2), rejected(3)}, .token = "three"});
    EXPECT_EQ(rows("SELECT count(*) FROM site"), "0");
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_base_site"), "0");
    EXPECT_EQ(rows("SELECT no, state FROM skerry_draft"), "3,1") << "what failed stays, as a draft with its content";
}

TEST_F(NoneClear, M_3_a_row_stays_until_its_last_change_is_uploaded) {
    apply({.scopes = {house_scope()}});
    sql("INSERT INTO site VALUES('a', 'x')");
    sql("UPDATE site SET name = 'y'");
    apply({.outcomes = {applied(1)}, .token = "two"});
    EXPECT_EQ(rows("SELECT name FROM site"), "'y'");
    apply({.outcomes = {applied(2)}, .token = "three"});
    EXPECT_EQ(rows("SELECT count(*) FROM site"), "0");
}

TEST_F(NonePreserve, M_4_rows_stay_as_they_are_whatever_becomes_of_them_on_the_server) {
    apply({.scopes = {house_scope()}});
    sql("INSERT INTO site VALUES('a', 'x')");
    sql("INSERT INTO site VALUES('b', 'x')");
    sql("UPDATE site SET name = 'y' WHERE id = 'a'");
    apply({.outcomes = {applied(1), applied(2)}, .token = "two"});
    EXPECT_EQ(rows("SELECT id, name FROM site"), "'a','y'; 'b','x'");
    apply({.outcomes = {{{3}, Verdict::kConflict, Code::kBothChanged, {}, ""}}, .token = "three"});
    EXPECT_EQ(rows("SELECT id, name FROM site"), "'a','y'; 'b','x'");
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_base_site"), "0");
    sql("UPDATE site SET name = 'refused' WHERE id = 'b'");
    sql("DELETE FROM site WHERE id = 'a'");
    apply({.outcomes = {rejected(4), applied(5)}, .token = "four"});
    EXPECT_EQ(rows("SELECT id, name FROM site"), "'b','x'") << "the refused change is a draft";
    apply({.scopes = {house_scope()}, .verify = true, .token = "five"});
    EXPECT_EQ(rows("SELECT id, name FROM site"), "'b','x'") << "survives a rebuild";
}

TEST_F(NonePreserve, M_4_rows_stay_when_the_profile_stops_downloading_them) {
    apply({.scopes = {house_scope(), site_scope()}, .profile = "all"}, {site("a", "x")});
    const auto report = apply({.token = "two", .profile = "preserve"}, {lost(1)});
    EXPECT_EQ(rows("SELECT id FROM site"), "'a'");
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_scope_row"), "0");
    EXPECT_EQ(report.left.lost, 0u);
}

TEST_F(Never, M_5_nothing_goes_up_or_down_unless_it_is_asked_for) {
    apply({.scopes = {house_scope()}});
    sql("INSERT INTO site VALUES('a', 'x')");
    sql("INSERT INTO site VALUES('b', 'x')");
    sql("UPDATE site SET name = 'y' WHERE id = 'a'");
    sql("DELETE FROM site WHERE id = 'b'");
    EXPECT_EQ(transactions(), 0);
    open();
    EXPECT_EQ(transactions(), 0) << "a start numbers what is open, but not these";
    apply({.scopes = {house_scope()}, .verify = true, .token = "two"});
    EXPECT_EQ(rows("SELECT id, name FROM site"), "'a','y'");
    EXPECT_EQ(row_state(*store_, "site", "a")->state, "local");
    ASSERT_TRUE(*store_->number_kept({0}));
    EXPECT_EQ(ops(1), "I site a 'y'") << "the net of all, as one insert; what came and went is nothing";
    EXPECT_FALSE(*store_->number_kept({0}));
    apply({.outcomes = {applied(1)}, .token = "three"});
    EXPECT_EQ(rows("SELECT id, name FROM site"), "'a','y'") << "settled, and here still";
    sql("DELETE FROM site");
    EXPECT_EQ(transactions(), 0) << "deletions are ignored too";
    ASSERT_TRUE(*store_->number_kept({0}));
    EXPECT_EQ(ops(2), "D site a");
}

TEST_F(Never, M_5_a_transaction_that_touches_both_kinds_sends_its_other_part) {
    apply({.scopes = {house_scope()}});
    in_one({"INSERT INTO site VALUES('s', 'x')", "INSERT INTO house VALUES('h', 'x', 1, 's')"});
    EXPECT_EQ(ops(1), "I house h 'x' 1 's'");
    EXPECT_EQ(transactions(), 1);
    EXPECT_EQ(rows("SELECT id FROM site"), "'s'");
    sql("UPDATE house SET name = 'y'");
    EXPECT_EQ(ops(2), "U house h name:'x'->'y'<1 needs 1");
}

TEST_F(Never, M_5_what_was_kept_does_not_count_against_the_size_of_a_transaction) {
    apply({.scopes = {house_scope()}});
    for (int part = 0; part < 2; ++part)
        sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) INSERT INTO site SELECT '" + std::to_string(part) +
            "-' || i, 'x' FROM n");
    sql("INSERT INTO house VALUES('h', 'x', 1, NULL)");
    EXPECT_EQ(transactions(), 1);
    ASSERT_TRUE(*store_->number_kept({0}));
    EXPECT_EQ(transactions(), 1 + 60'000 / static_cast<std::int64_t>(kKeptRowsMax));
    EXPECT_EQ(rows("SELECT count(*), count(DISTINCT key) FROM skerry_op WHERE entity = 0"), "60000,60000");
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_pre_site"), "0");
}

TEST_F(Never, M_5_live_queries_and_other_programs_see_and_write_it_as_any_table) {
    ASSERT_TRUE(foreign().exec("INSERT INTO site VALUES('f', 'x')"));
    EXPECT_FALSE(*store_->number_open());
    EXPECT_EQ(rows("SELECT value FROM skerry_meta WHERE name = 'changed_0'"), "1");
    EXPECT_FALSE(*store_->number_open());
    EXPECT_EQ(rows("SELECT value FROM skerry_meta WHERE name = 'changed_0'"), "1") << "nothing new";
}

TEST_F(Never, a_profile_that_downloads_it_sends_what_was_kept_before_slices_say_what_is_there) {
    apply({.scopes = {house_scope()}});
    sql("INSERT INTO site VALUES('mine', 'x')");
    apply({.scopes = {site_scope()}, .token = "two", .profile = "all"}, {sites({{"theirs", {}, {Value{std::string("server")}}}})});
    EXPECT_EQ(rows("SELECT id, name FROM site ORDER BY id"), "'mine','x'; 'theirs','server'");
    EXPECT_EQ(ops(1), "I site mine 'x'");
    EXPECT_EQ(rows("SELECT value FROM skerry_meta WHERE name = 'profile'"), "'all'");
    sql("UPDATE site SET name = 'y' WHERE id = 'theirs'");
    EXPECT_EQ(transactions(), 2) << "an ordinary entity from now on";
    apply({.token = "three", .profile = "never"}, {lost(1)});
    EXPECT_EQ(rows("SELECT id, name FROM site ORDER BY id"), "'mine','x'; 'theirs','y'") << "and back: nothing of it is taken away";
    EXPECT_EQ(transactions(), 2) << "what was made as an ordinary change is sent still";
}

TEST_F(Never, a_profile_that_the_model_does_not_know_is_its_first) {
    apply({.scopes = {house_scope()}, .profile = "gone"});
    sql("INSERT INTO site VALUES('a', 'x')");
    EXPECT_EQ(transactions(), 0);
    EXPECT_TRUE(Modes::load(store_->meta(), store_->model())->kept({0}));
}

TEST_F(Never, a_model_that_downloads_it_releases_what_was_kept_under_the_older_one) {
    sql("INSERT INTO site VALUES('a', 'x')");
    EXPECT_EQ(transactions(), 0);
    model::Model next = model_with(Download::kAll);
    next.version = 2;
    next.entities[0].attributes.push_back({.name = "colour", .default_value = Value{std::string("red")}});
    ASSERT_TRUE(store_->adopt_model(next.compile()));
    EXPECT_EQ(ops(1), "I site a 'x' 'red'");
}

TEST_F(Never, a_newer_models_default_is_no_change_to_what_is_kept) {
    apply({.scopes = {house_scope(), site_scope()}, .profile = "all"}, {site("a", "x"), site("b", "x")});
    apply({.token = "two", .profile = "never"}, {lost(1)});
    sql("UPDATE site SET name = 'y' WHERE id = 'a'");
    model::Model next = model_with(Download::kNever);
    next.version = 2;
    next.entities[0].attributes.push_back({.name = "colour", .default_value = Value{std::string("red")}});
    ASSERT_TRUE(store_->adopt_model(next.compile()));
    ASSERT_TRUE(*store_->number_kept({0}));
    EXPECT_EQ(ops(1), "U site a name:'x'->'y'");
}

}  // namespace
}  // namespace skerry::store
