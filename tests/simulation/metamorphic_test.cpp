// What must change nothing: a device that only looks on, everybody's restart at the end, the pieces in which bytes
// arrive. The plan is the same, and so are the rows that the server ends with.
#include <gtest/gtest.h>

#include "simulation/worlds.hpp"

namespace skerry::kit {
namespace {

constexpr std::uint64_t kPlans = 40;

bool has(const Plan& plan, std::initializer_list<StepKind> kinds) {
    for (const Step& step : plan.steps)
        if (std::find(kinds.begin(), kinds.end(), step.kind) != kinds.end()) return true;
    return false;
}

// Runs plans as they are and as `other` makes them; those that it leaves out with an empty plan do not count.
void same_rows(const std::function<std::optional<Plan>(const Plan&)>& other) {
    std::uint64_t compared = 0;
    for (std::uint64_t seed = from_environment("SKERRY_SEED", kFirstSeed); compared < kPlans; ++seed) {
        const Plan plan = generate_plan(seed);
        const auto changed = other(plan);
        if (!changed) continue;
        const Report as_it_is = run(plan);
        const Report otherwise = run(*changed);
        ASSERT_TRUE(as_it_is.ok) << as_it_is.text << "\nreplay: " << replay_command(seed);
        ASSERT_TRUE(otherwise.ok) << otherwise.text << "\nthe changed plan:\n" << print(*changed);
        ASSERT_EQ(as_it_is.rows_hash, otherwise.rows_hash) << "seed " << seed << ", the changed plan:\n" << print(*changed);
        ++compared;
    }
}

TEST(Metamorphic, a_device_that_only_looks_on_changes_nothing) {
    same_rows([](const Plan& plan) -> std::optional<Plan> {
        // Devices made on the way have random streams by their ordinal.
        if (has(plan, {StepKind::kClone, StepKind::kJoin})) return std::nullopt;
        Plan changed = plan;
        changed.settings["devices"] = plan.setting("devices") + 1;
        return changed;
    });
}

TEST(Metamorphic, everybody_s_restart_at_the_end_changes_nothing) {
    same_rows([](const Plan& plan) -> std::optional<Plan> {
        Plan changed = plan;
        changed.settings["restart_at_end"] = 1;
        return changed;
    });
}

TEST(Metamorphic, the_pieces_in_which_bytes_arrive_change_nothing) {
    same_rows([](const Plan& plan) -> std::optional<Plan> {
        Plan changed = plan;
        for (Step& step : changed.steps) {
            if (step.kind != StepKind::kNet) continue;
            // Pieces take time where there is a gap between them, and what is cut is cut by their number.
            for (const FateKind fate : kAllFates)
                if (step.number(fate_name(fate)) > 0) return std::nullopt;
            if (step.number("gap") > 0) return std::nullopt;
            step.args["chunk"] = step.number("chunk") > 1'000 ? "97" : "65536";
        }
        return changed;
    });
}

}  // namespace
}  // namespace skerry::kit
