// What a person is told of a row and of a list: where it stands, why it is gone, how fresh it is; and what the app chose.
#include "store/freshness.hpp"

#include "store/activity.hpp"
#include "store/chosen.hpp"
#include "store/left.hpp"
#include "store/testing.hpp"

namespace skerry::store {
namespace {

using model::Download;
using wire::Outcome;
using wire::Verdict;

model::Model model_of_profiles() {
    model::Model model = test_model();
    model.principal.push_back({"opened", model::PrincipalKind::kChosen, {}});
    model.principal.push_back({"wanted", model::PrincipalKind::kChosen, {}});
    model.principal.push_back({"role", model::PrincipalKind::kClaim, {}});
    model.profiles.push_back({"field", {{.entity = {0}, .download = Download::kNever}, {.entity = {1}}}});
    return model;
}

class Freshly : public StoreTest {
  protected:
    Freshly() : StoreTest(model_of_profiles()) {}
    static Outcome verdict(std::uint64_t no, Verdict said) { return {{no}, said, Code::kKeyTaken, {no}, ""}; }
    std::string state(std::string_view entity, std::string_view key) {
        const auto row = row_state(*store_, entity, key);
        if (!row) return std::string(code_name(row.error().code));
        return row->state + (row->left.empty() ? "" : " left " + row->left);
    }
    static Piece complete(std::uint64_t scope) {
        return piece([&](Bytes& out) { wire::put_number(out, wire::FrameType::kComplete, scope); });
    }
    static std::vector<wire::ScopeInfo> keyed() { return {{{70'000}, "house/a", {1}, false}}; }
};

TEST_F(Freshly, P_36_a_row_tells_where_it_stands) {
    apply({.scopes = keyed()}, {house("a", "x", 1, {{70'000}})});
    EXPECT_EQ(state("house", "a"), "synced");
    EXPECT_EQ(state("house", "nobody"), "not_found");
    sql("UPDATE house SET name = 'mine' WHERE id = 'a'");
    sql("INSERT INTO house VALUES('b', 'refused', 1)");
    EXPECT_EQ(state("house", "a"), "pending");
    ASSERT_TRUE(Journal(*store_).mark_sent({verdict(1, Verdict::kApplied)}));
    EXPECT_EQ(state("house", "a"), "sending");
    apply({.outcomes = {verdict(1, Verdict::kApplied), verdict(2, Verdict::kRejected)}, .token = "two"}, {house("a", "mine", 1)});
    EXPECT_EQ(state("house", "a"), "synced");
    EXPECT_EQ(state("house", "b"), "rejected") << "a draft, and no row that has left";
    sql("INSERT INTO site VALUES('here', 'only here')");
    EXPECT_EQ(state("site", "here"), "local");
}

TEST_F(Freshly, pitfall_27_a_row_that_went_tells_why_until_it_is_back) {
    apply({.scopes = keyed()}, {house("dead", "x", 1, {{70'000}}), house("moved", "x", 1, {{70'000}}), house("lost", "x", 1, {{70'000}})});
    sql("INSERT INTO house VALUES('outside', 'x', 1)");
    auto report = apply({.outcomes = {verdict(1, Verdict::kApplied)}, .token = "two"}, {leave("dead", {70'000}),
        piece([](Bytes& out) { wire::put(out, wire::Leaves{{1}, {70'000}, {"moved"}, wire::Left::kMoved}); })});
    EXPECT_EQ(report.left.deleted, 1u);
    EXPECT_EQ(report.left.moved, 1u);
    EXPECT_EQ(report.left.outside, 1u);
    EXPECT_EQ(report.left.lost, 0u);
    report = apply({.token = "three"}, {piece([](Bytes& out) { wire::put_number(out, wire::FrameType::kLostScope, 70'000); })});
    EXPECT_EQ(report.left.lost, 1u);
    EXPECT_EQ(rows("SELECT count(*) FROM house"), "0");
    for (const char* why : {"moved", "lost", "outside"}) EXPECT_EQ(state("house", why), "left left " + std::string(why));
    EXPECT_EQ(state("house", "dead"), "left left deleted");
    apply({.scopes = {{{70'001}, "house/b", {1}, false}}, .token = "four"}, {house("moved", "x", 1, {{70'001}})});
    EXPECT_EQ(state("house", "moved"), "synced");
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_left"), "3");
}

TEST_F(Freshly, a_row_that_left_with_a_change_of_ours_is_pending_and_left) {
    apply({.scopes = keyed()}, {house("a", "x", 1, {{70'000}})});
    sql("UPDATE house SET name = 'mine'");
    apply({.token = "two"}, {leave("a", {70'000})});
    EXPECT_EQ(state("house", "a"), "pending left deleted");
}

TEST_F(Freshly, of_what_left_only_the_newest_is_remembered) {
    std::vector<Piece> pieces;
    for (int i = 0; i < 12'000; ++i) pieces.push_back(house("k" + std::to_string(100'000 + i), "x", 1, {{70'000}}));
    apply({.scopes = keyed()}, pieces);
    const auto report = apply({.token = "two"}, {piece([](Bytes& out) { wire::put_number(out, wire::FrameType::kLostScope, 70'000); })});
    EXPECT_EQ(report.left.lost, 12'000u);
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_left"), std::to_string(kLeftKept));
}

TEST_F(Freshly, P_39_a_list_is_as_fresh_as_the_last_checkpoint_that_caught_up) {
    const std::vector<EntityIx> house{{1}};
    const std::vector<EntityIx> site{{0}};
    EXPECT_FALSE(freshness(*store_, house)->complete);
    EXPECT_TRUE(freshness(*store_, site)->complete) << "never downloaded: what is here is all there is";
    apply({.scopes = {{{2}, "entity/house", {1}, true}}});
    EXPECT_FALSE(freshness(*store_, house)->complete) << "still downloading";
    EXPECT_EQ(freshness(*store_, house)->as_of_us, std::nullopt);
    clock_.now += Micros{5};
    apply({.token = "two"}, {complete(2)});
    sql("INSERT INTO house VALUES('a', 'x', 1)");
    sql("UPDATE house SET name = 'y'");
    clock_.now += Micros{7};
    const auto fresh = freshness(*store_, house);
    EXPECT_TRUE(fresh->complete);
    EXPECT_EQ(fresh->as_of_us, 1'700'000'000'000'005);
    EXPECT_EQ(fresh->pending, 2u);
    EXPECT_EQ(freshness(*store_, site)->pending, 0u);
    EXPECT_EQ(incomplete(*store_)->size(), 0u) << "conflict records: no scope is granted, nothing is missing";
}

TEST_F(Freshly, what_is_chosen_is_kept_and_replaced_by_name) {
    ASSERT_TRUE(choose(*store_, "opened", {"s2", "s1", "s2"}));
    ASSERT_TRUE(choose(*store_, "wanted", {"w"}));
    open();
    EXPECT_EQ(*chosen(*store_), (std::vector<wire::Chosen>{{"opened", {"s1", "s2"}}, {"wanted", {"w"}}}));
    ASSERT_TRUE(choose(*store_, "opened", {}));
    EXPECT_EQ(*chosen(*store_), (std::vector<wire::Chosen>{{"wanted", {"w"}}}));
}

TEST_F(Freshly, what_cannot_be_chosen_is_refused_by_name) {
    const auto refused = choose(*store_, "role", {"lead"});
    EXPECT_EQ(refused.error().code, Code::kNotFound) << "said by the token, not by the app";
    EXPECT_NE(refused.error().message.find("opened, wanted"), std::string::npos) << refused.error().message;
    EXPECT_EQ(choose(*store_, "opened", {std::string(kChosenValueBytesMax + 1, 'x')}).error().code, Code::kInvalidArgument);
    EXPECT_EQ(choose(*store_, "opened", {"\xff"}).error().code, Code::kInvalidArgument);
    std::vector<std::string> many;
    for (std::size_t i = 0; i < wire::kChosenMax; ++i) many.push_back(std::to_string(i));
    ASSERT_TRUE(choose(*store_, "opened", many));
    EXPECT_EQ(choose(*store_, "wanted", {"one more"}).error().code, Code::kInvalidArgument);
    EXPECT_EQ(chosen(*store_)->size(), 1u);
}

}  // namespace
}  // namespace skerry::store
