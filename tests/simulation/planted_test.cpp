// Negative controls: bugs compiled into the planted flavour of the rooms, by number. Random worlds catch them,
// and the same seeds pass without them: otherwise the silence of the worlds would prove nothing.
#include <gtest/gtest.h>

#include "base/planted.hpp"
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
                                           Control{Plant::kLeaveTakesTheRow, "leave applied without looking at other lines", 200}),
                         [](const auto& control) { return "plant_" + std::to_string(static_cast<int>(control.param.plant)); });

}  // namespace
}  // namespace skerry::kit
