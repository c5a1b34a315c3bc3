// The policies of the product and those of the oracle, which were written apart from one document, agree on random
// meetings of old, mine and current, with every kind of predecessor. SKERRY_SEED changes the seed.
#include <gtest/gtest.h>

#include "kit/events/seeds.hpp"
#include "kit/oracle/policies.hpp"
#include "kit/plan/values.hpp"
#include "merge/merge.hpp"
#include "simulation/worlds.hpp"

namespace skerry::kit {
namespace {

std::string shown(const Meeting& m) {
    return "old " + model::to_text(m.old_value) + " mine " + model::to_text(m.mine) + " current " + model::to_text(m.current) + " left " +
           model::to_text(m.left) + " earlier " + std::to_string(static_cast<int>(m.earlier));
}

TEST(PoliciesAgree, product_and_oracle_on_random_meetings) {
    const std::uint64_t seed = from_environment("SKERRY_SEED", kFirstSeed);
    SeededRandom random = stream(seed, "policies");
    std::map<std::pair<int, int>, int> met;
    for (const model::Entity& entity : world_model().entities) {
        if (entity.builtin()) continue;
        for (const model::Attribute& attribute : entity.attributes) {
            for (int i = 0; i < 2'000; ++i) {
                const bool difference = attribute.merge == model::Merge::kCounter || attribute.merge == model::Merge::kSet;
                const auto value = [&] {
                    if (difference && chance(random, 150)) return Value{Null{}};
                    Value v = random_value(random, attribute, Oddity::kStorable);
                    return model::canonical(entity, attribute, v).value_or(Value{Null{}});
                };
                Meeting m{value(), value(), value(), Earlier::kNone, Null{}};
                // Some of them equal, as in life.
                if (chance(random, 300)) m.current = m.old_value;
                if (chance(random, 100)) m.current = m.mine;
                const bool chained = attribute.merge != model::Merge::kCounter && attribute.merge != model::Merge::kSet && chance(random, 500);
                if (chained) {
                    m.earlier = static_cast<Earlier>(1 + random.below(4));
                    m.left = chance(random, 600) ? m.current : value();
                }
                if (m.old_value == m.mine) continue;  // no change
                // What was put to a person with its whole row left no value of its own.
                const bool left = chained && !(m.earlier == Earlier::kDecided && chance(random, 500));
                const merge::Input in{m.old_value, m.mine, m.current, {}, static_cast<merge::Prior>(m.earlier),
                                      left ? std::optional(model::value_hash(m.left)) : std::nullopt};
                const Result3 ours = resolve(attribute, m);
                const auto theirs = merge::merge(attribute, in);
                const std::string where = entity.name + "." + attribute.name + ": " + shown(m) + ", seed " + std::to_string(seed);
                met[{static_cast<int>(attribute.merge), static_cast<int>(ours.effect)}]++;
                if (!theirs) {
                    ASSERT_EQ(ours.effect, Effect::kInvalid) << where;
                    continue;
                }
                const bool same_value = theirs->decision == merge::Decision::kWrite ? theirs->value == ours.value : true;
                switch (ours.effect) {
                    case Effect::kNothing: ASSERT_EQ(theirs->decision, merge::Decision::kNothing) << where; break;
                    case Effect::kLose: ASSERT_EQ(theirs->decision, merge::Decision::kLose) << where; break;
                    case Effect::kAsk: ASSERT_EQ(theirs->decision, merge::Decision::kAsk) << where; break;
                    case Effect::kInvalid: FAIL() << where; break;
                    case Effect::kWrite:
                        if (theirs->decision == merge::Decision::kNothing) {
                            ASSERT_EQ(ours.value, m.current) << where;
                            if (attribute.merge == model::Merge::kText) {
                                ASSERT_EQ(theirs->merged, ours.merged) << where;
                            }
                            break;
                        }
                        ASSERT_EQ(theirs->decision, merge::Decision::kWrite) << where;
                        ASSERT_TRUE(same_value) << where << "\nproduct " << model::to_text(theirs->value) << "\noracle " << model::to_text(ours.value);
                        if (!ours.open) {
                            ASSERT_EQ(theirs->merged, ours.merged) << where;
                        }
                        break;
                }
            }
        }
    }
    // Every policy was seen, and those that can lose, ask or overflow did.
    for (int policy = 1; policy <= 8; ++policy) EXPECT_GT((met[{policy, static_cast<int>(Effect::kWrite)}]), 100) << policy;
    for (const auto& [policy, effect] : {std::pair{model::Merge::kFirst, Effect::kLose}, {model::Merge::kMax, Effect::kLose}, {model::Merge::kMin, Effect::kLose},
                                         {model::Merge::kText, Effect::kAsk}, {model::Merge::kAsk, Effect::kAsk}, {model::Merge::kCounter, Effect::kInvalid}})
        EXPECT_GT((met[{static_cast<int>(policy), static_cast<int>(effect)}]), 10) << static_cast<int>(policy) << " " << static_cast<int>(effect);
}

}  // namespace
}  // namespace skerry::kit
