// What holds of every policy, whatever the values: generated, with the seed in the message.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.hpp"
#include "merge/merge.hpp"
#include "model/json.hpp"

namespace skerry::merge {
namespace {

using model::Attribute;
using model::Merge;
using model::Type;

constexpr Merge kPolicies[] = {Merge::kLast, Merge::kFirst, Merge::kMax, Merge::kMin, Merge::kCounter, Merge::kSet, Merge::kText, Merge::kAsk};
constexpr std::string_view kMembers[] = {"", "\n", "a", "b", "é"};
constexpr Merge kValuePolicies[] = {Merge::kLast, Merge::kFirst, Merge::kMax, Merge::kMin, Merge::kAsk};

Attribute attribute_of(Merge policy, Type type) {
    Attribute attribute{"a", type};
    attribute.merge = policy;
    attribute.precision = 18;
    return attribute;
}

class Laws : public testing::Test {
  protected:
    void SetUp() override { RecordProperty("seed", std::to_string(seed_)); }
    std::string seed() const { return "seed " + std::to_string(seed_); }

    // Few different ones, so that they meet.
    Value value(Type type) {
        if (random_.below(8) == 0) return Null{};
        switch (type) {
            case Type::kInt:
            case Type::kDecimal: return static_cast<std::int64_t>(random_.below(7)) - 3;
            case Type::kReal: return static_cast<double>(random_.below(7)) / 4 - 0.5;
            case Type::kDate: return "2026-01-0" + std::to_string(1 + random_.below(5));
            case Type::kSet: return set();
            case Type::kBlob: return Blob(static_cast<std::size_t>(random_.below(3)), 7);
            default: {
                std::string out;
                for (std::uint64_t n = random_.below(4); n > 0; --n) out += "wxyz"[random_.below(4)] + std::string(n > 1 ? " " : "");
                return out;
            }
        }
    }
    std::string set() {
        std::string out = "[";
        for (const std::string_view member : kMembers)
            if (random_.below(2) == 0) out += (out.size() > 1 ? "," : "") + model::json_string(member);
        return out + "]";
    }
    Type type_for(Merge policy) {
        static constexpr Type kAll[] = {Type::kInt, Type::kDecimal, Type::kReal, Type::kDate, Type::kSet, Type::kBlob, Type::kText};
        for (;;)
            if (const Type type = kAll[random_.below(std::size(kAll))]; model::merge_needs(policy, type).empty()) return type;
    }
    Output arrive(const Attribute& attribute, const Value& old_value, const Value& mine, const Value& current) {
        auto out = merge(attribute, {old_value, mine, current, std::nullopt, Prior::kNone, std::nullopt});
        EXPECT_TRUE(out) << describe(out.error());
        return out ? *out : Output{};
    }
    // What is on the server afterwards.
    Value after(const Attribute& attribute, const Value& old_value, const Value& mine, const Value& current) {
        const Output out = arrive(attribute, old_value, mine, current);
        return out.decision == Decision::kWrite ? out.value : current;
    }
    template <class Law>
    void for_all(std::span<const Merge> policies, Law law) {
        for (const Merge policy : policies)
            for (int round = 0; round < 2000; ++round) {
                const Attribute attribute = attribute_of(policy, type_for(policy));
                const Value old_value = value(attribute.type), mine = value(attribute.type), current = value(attribute.type);
                SCOPED_TRACE(seed() + ", " + std::string(model::merge_name(policy)) + " of " + std::string(model::type_name(attribute.type)) + ": old " +
                             model::to_text(old_value) + ", mine " + model::to_text(mine) + ", current " + model::to_text(current));
                law(attribute, old_value, mine, current);
                if (HasFailure()) return;
            }
    }

    std::uint64_t seed_ = SystemRandom().u64();
    SeededRandom random_{seed_};
};

std::vector<std::string> members(const Value& set) {
    std::vector<std::string> out;
    if (is_null(set)) return out;
    const auto elements = model::json_elements(std::get<std::string>(set));
    for (const std::string& element : *elements) out.push_back(*model::json_string_content(element));
    return out;
}

TEST_F(Laws, on_an_unchanged_server_mine_is_written_as_it_is) {
    for_all(kPolicies, [&](const Attribute& attribute, const Value& old_value, const Value& mine, const Value&) {
        const Output expected = mine == old_value ? Output{} : Output{Decision::kWrite, mine, false, false};
        EXPECT_EQ(arrive(attribute, old_value, mine, old_value), expected);
        EXPECT_EQ(rebase(attribute, old_value, mine, old_value), mine);
    });
}

TEST_F(Laws, value_policies_have_nothing_to_do_where_mine_is_there_already) {
    for_all(kValuePolicies, [&](const Attribute& attribute, const Value& old_value, const Value& mine, const Value&) {
        EXPECT_EQ(arrive(attribute, old_value, mine, mine), Output{});
        EXPECT_EQ(rebase(attribute, old_value, mine, mine), mine);
    });
}

TEST_F(Laws, value_policies_and_text_are_idempotent) {
    std::vector<Merge> policies(std::begin(kValuePolicies), std::end(kValuePolicies));
    for_all(policies, [&](const Attribute& attribute, const Value& old_value, const Value& mine, const Value& current) {
        const Value once = after(attribute, old_value, mine, current);
        EXPECT_EQ(after(attribute, old_value, mine, once), once);
    });
}

TEST_F(Laws, nothing_is_lost_silently) {
    for_all(kPolicies, [&](const Attribute& attribute, const Value& old_value, const Value& mine, const Value& current) {
        const Output out = arrive(attribute, old_value, mine, current);
        const bool foreign = current != old_value;
        switch (out.decision) {
            case Decision::kLose: EXPECT_TRUE(foreign && mine != current && out.merged); break;
            case Decision::kAsk: EXPECT_TRUE(foreign && mine != current); break;
            case Decision::kNothing:
                EXPECT_FALSE(out.current_to_history);
                // A text that has the author's words among others' is as he meant it, but he has not seen it.
                EXPECT_EQ(out.merged, attribute.merge == Merge::kText && mine != current);
                break;
            case Decision::kWrite:
                EXPECT_NE(out.value, current);
                EXPECT_EQ(out.merged, foreign);
                if (attribute.merge == Merge::kCounter || attribute.merge == Merge::kSet || attribute.merge == Merge::kText) {
                    EXPECT_FALSE(out.current_to_history);  // the value has both; how, the tests of its own say
                } else {
                    EXPECT_EQ(out.value, mine);
                    EXPECT_EQ(out.current_to_history, foreign);
                }
        }
    });
}

TEST_F(Laws, what_was_merged_is_of_the_type_and_canonical) {
    const model::Entity entity{"e", {"id", Type::kUuid}};
    for_all(kPolicies, [&](const Attribute& attribute, const Value& old_value, const Value& mine, const Value& current) {
        const Value server = after(attribute, old_value, mine, current);
        EXPECT_TRUE(model::check_value(entity, attribute, server)) << model::to_text(server);
        const Value shown = rebase(attribute, old_value, mine, current);
        EXPECT_TRUE(model::check_value(entity, attribute, shown)) << model::to_text(shown);
    });
}

TEST_F(Laws, pitfall_1_case_I5_counters_add_up_in_any_order) {
    const Attribute count = attribute_of(Merge::kCounter, Type::kInt);
    for (int round = 0; round < 2000; ++round) {
        SCOPED_TRACE(seed());
        const std::int64_t start = static_cast<std::int64_t>(random_.below(100)) - 50;
        std::vector<std::int64_t> to;
        for (std::uint64_t n = 1 + random_.below(5); n > 0; --n) to.push_back(start + static_cast<std::int64_t>(random_.below(9)) - 4);
        std::int64_t expected = start;
        for (const std::int64_t n : to) expected += n - start;
        const auto play = [&] {
            Value server = start;
            for (const std::int64_t n : to) server = after(count, start, n, server);
            return server;
        };
        EXPECT_EQ(play(), Value{expected});
        std::reverse(to.begin(), to.end());
        EXPECT_EQ(play(), Value{expected});
    }
}

TEST_F(Laws, a_device_shows_of_counters_and_sets_what_the_server_will_have) {
    for_all(std::vector<Merge>{Merge::kCounter, Merge::kSet}, [&](const Attribute& attribute, const Value& old_value, const Value& mine, const Value& current) {
        EXPECT_EQ(rebase(attribute, old_value, mine, current), after(attribute, old_value, mine, current));
    });
}

TEST_F(Laws, sets_keep_every_addition_and_removal_and_nothing_else) {
    const Attribute tags = attribute_of(Merge::kSet, Type::kSet);
    for (int round = 0; round < 5000; ++round) {
        const Value old_value = value(Type::kSet), mine = value(Type::kSet), current = value(Type::kSet);
        SCOPED_TRACE(seed() + " " + model::to_text(old_value) + " " + model::to_text(mine) + " " + model::to_text(current));
        const Value result = merge_sets(old_value, mine, current);
        const auto has = [](const Value& set, std::string_view member) { return std::ranges::count(members(set), member) == 1; };
        for (const std::string_view member : kMembers) {
            const bool was = has(old_value, member), wanted = has(mine, member), there = has(current, member);
            EXPECT_EQ(has(result, member), was == wanted ? there : wanted) << member;
        }
        EXPECT_EQ(members(result), members(merge_sets(old_value, current, mine))) << "the order matters";
        EXPECT_EQ(members(merge_sets(old_value, mine, result)), members(result)) << "a second arrival changes something";
    }
}

TEST_F(Laws, max_and_min_end_alike_in_any_order) {
    for (const Merge policy : {Merge::kMax, Merge::kMin})
        for (int round = 0; round < 2000; ++round) {
            const Attribute attribute = attribute_of(policy, type_for(policy));
            const Value old_value = value(attribute.type);
            std::vector<Value> to;
            for (std::uint64_t n = 1 + random_.below(4); n > 0; --n)
                if (Value v = value(attribute.type); v != old_value) to.push_back(std::move(v));
            const auto play = [&] {
                Value server = old_value;
                for (const Value& mine : to) server = after(attribute, old_value, mine, server);
                return server;
            };
            SCOPED_TRACE(seed());
            const Value once = play();
            for (std::size_t i = 0; i < to.size(); ++i) {
                std::rotate(to.begin(), to.begin() + 1, to.end());
                EXPECT_EQ(play(), once);
                std::vector<Value> back(to.rbegin(), to.rend());
                std::swap(to, back);
                EXPECT_EQ(play(), once);
                std::swap(to, back);
            }
            EXPECT_TRUE(to.empty() || std::ranges::count(to, once) > 0) << "a value that nobody wrote";
        }
}

TEST(Sets, what_another_program_wrote_twice_is_removed_as_one) {
    const auto set = [](const char* json) { return Value{std::string(json)}; };
    EXPECT_EQ(merge_sets(set(R"(["a","b"])"), set("[]"), set(R"(["b","e","b"])")), set(R"(["e"])"));
    EXPECT_EQ(merge_sets(set(R"(["a"])"), set(R"(["a","c"])"), set(R"([ "c", "a", "a" ])")), set(R"(["a","c"])"));
}

}  // namespace
}  // namespace skerry::merge
