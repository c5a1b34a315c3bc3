#include "merge/last.hpp"

#include <gtest/gtest.h>

#include "model/value.hpp"

namespace skerry::merge {
namespace {

const std::vector<Value> kValues{Null{}, std::int64_t{0}, std::int64_t{1}, std::string(), std::string("0"), std::string("a")};

template <class Law>
void for_all(Law law) {
    for (const Value& old_value : kValues)
        for (const Value& mine : kValues)
            for (const Value& current : kValues) {
                SCOPED_TRACE("old " + model::to_text(old_value) + ", mine " + model::to_text(mine) + ", current " +
                             model::to_text(current));
                law(old_value, mine, current);
            }
}

TEST(Last, mine_is_there_afterwards_whatever_was) {
    for_all([](const Value& old_value, const Value& mine, const Value& current) {
        const LastOutput out = last({old_value, mine, current, std::nullopt});
        EXPECT_EQ(out.write ? mine : current, mine);
    });
}

TEST(Last, nothing_of_somebody_else_is_displaced_without_history) {
    for_all([](const Value& old_value, const Value& mine, const Value& current) {
        const LastOutput out = last({old_value, mine, current, std::nullopt});
        EXPECT_EQ(out.to_history, current != old_value && current != mine);
    });
}

TEST(Last, a_second_arrival_changes_nothing) {
    for_all([](const Value& old_value, const Value& mine, const Value&) {
        EXPECT_EQ(last({old_value, mine, mine, std::nullopt}), LastOutput{});
    });
}

TEST(Last, pitfall_12_in_a_chain_only_what_the_predecessor_left_counts) {
    for_all([](const Value& old_value, const Value& mine, const Value& current) {
        EXPECT_FALSE(last({old_value, mine, current, value_hash(current)}).to_history);
        const Value other{std::string("left by the predecessor, overwritten since")};
        EXPECT_EQ(last({old_value, mine, current, value_hash(other)}).to_history, current != mine);
    });
}

TEST(Last, values_of_different_types_have_different_names) {
    for (const Value& a : kValues)
        for (const Value& b : kValues) EXPECT_EQ(value_hash(a) == value_hash(b), a == b);
}

}  // namespace
}  // namespace skerry::merge
