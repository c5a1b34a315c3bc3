// skerry-sim: runs worlds from seeds or one from a plan file.
//
//   skerry-sim --seed 0x5eed0001 [--worlds N] [--trace] [--plan FILE] [--print-plan] [--plant K] [--dump DIR]
//
// Exit code 0: all held; 1: an invariant was violated; 2: usage. --plant exists in skerry-sim-planted only.
#include <chrono>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/planted.hpp"
#include "simulation/worlds.hpp"

namespace {

using namespace skerry;

struct Arguments {
    std::uint64_t seed = kit::kFirstSeed;
    std::uint64_t worlds = 1;
    bool trace = false;
    bool print_plan = false;
    int plant = 0;
    std::string plan;
    std::string dump;
};

bool parse(int argc, char** argv, Arguments& out) {
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--trace") {
            out.trace = true;
        } else if (name == "--print-plan") {
            out.print_plan = true;
        } else if (i + 1 < argc && name == "--seed") {
            out.seed = std::strtoull(argv[++i], nullptr, 0);
        } else if (i + 1 < argc && name == "--worlds") {
            out.worlds = std::strtoull(argv[++i], nullptr, 0);
        } else if (i + 1 < argc && name == "--dump") {
            out.dump = argv[++i];
        } else if (i + 1 < argc && name == "--plan") {
            out.plan = argv[++i];
        } else if (i + 1 < argc && name == "--plant") {
            out.plant = std::atoi(argv[++i]);
        } else {
            return false;
        }
    }
    return true;
}

struct Totals {
    std::map<std::string, std::uint64_t> marks;
    std::uint64_t events = 0;
    std::uint64_t trace_hash = 0;  // of all worlds together: equal runs print equal ones, whatever the compiler
};

int run_one(const kit::Plan& plan, const Arguments& arguments, Totals& totals) {
    const kit::Report report = kit::run(plan, {.echo = arguments.trace, .dump_to = arguments.dump});
    for (const auto& [name, n] : report.marks) totals.marks[name] += n;
    totals.events += report.events;
    totals.trace_hash = totals.trace_hash * 31 + report.trace_hash;
    if (report.ok) return 0;
    std::printf("%s\nreplay: %s\n", report.text.c_str(), kit::replay_command(plan.seed, arguments.plant).c_str());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    if (!parse(argc, argv, arguments)) {
        std::fprintf(stderr, "usage: skerry-sim [--seed S] [--worlds N] [--trace] [--print-plan] [--plan FILE] [--plant K] [--dump DIR]\n");
        return 2;
    }
#ifdef SKERRY_PLANTED
    plant_bug(static_cast<Plant>(arguments.plant));
#else
    if (arguments.plant != 0) {
        std::fprintf(stderr, "this program has no planted bugs: use skerry-sim-planted\n");
        return 2;
    }
#endif
    Totals totals;
    std::uint64_t failed = 0;
    const auto begin = std::chrono::steady_clock::now();
    if (!arguments.plan.empty()) {
        std::ifstream in(arguments.plan);
        std::stringstream text;
        text << in.rdbuf();
        const auto plan = kit::parse_plan(text.str());
        if (!plan) {
            std::fprintf(stderr, "%s\n", describe(plan.error()).c_str());
            return 2;
        }
        return run_one(*plan, arguments, totals);
    }
    for (std::uint64_t i = 0; i < arguments.worlds; ++i) {
        const kit::Plan plan = kit::generate_plan(arguments.seed + i);
        if (arguments.print_plan) std::printf("%s", kit::print(plan).c_str());
        failed += static_cast<std::uint64_t>(run_one(plan, arguments, totals));
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::printf("%llu worlds, %llu failed, %llu events, %.1f s, %.1f worlds/s, trace %016llx\n%s", static_cast<unsigned long long>(arguments.worlds),
                static_cast<unsigned long long>(failed), static_cast<unsigned long long>(totals.events), seconds,
                static_cast<double>(arguments.worlds) / seconds, static_cast<unsigned long long>(totals.trace_hash), kit::marks_text(totals.marks).c_str());
    return failed == 0 ? 0 : 1;
}
