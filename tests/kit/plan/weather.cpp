#include "kit/plan/weather.hpp"

#include "kit/events/seeds.hpp"
#include "kit/net/faults.hpp"

namespace skerry::kit {

bool is_allowed(std::uint64_t seed, std::string_view fault) {
    SeededRandom dice = stream(seed, fault);
    return !chance(dice, 250);
}

Step& add_step(Plan& plan, std::int64_t at, StepKind kind, std::uint32_t device) {
    Step step;
    step.at_ms = at;
    step.kind = kind;
    step.device = device;
    plan.steps.push_back(std::move(step));
    return plan.steps.back();
}

void sort_by_time(Plan& plan) {
    std::multimap<std::int64_t, Step> by_time;
    for (Step& step : plan.steps) by_time.emplace(step.at_ms, std::move(step));
    plan.steps.clear();
    for (auto& [at, step] : by_time) plan.steps.push_back(std::move(step));
}

std::uint32_t Weather::any_device(Random& random) const { return static_cast<std::uint32_t>(random.below(static_cast<std::uint64_t>(devices))); }

void Weather::network(Plan& plan, std::int64_t duration) const {
    SeededRandom r = stream(seed, "net-plan");
    std::vector<FateKind> kinds;
    for (const FateKind kind : kAllFates)
        if (is_allowed(seed, fate_name(kind)) && chance(r, 400)) kinds.push_back(kind);
    const bool tiny = is_allowed(seed, "chunks") && chance(r, 300);
    for (std::uint32_t d = 0; d < devices; ++d) {
        const auto changes = between(r, 1, 3);
        for (std::int64_t i = 0; i < changes; ++i) {
            Step& step = add_step(plan, i == 0 ? 0 : between(r, 0, duration), StepKind::kNet, d);
            step.args["latency"] = std::to_string(chance(r, 700) ? between(r, 1, 60) : between(r, 60, 3'000));
            step.args["chunk"] = std::to_string(tiny ? between(r, 16, 300) : 65'536);
            step.args["gap"] = std::to_string(is_allowed(seed, "slow") && chance(r, 200) ? between(r, 1, 200) : 0);
            for (const FateKind kind : kinds)
                if (chance(r, 600)) step.args[std::string(fate_name(kind))] = std::to_string(between(r, 10, 150));
        }
    }
    if (!is_allowed(seed, "partition")) return;
    const auto n = between(r, 0, 3);
    for (std::int64_t i = 0; i < n; ++i) {
        static constexpr std::string_view kWays[] = {"requests", "responses", "both"};
        const std::uint32_t d = any_device(r);
        const std::int64_t at = between(r, 0, duration);
        add_step(plan, at, StepKind::kPartition, d).args["way"] = kWays[r.below(3)];
        add_step(plan, at + between(r, 100, 20'000), StepKind::kPartition, d).args["way"] = "none";
    }
}

void Weather::crashes(Plan& plan, std::int64_t duration) const {
    SeededRandom r = stream(seed, "crash-plan");
    static constexpr std::string_view kLosses[] = {"kill", "kill-torn", "power-nothing", "power-all",
                                                   "power-prefix", "power-random", "power-torn"};
    const auto crash = [&](StepKind kind, std::uint32_t device) {
        Step& step = add_step(plan, between(r, 0, duration), kind, device);
        step.args["loss"] = kLosses[r.below(std::size(kLosses))];
        step.args["call"] = std::to_string(chance(r, 300) ? 0 : between(r, 1, 60));
        step.args["back"] = std::to_string(between(r, 10, 8'000));
    };
    if (is_allowed(seed, "device-crash")) {
        const auto n = between(r, 0, 2 * devices);
        for (std::int64_t i = 0; i < n; ++i) crash(StepKind::kCrash, any_device(r));
    }
    if (is_allowed(seed, "server-crash")) {
        const auto n = between(r, 0, 3);
        for (std::int64_t i = 0; i < n; ++i) crash(StepKind::kServerCrash, 0);
    }
}

}  // namespace skerry::kit
