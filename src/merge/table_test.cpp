// The table of chains, cell by cell: what becomes of the second transaction's change on what the first one's result was.
#include <gtest/gtest.h>

#include "merge/merge.hpp"

namespace skerry::merge {
namespace {

using model::Attribute;
using model::Merge;
using model::Type;

const Value kOld{std::string("2026-01-02")};    // what the second transaction was built on, in the author's store
const Value kMine{std::string("2026-01-03")};
const Value kLeft{std::string("2026-01-04")};   // what the first one left on the server
const Value kOther{std::string("2026-01-05")};  // somebody else's, since

struct Cell {
    Merge policy;
    Prior prior;
    const Value& current;
    Output expected;
};

const Output kNothing{};
const Output kAsMeant{Decision::kWrite, kMine, false, false};
const Output kOverHistory{Decision::kWrite, kMine, true, true};
const Output kLost{Decision::kLose, {}, false, true};
const Output kAsked{Decision::kAsk, {}, false, false};

Attribute with(Merge policy, Type type = Type::kText) {
    Attribute attribute{"a", type};
    attribute.merge = policy;
    return attribute;
}

void expect(const std::vector<Cell>& cells) {
    for (const Cell& cell : cells) {
        SCOPED_TRACE(std::string(model::merge_name(cell.policy)) + ", prior " + std::to_string(static_cast<int>(cell.prior)) + ", current " +
                     model::to_text(cell.current));
        std::optional<std::uint64_t> left;
        if (cell.prior != Prior::kNone) left = model::value_hash(kLeft);
        const auto out = merge(with(cell.policy), {kOld, kMine, cell.current, std::nullopt, cell.prior, left});
        ASSERT_TRUE(out) << describe(out.error());
        EXPECT_EQ(*out, cell.expected);
        // What was not written left nothing of its own: that is not asked for.
        if (cell.prior == Prior::kLost || cell.prior == Prior::kDecided) {
            EXPECT_EQ(*merge(with(cell.policy), {kOld, kMine, cell.current, std::nullopt, cell.prior, std::nullopt}), cell.expected);
        }
    }
}

TEST(Table, without_a_predecessor_old_decides) {
    expect({
        {Merge::kLast, Prior::kNone, kOld, kAsMeant},
        {Merge::kLast, Prior::kNone, kOther, kOverHistory},
        {Merge::kFirst, Prior::kNone, kOld, kAsMeant},
        {Merge::kFirst, Prior::kNone, kOther, kLost},
        {Merge::kMax, Prior::kNone, kOld, kAsMeant},
        {Merge::kMax, Prior::kNone, kOther, kLost},
        {Merge::kMin, Prior::kNone, kOld, kAsMeant},
        {Merge::kMin, Prior::kNone, kOther, kOverHistory},
        {Merge::kAsk, Prior::kNone, kOld, kAsMeant},
        {Merge::kAsk, Prior::kNone, kOther, kAsked},
        {Merge::kText, Prior::kNone, kOld, kAsMeant},
        {Merge::kText, Prior::kNone, kOther, kAsked},
    });
}

TEST(Table, pitfall_12_after_a_written_predecessor_what_it_left_decides_and_old_does_not) {
    for (const Prior written : {Prior::kApplied, Prior::kMerged})
        expect({
            {Merge::kLast, written, kLeft, kAsMeant},
            {Merge::kLast, written, kOther, kOverHistory},
            {Merge::kLast, written, kOld, kOverHistory},
            {Merge::kFirst, written, kLeft, kAsMeant},
            {Merge::kFirst, written, kOther, kLost},
            {Merge::kFirst, written, kOld, kLost},
            {Merge::kMax, written, kLeft, kAsMeant},
            {Merge::kMax, written, kOther, kLost},
            {Merge::kMax, written, kOld, kOverHistory},
            {Merge::kMin, written, kLeft, kAsMeant},
            {Merge::kMin, written, kOther, kOverHistory},
            {Merge::kMin, written, kOld, kLost},
            {Merge::kAsk, written, kLeft, kAsMeant},
            {Merge::kAsk, written, kOther, kAsked},
            {Merge::kAsk, written, kOld, kAsked},
        });
    expect({
        {Merge::kText, Prior::kApplied, kLeft, kAsMeant},
        {Merge::kText, Prior::kApplied, kOther, kAsked},
        {Merge::kText, Prior::kMerged, kLeft, kAsked},  // T1 merged: three-way, and all three differ
    });
}

TEST(Table, pitfall_13_a_loss_is_inherited_even_where_current_equals_old_by_accident) {
    for (const Prior lost : {Prior::kLost, Prior::kDecided})
        expect({
            {Merge::kFirst, lost, kLeft, kLost},
            {Merge::kFirst, lost, kOld, kLost},
            {Merge::kAsk, lost, kLeft, kAsked},
            {Merge::kAsk, lost, kOld, kAsked},
            {Merge::kLast, lost, kLeft, kOverHistory},
            {Merge::kLast, lost, kOld, kOverHistory},
            {Merge::kLast, lost, kOther, kOverHistory},
            {Merge::kMax, lost, kLeft, kLost},
            {Merge::kMin, lost, kLeft, kOverHistory},
            {Merge::kText, lost, kLeft, kAsked},
        });
}

TEST(Table, what_is_there_already_is_nothing_to_do_for_value_policies) {
    for (const Merge policy : {Merge::kLast, Merge::kFirst, Merge::kMax, Merge::kMin, Merge::kAsk, Merge::kText})
        for (const Prior prior : {Prior::kNone, Prior::kApplied, Prior::kMerged, Prior::kLost, Prior::kDecided})
            expect({{policy, prior, kMine, kNothing}});
}

TEST(Table, a_written_predecessor_of_which_it_is_not_known_what_it_left_counts_as_none) {
    for (const Merge policy : {Merge::kLast, Merge::kFirst, Merge::kMax, Merge::kMin, Merge::kAsk, Merge::kText}) {
        for (const Prior written : {Prior::kApplied, Prior::kMerged}) {
            EXPECT_EQ(*merge(with(policy), {kOld, kMine, kOld, std::nullopt, written, std::nullopt}), kAsMeant);
            EXPECT_EQ(*merge(with(policy), {kOld, kMine, kOther, std::nullopt, written, std::nullopt}),
                      *merge(with(policy), {kOld, kMine, kOther, std::nullopt, Prior::kNone, std::nullopt}));
        }
    }
}

TEST(Table, an_old_value_that_travelled_as_a_hash_is_compared_by_it) {
    const Value blob{Blob{1, 2, 3}};
    const Value other{Blob{3, 2, 1}};
    const Value mine{Blob{7}};
    const Value gone{Null{}};
    EXPECT_EQ(*merge(with(Merge::kFirst, Type::kBlob), {gone, mine, blob, model::value_hash(blob), Prior::kNone, std::nullopt}),
              (Output{Decision::kWrite, mine, false, false}));
    EXPECT_EQ(*merge(with(Merge::kFirst, Type::kBlob), {gone, mine, other, model::value_hash(blob), Prior::kNone, std::nullopt}), kLost);
    EXPECT_EQ(*merge(with(Merge::kLast, Type::kBlob), {gone, mine, other, model::value_hash(blob), Prior::kNone, std::nullopt}),
              (Output{Decision::kWrite, mine, true, true}));
}

TEST(Table, text_after_a_merged_predecessor_takes_only_the_new_words) {
    // T1 turned "red" to "green" while another added a word; T2, made offline, adds one too. What T1 mixed is its author's.
    const Value old_value{std::string("green house")};
    const Value mine{std::string("green house, small")};
    const Value left{std::string("the green house")};
    for (const Prior prior : {Prior::kMerged, Prior::kLost, Prior::kDecided})
        EXPECT_EQ(*merge(with(Merge::kText), {old_value, mine, left, std::nullopt, prior, model::value_hash(left)}),
                  (Output{Decision::kWrite, std::string("the green house, small"), false, true}))
            << static_cast<int>(prior);
}

// What the author has not seen stays, however long his chain is.
TEST(Table, pitfall_13_a_chain_on_a_merged_text_never_drops_the_words_of_others) {
    const Attribute text = with(Merge::kText);
    Value current{std::string("a B")};  // another made it of "a b"
    Prior prior = Prior::kNone;
    std::optional<std::uint64_t> left;
    const std::vector<std::string> seen{"a b", "A b", "A b c", "A b c d", "A b c d e"};
    for (std::size_t i = 1; i < seen.size(); ++i) {
        const Value old_value{seen[i - 1]}, mine{seen[i]};
        const auto out = merge(text, {old_value, mine, current, std::nullopt, prior, left});
        ASSERT_TRUE(out);
        if (out->decision == Decision::kWrite) current = out->value;
        prior = out->merged ? Prior::kMerged : Prior::kApplied;
        left = model::value_hash(current);
    }
    EXPECT_EQ(current, Value{std::string("A B c d e")});
}

// What the verdict is called apart, a difference does not ask what became of the one before.
TEST(Table, pitfall_1_counters_and_sets_apply_their_own_difference_whatever_the_predecessor_was) {
    Attribute count = with(Merge::kCounter, Type::kInt);
    Attribute tags = with(Merge::kSet, Type::kSet);
    const Value five{std::int64_t{5}};
    const Value six{std::int64_t{6}};
    const Value old_set{std::string(R"(["a","b"])")};
    const Value my_set{std::string(R"(["b","c"])")};
    const Value their_set{std::string(R"(["a","b","d"])")};
    for (const Prior prior : {Prior::kNone, Prior::kApplied, Prior::kMerged, Prior::kLost, Prior::kDecided}) {
        std::optional<std::uint64_t> left;
        if (prior != Prior::kNone) left = model::value_hash(five);
        const auto sum = merge(count, {five, six, six, std::nullopt, prior, left});
        ASSERT_TRUE(sum);
        EXPECT_EQ(*sum, (Output{Decision::kWrite, std::int64_t{7}, false, true}));
        if (prior != Prior::kNone) left = model::value_hash(old_set);
        const auto both = merge(tags, {old_set, my_set, their_set, std::nullopt, prior, left});
        ASSERT_TRUE(both);
        EXPECT_EQ(*both, (Output{Decision::kWrite, std::string(R"(["b","c","d"])"), false, true}));
    }
}

TEST(Table, a_counter_on_what_the_predecessor_left_is_not_merged) {
    const Value nine{std::int64_t{9}};
    const auto out = merge(with(Merge::kCounter, Type::kInt),
                           {std::int64_t{6}, std::int64_t{7}, nine, std::nullopt, Prior::kApplied, model::value_hash(nine)});
    ASSERT_TRUE(out);
    EXPECT_EQ(*out, (Output{Decision::kWrite, std::int64_t{10}, false, false}));
}

TEST(Table, a_sum_that_leaves_the_type_is_refused_by_name_and_stays_at_its_end_on_the_device) {
    const Attribute count = with(Merge::kCounter, Type::kInt);
    Attribute money = with(Merge::kCounter, Type::kDecimal);
    money.precision = 4;
    money.scale = 2;
    const Value zero{std::int64_t{0}};
    const Value one{std::int64_t{1}};
    const Value high{std::int64_t{INT64_MAX}};
    const Value low{std::int64_t{INT64_MIN}};
    const auto refused = [](const Attribute& a, const Value& old_value, const Value& mine, const Value& current) {
        const auto out = merge(a, {old_value, mine, current, std::nullopt, Prior::kNone, std::nullopt});
        return !out && out.error().code == Code::kValueInvalid;
    };
    EXPECT_TRUE(refused(count, zero, one, high));
    EXPECT_TRUE(refused(count, one, zero, low));
    EXPECT_TRUE(refused(count, low, high, one));
    EXPECT_TRUE(refused(money, zero, one, std::int64_t{9999}));
    EXPECT_FALSE(refused(money, zero, one, std::int64_t{9998}));
    EXPECT_FALSE(refused(count, high, std::int64_t{INT64_MIN + 1}, std::int64_t{INT64_MAX - 1}));  // on the way beyond 64 bits
    EXPECT_EQ(rebase(count, zero, one, high), high);
    EXPECT_EQ(rebase(count, one, zero, low), low);
    EXPECT_EQ(rebase(money, zero, one, std::int64_t{9999}), Value{std::int64_t{9999}});
    EXPECT_EQ(rebase(money, one, zero, std::int64_t{-9999}), Value{std::int64_t{-9999}});
}

}  // namespace
}  // namespace skerry::merge
