#include "simulation/explore.hpp"

#include <ctime>
#include <fstream>

#include "kit/plan/shrink.hpp"
#include "simulation/marks.hpp"
#include "simulation/worlds.hpp"

namespace skerry::kit {

namespace {

constexpr double kMsAYear = 365.25 * 24 * 3600 * 1000;

unsigned long long wide(std::uint64_t n) { return n; }

std::string line(const char* format, auto... values) {
    char text[512];
    std::snprintf(text, sizeof text, format, values...);
    return text;
}

}  // namespace

double Explorer::seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }

bool Explorer::run(const Plan& plan) {
    const Report report = kit::run(plan, {.echo = options_.trace, .crashes = options_.crash_points ? &crashes_ : nullptr, .dump_to = options_.dump_to});
    for (const auto& [name, n] : report.marks) marks_[name] += n;
    ++worlds_;
    events_ += report.events;
    virtual_ms_ += static_cast<std::uint64_t>(report.virtual_ms);
    trace_hash_ = trace_hash_ * 31 + report.trace_hash;
    if (report.ok) return true;
    ++failed_;
    tell(plan, report);
    return false;
}

void Explorer::tell(const Plan& plan, const Report& report) {
    std::printf("%s\ncommit %s, seed 0x%llx: %s at %lld ms of virtual time, event %llu\nreplay: %s\n", report.text.c_str(), kCommit, wide(plan.seed),
                report.failure.invariant.c_str(), static_cast<long long>(report.virtual_ms), wide(report.events), replay_command(plan.seed, options_.plant, options_.crash_points).c_str());
    std::fflush(stdout);
    if (options_.shrink_for.count() == 0) return;
    const auto until = std::chrono::steady_clock::now() + options_.shrink_for;
    CrashTotals unused;
    const auto fails = [&](const Plan& smaller) {
        return kit::run(smaller, {.crashes = options_.crash_points ? &unused : nullptr}).failure.invariant == report.failure.invariant;
    };
    const Shrunk shrunk = shrink(plan, fails, [&] { return !options_.interrupted() && std::chrono::steady_clock::now() < until; });
    const std::string text = print(shrunk.plan);
    std::string again = options_.plant != 0 ? "-planted --plant " + std::to_string(options_.plant) : "";
    if (options_.crash_points) again += " --crash-points";
    std::printf("%zu of %zu steps are left after %llu runs%s; save them as FILE and run skerry-sim%s --plan FILE --trace\n%s", shrunk.plan.steps.size(), plan.steps.size(),
                wide(shrunk.runs), shrunk.ended ? "" : " (the time for it is over: --shrink-seconds)", again.c_str(), text.c_str());
    std::fflush(stdout);
    if (!options_.plan_to.empty()) std::ofstream(options_.plan_to) << text;
}

std::string Explorer::summary() const {
    std::string out = line("%llu worlds, %llu failed, %llu events, %.1f virtual years, %.1f s, %.1f worlds/s, trace %016llx, commit %s\n", wide(worlds_), wide(failed_), wide(events_),
                           static_cast<double>(virtual_ms_) / kMsAYear, seconds(), static_cast<double>(worlds_) / seconds(), wide(trace_hash_), kCommit);
    if (options_.crash_points)
        out += line("%llu crash points, %llu crashes, %llu different databases\n", wide(crashes_.points), wide(crashes_.crashes), wide(crashes_.databases));
    std::string never;
    for (const std::string& name : never_fired(marks_, true)) never += " [" + name + "]";
    if (!never.empty()) out += "never met in these worlds:" + never + "\n";
    return out + marks_text(marks_);
}

std::string Explorer::ledger_line(std::uint64_t first_seed) const {
    const auto mark = [&](const char* name) {
        const auto found = marks_.find(name);
        return found == marks_.end() ? std::uint64_t{0} : found->second;
    };
    char date[16];
    const std::time_t now = std::time(nullptr);
    std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
    return line(R"({"kind":"%s","commit":"%s","date":"%s","first_seed":"0x%llx","worlds":%llu,"failed":%llu,"events":%llu,"crashes":%llu,"partitions":%llu,"virtual_years":%.2f,"seconds":%.0f,)"
                R"("crash_points":%llu,"copies_crashed":%llu,"marks_never":%zu})",
                options_.crash_points ? "crash points" : "worlds", kCommit, date, wide(first_seed), wide(worlds_), wide(failed_), wide(events_), wide(mark("device.down") + mark("server.down")),
                wide(mark("world.partition")), static_cast<double>(virtual_ms_) / kMsAYear, seconds(), wide(crashes_.points), wide(crashes_.crashes), never_fired(marks_, true).size());
}

}  // namespace skerry::kit
