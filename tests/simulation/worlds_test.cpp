// Random worlds: SKERRY_WORLDS of them (250; 50 under sanitizers) from SKERRY_SEED on, in shards for ctest -j, and a fifth
// as many of fresh seeds.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

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
// Of seeds that nobody has tried: what the fixed ones cannot find any more.
constexpr std::uint64_t kFreshWorlds = kWorlds / 5;

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
    std::ofstream file(marks_file(GetParam()));
    file << run_here << "\n";
    for (const auto& [name, n] : marks) file << n << " " << name << "\n";
}

INSTANTIATE_TEST_SUITE_P(shard, Worlds, ::testing::Range<std::uint64_t>(0, kShards));

TEST(FreshWorlds, hold_every_invariant) {
    std::random_device entropy;
    const std::uint64_t first = from_environment("SKERRY_FRESH_SEED", std::uint64_t{entropy()} << 16);
    std::printf("%llu worlds from seed 0x%llx\n", static_cast<unsigned long long>(kFreshWorlds), static_cast<unsigned long long>(first));
    for (std::uint64_t seed = first; seed < first + kFreshWorlds; ++seed) {
        const Report report = run(generate_plan(seed));
        ASSERT_TRUE(report.ok) << report.text << "\nreplay: " << replay_command(seed);
    }
}

// Each found something once, in the product or in what judges it; what it was has a test of its own where it was the product.
// They are kept as plans, named by their seeds: a seed means another world as soon as worlds learn something new.
TEST(Plans, that_failed_once_hold) {
    std::size_t held = 0;
    for (const auto& file : std::filesystem::directory_iterator(SKERRY_SOURCE_DIR "/tests/simulation/plans")) {
        std::ifstream in(file.path());
        std::stringstream text;
        text << in.rdbuf();
        const auto plan = parse_plan(text.str());
        ASSERT_TRUE(plan) << file.path() << ": " << describe(plan.error());
        const Report report = run(*plan);
        EXPECT_TRUE(report.ok) << report.text << "\nreplay: skerry-sim --trace --plan " << file.path();
        ++held;
    }
    EXPECT_GE(held, 15u);
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
