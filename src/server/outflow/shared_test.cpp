// What may be shared is the same for all who share it, and goes with the state that it is of.
#include "server/outflow/shared.hpp"

#include <gtest/gtest.h>

#include "server/outflow/limits.hpp"

namespace skerry::server::outflow {
namespace {

const storage::ViewOf kState{1, 7};
const storage::Mark kLast{Seq{5}, 55};

scopes::Cursor cursor_at(std::uint64_t seq, std::uint64_t mark, std::uint64_t grants) {
    scopes::Cursor cursor;
    cursor.at = storage::Mark{Seq{seq}, mark};
    cursor.grants = grants;
    return cursor;
}

std::shared_ptr<const scopes::Grants> some_grants() { return std::make_shared<const scopes::Grants>(); }

TEST(Shared, is_of_one_state_and_forgets_it_when_another_begins) {
    Shared shared;
    EXPECT_FALSE(shared.last(kState));
    shared.begin(kState, kLast);
    EXPECT_EQ(shared.last(kState), kLast);
    EXPECT_FALSE(shared.last({1, 8}));
    EXPECT_FALSE(shared.last({2, 7})) << "another reader counts for itself";
    const access::Principal anna{"anna", {}};
    shared.keep({anna, {}}, Micros(0), some_grants());
    shared.keep(cursor_at(3, 33, 9), true);
    shared.keep(cursor_at(3, 33, 9), Shared::Delta{1, "frames"});
    EXPECT_TRUE(shared.continues(cursor_at(3, 33, 9)));
    ASSERT_NE(shared.delta(cursor_at(3, 33, 9)), nullptr);
    shared.begin({1, 8}, kLast);
    EXPECT_EQ(shared.grants({anna, {}}, Micros(0)), nullptr);
    EXPECT_FALSE(shared.continues(cursor_at(3, 33, 9)));
    EXPECT_EQ(shared.delta(cursor_at(3, 33, 9)), nullptr);
}

TEST(Shared, a_delta_is_for_the_same_place_and_the_same_grants) {
    Shared shared;
    shared.begin(kState, kLast);
    shared.keep(cursor_at(3, 33, 9), Shared::Delta{1, "frames"});
    EXPECT_EQ(shared.delta(cursor_at(3, 33, 9))->frames, "frames");
    EXPECT_EQ(shared.delta(cursor_at(4, 33, 9)), nullptr);
    EXPECT_EQ(shared.delta(cursor_at(3, 34, 9)), nullptr) << "another batch of that number";
    EXPECT_EQ(shared.delta(cursor_at(3, 33, 8)), nullptr);
}

TEST(Shared, grants_are_of_one_principal_with_what_he_has_chosen_and_for_a_second) {
    Shared shared;
    shared.begin(kState, kLast);
    const access::Principal anna{"anna", {{"region", "north"}}};
    const std::vector<wire::Chosen> chosen{{"sites", {"a", "b"}}};
    const auto grants = some_grants();
    shared.keep({anna, chosen}, Micros(0), grants);
    EXPECT_EQ(shared.grants({anna, chosen}, kGrantsFor - Micros(1)), grants);
    EXPECT_EQ(shared.grants({anna, chosen}, kGrantsFor), nullptr);
    const access::Principal bert{"bert", {{"region", "north"}}};
    const access::Principal south{"anna", {{"region", "south"}}};
    const access::Principal other_claim{"anna", {{"regionnorth", ""}}};
    const std::vector<wire::Chosen> one{{"sites", {"ab"}}};
    const std::vector<wire::Chosen> two{{"sites", {"a"}}, {"b", {}}};
    for (const scopes::Who& who : {scopes::Who{bert, chosen}, {south, chosen}, {other_claim, chosen}, {anna, one}, {anna, two}, {anna, {}}})
        EXPECT_EQ(shared.grants(who, Micros(0)), nullptr);
}

TEST(Shared, keeps_a_bounded_amount) {
    Shared shared;
    shared.begin(kState, kLast);
    const Bytes frames(kSharedDeltaMax, 'x');
    for (std::uint64_t i = 1; i <= kSharedBytesMax / kSharedDeltaMax; ++i) shared.keep(cursor_at(i, i, 9), Shared::Delta{1, frames});
    EXPECT_NE(shared.delta(cursor_at(1, 1, 9)), nullptr);
    shared.keep(cursor_at(10'000, 1, 9), Shared::Delta{1, frames});
    EXPECT_EQ(shared.delta(cursor_at(1, 1, 9)), nullptr);
    EXPECT_NE(shared.delta(cursor_at(10'000, 1, 9)), nullptr);
}

}  // namespace
}  // namespace skerry::server::outflow
