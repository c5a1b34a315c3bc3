// Random worlds: SKERRY_WORLDS of them (250; 50 under sanitizers) from SKERRY_SEED on, in shards for ctest -j.
#include <gtest/gtest.h>

#include "simulation/worlds.hpp"

namespace skerry::kit {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kWorlds = 50;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::uint64_t kWorlds = 50;
#else
constexpr std::uint64_t kWorlds = 250;
#endif
#else
constexpr std::uint64_t kWorlds = 250;
#endif
constexpr std::uint64_t kShards = 5;

class Worlds : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(Worlds, hold_every_invariant) {
    const std::uint64_t first = from_environment("SKERRY_SEED", kFirstSeed);
    const std::uint64_t worlds = from_environment("SKERRY_WORLDS", kWorlds);
    std::map<std::string, std::uint64_t> marks;
    std::uint64_t run_here = 0;
    for (std::uint64_t i = GetParam(); i < worlds; i += kShards) {
        const std::uint64_t seed = first + i;
        const Report report = run(generate_plan(seed));
        ASSERT_TRUE(report.ok) << report.text << "\nreplay: " << replay_command(seed);
        for (const auto& [name, n] : report.marks) marks[name] += n;
        ++run_here;
    }
    std::printf("%llu worlds from seed 0x%llx; marks:\n%s", static_cast<unsigned long long>(run_here),
                static_cast<unsigned long long>(first), marks_text(marks).c_str());
}

INSTANTIATE_TEST_SUITE_P(shard, Worlds, ::testing::Range<std::uint64_t>(0, kShards));

// Each found something once, in the product or in what judges it; what it was has a test of its own where it was the product.
TEST(Seeds, that_failed_once_hold) {
    for (const std::uint64_t seed : std::initializer_list<std::uint64_t>{900301, 5000060, 5000327, 5000508, 5000551, 5000557, 5000812, 5001349, 6000138, 6000474, 9000627, 9001750, 12001124, 13000154, 14000661}) {
        const Report report = run(generate_plan(seed));
        EXPECT_TRUE(report.ok) << report.text << "\nreplay: " << replay_command(seed);
    }
}

// A run is a function of its seed: otherwise no failure could be replayed.
TEST(Determinism, twenty_five_seeds_run_twice_give_equal_traces) {
    const std::uint64_t first = from_environment("SKERRY_SEED", kFirstSeed);
    for (std::uint64_t i = 0; i < 25; ++i) {
        const Plan plan = generate_plan(first + i);
        const Report once = run(plan);
        const Report again = run(plan);
        ASSERT_TRUE(once.ok) << once.text << "\nreplay: " << replay_command(first + i);
        ASSERT_EQ(once.trace_hash, again.trace_hash) << "replay: " << replay_command(first + i);
        ASSERT_EQ(once.events, again.events);
    }
}

TEST(Plans, survive_being_printed_and_parsed) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        const Plan plan = generate_plan(seed);
        const auto parsed = parse_plan(print(plan));
        ASSERT_TRUE(parsed) << describe(parsed.error());
        ASSERT_TRUE(*parsed == plan) << "seed " << seed << "\n" << print(plan) << "\n----\n" << print(*parsed);
    }
}

TEST(Plans, leave_each_fault_out_in_some_seeds_and_in_in_others) {
    std::map<std::string, int> with;
    constexpr int kSeeds = 300;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        const Plan plan = generate_plan(seed);
        std::set<std::string> here;
        for (const Step& step : plan.steps) {
            here.insert("step " + std::to_string(static_cast<int>(step.kind)));
            if (step.kind == StepKind::kNet)
                for (const FateKind fate : kAllFates)
                    if (step.number(fate_name(fate)) > 0) here.insert("net " + std::string(fate_name(fate)));
        }
        for (const std::string& name : here) ++with[name];
    }
    for (const FateKind fate : kAllFates) {
        const int n = with["net " + std::string(fate_name(fate))];
        EXPECT_GT(n, 0) << fate_name(fate);
        EXPECT_LT(n, kSeeds) << fate_name(fate);
    }
    for (const StepKind kind : {StepKind::kCrash, StepKind::kServerCrash, StepKind::kClone, StepKind::kRestore, StepKind::kPartition, StepKind::kForeign, StepKind::kServerSql,
                                StepKind::kSleep, StepKind::kLeap, StepKind::kServerRestore}) {
        const int n = with["step " + std::to_string(static_cast<int>(kind))];
        EXPECT_GT(n, 0) << static_cast<int>(kind);
        EXPECT_LT(n, kSeeds) << static_cast<int>(kind);
    }
}

}  // namespace
}  // namespace skerry::kit
