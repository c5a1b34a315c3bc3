// Negative controls: bugs compiled into the planted flavour of the rooms, by number. Random worlds catch them,
// and the same seeds pass without them: otherwise the silence of the worlds would prove nothing.
#include <gtest/gtest.h>

#include "base/planted.hpp"
#include "kit/plan/shrink.hpp"
#include "simulation/worlds.hpp"

namespace skerry::kit {
namespace {

struct Control {
    Plant plant;
    const char* what;
    std::uint64_t seeds_max;
};

// How a test of a parameter is listed.
void PrintTo(const Control& control, std::ostream* out) { *out << control.what; }

class Planted : public ::testing::TestWithParam<Control> {};

TEST_P(Planted, bug_is_caught) {
    const std::uint64_t first = from_environment("SKERRY_SEED", kFirstSeed);
    for (std::uint64_t i = 0; i < GetParam().seeds_max; ++i) {
        const Plan plan = generate_plan(first + i);
        plant_bug(GetParam().plant);
        const Report with = run(plan);
        plant_bug(Plant::kNone);
        if (with.ok) continue;
        const Report without = run(plan);
        EXPECT_TRUE(without.ok) << without.text;
        std::printf("planted %d (%s): caught after %llu seeds by \"%s\"; replay: %s\n", static_cast<int>(GetParam().plant), GetParam().what,
                    static_cast<unsigned long long>(i + 1), with.failure.invariant.c_str(),
                    replay_command(first + i, static_cast<int>(GetParam().plant)).c_str());
        return;
    }
    FAIL() << GetParam().what << " was not caught by " << GetParam().seeds_max << " seeds";
}

// What a person gets to read of a failure: a plan of a few steps.
TEST(Shrinking, a_failure_becomes_a_plan_of_at_most_15_steps) {
    for (const Plant bug : {Plant::kLeavesNotSent, Plant::kDedupeForgotten, Plant::kBatchSplitOverCheckpoints}) {
        for (std::uint64_t seed = kFirstSeed;; ++seed) {
            ASSERT_LT(seed, kFirstSeed + 50);
            plant_bug(bug);
            const std::string invariant = run(generate_plan(seed)).failure.invariant;
            if (invariant.empty()) continue;
            std::uint64_t runs = 0;
            const Shrunk shrunk = shrink(generate_plan(seed), [&](const Plan& plan) { return run(plan).failure.invariant == invariant; }, [&] { return ++runs < 600; });
            EXPECT_EQ(run(shrunk.plan).failure.invariant, invariant);
            EXPECT_LE(shrunk.plan.steps.size(), 15u) << print(shrunk.plan);
            plant_bug(Plant::kNone);
            EXPECT_TRUE(run(shrunk.plan).ok) << "without the bug";
            break;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(bugs, Planted,
                         ::testing::Values(Control{Plant::kCursorSavedBeforeApply, "cursor saved before apply", 200},
                                           Control{Plant::kDeltaFromSeqInclusive, "delta skips a batch", 200},
                                           Control{Plant::kDedupeForgotten, "dedupe forgotten", 200},
                                           Control{Plant::kRecomputeBeforeSettle, "recompute before settle", 200},
                                           Control{Plant::kBatchSplitOverCheckpoints, "batch split over checkpoints", 200},
                                           Control{Plant::kOutboxDeletedOnUnauthorized, "outbox deleted on 401", 200},
                                           Control{Plant::kStoreSynchronousNormal, "device with synchronous=NORMAL", 200},
                                           Control{Plant::kCounterAppliedAsValue, "counter applied as a value", 200},
                                           Control{Plant::kUnionForgetsRemoval, "union forgets a removal", 200},
                                           Control{Plant::kRecordNotClosed, "record not closed", 200},
                                           Control{Plant::kFloorForgotten, "floor of tombstones forgotten", 200},
                                           Control{Plant::kLeavesNotSent, "leaves of moved rows not sent", 200},
                                           Control{Plant::kLeaveTakesTheRow, "leave applied without looking at other lines", 200},
                                           Control{Plant::kAckBeforeDurable, "ack before durable", 200},
                                           Control{Plant::kLostScopeKept, "lost scope kept", 200},
                                           Control{Plant::kCloneNotDetected, "clone not detected", 200},
                                           Control{Plant::kRealShortened, "real with 15 digits", 200},
                                           Control{Plant::kCutAtNul, "bytes cut at the first zero", 200},
                                           Control{Plant::kRetriesEnd, "no retry after five failures", 200},
                                           Control{Plant::kOutcomeForgotten, "result forgotten before it was told", 200},
                                           Control{Plant::kEpochIgnored, "cursor from before the restore goes on", 200},
                                           Control{Plant::kUnnamedNulled, "what an update does not name becomes NULL", 200}),
                         [](const auto& control) { return "plant_" + std::to_string(static_cast<int>(control.param.plant)); });

}  // namespace
}  // namespace skerry::kit
