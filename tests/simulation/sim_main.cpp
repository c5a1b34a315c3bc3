// skerry-sim: worlds from seeds, or one from a plan. Exit code 0: all held; 1: an invariant was violated; 2: usage.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <random>
#include <sstream>

#include "base/planted.hpp"
#include "simulation/explore.hpp"
#ifndef SKERRY_PLANTED
#include "simulation/try_model.hpp"
#endif

namespace {

using namespace skerry;

constexpr const char* kAbout =
    "Simulates whole worlds in one thread: the real server, real devices, a network and disks that fail, people and other\n"
    "programs. Everything follows from a seed, so everything can be replayed. docs/reliability.md says what must hold.\n\n"
    "  skerry-sim                                100 worlds from a fresh seed\n"
    "  skerry-sim --minutes 30                   explores for half an hour\n"
    "  skerry-sim --seed 0x5eed01e7 --trace      replays one world, every line\n"
    "  skerry-sim --minutes 5 --crash-points     tries every crash point of every disk on the way\n"
    "  skerry-sim --seed 7 --print-plan > p      what happens in a world; edit p, then: skerry-sim --plan p --trace\n"
    "  skerry-sim --model my.yaml                your own model, and what your people will meet (--model my.yaml --help)\n\n"
    "A world that fails is told with its commit, seed, invariant and virtual time, the line that replays it, and a plan\n"
    "that was made as small as the time for it allows.\n";

struct Arguments {
    std::uint64_t seed = 0;
    std::uint64_t worlds = 0;
    double minutes = 0;
    bool until_fail = false;
    bool print_plan = false;
    std::string plan;
    std::string ledger;
    long shrink_seconds = 60;
    kit::ExploreOptions explore;
};

std::uint64_t fresh_seed() {
    std::random_device entropy;
    return (static_cast<std::uint64_t>(entropy()) << 24) & 0xFFFFFFFFFFFFull;
}

void write_ledger(const Arguments& arguments, const kit::Explorer& explorer, std::uint64_t first_seed) {
    if (!arguments.ledger.empty()) std::ofstream(arguments.ledger, std::ios::app) << explorer.ledger_line(first_seed) << "\n";
}

int run_plan_file(const Arguments& arguments, kit::Explorer& explorer) {
    std::ifstream in(arguments.plan);
    if (!in) {
        std::fprintf(stderr, "%s cannot be read\n", arguments.plan.c_str());
        return 2;
    }
    std::stringstream text;
    text << in.rdbuf();
    const auto plan = kit::parse_plan(text.str());
    if (!plan) {
        std::fprintf(stderr, "%s\n", describe(plan.error()).c_str());
        return 2;
    }
    const bool held = explorer.run(*plan);
    if (held) std::printf("%s", explorer.summary().c_str());
    write_ledger(arguments, explorer, plan->seed);
    return held ? 0 : 1;
}

// Ctrl-C, or a polite kill, ends after the world that runs, with all that is known; a second one ends at once.
volatile std::sig_atomic_t interrupted = 0;
void interrupt(int signal) {
    interrupted = 1;
    std::signal(signal, SIG_DFL);
}

int explore(const Arguments& arguments, kit::Explorer& explorer) {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    const auto end = begin + std::chrono::duration<double>(arguments.minutes * 60);
    const bool watched = isatty(STDERR_FILENO) == 1;
    auto told = begin;
    for (std::uint64_t i = 0; arguments.minutes > 0 ? Clock::now() < end : i < arguments.worlds; ++i) {
        const kit::Plan plan = kit::generate_plan(arguments.seed + i);
        if (arguments.print_plan) {
            std::printf("%s", kit::print(plan).c_str());
            continue;
        }
        if (!explorer.run(plan) && arguments.until_fail) break;
        if (interrupted != 0) break;
        if (!watched || Clock::now() - told < std::chrono::seconds(1)) continue;
        told = Clock::now();
        std::fprintf(stderr, "\r%llu worlds, %llu failed ", static_cast<unsigned long long>(explorer.worlds()), static_cast<unsigned long long>(explorer.failed()));
    }
    if (watched) std::fprintf(stderr, "\r");
    if (arguments.print_plan) return 0;
    std::printf("%s", explorer.summary().c_str());
    write_ledger(arguments, explorer, arguments.seed);
    return explorer.failed() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
#ifndef SKERRY_PLANTED
    if (skerry::sim::asks_about_a_model(argc, argv)) return skerry::sim::try_main(argc, argv);
#endif
    Arguments arguments;
    CLI::App app{kAbout, "skerry-sim"};
    auto* seed = app.add_option("--seed", arguments.seed, "The first world's seed; the others have the next ones. Without it: a fresh one, printed");
    auto* worlds = app.add_option("--worlds", arguments.worlds, "How many worlds. Without it: one of --seed, 100 of fresh seeds");
    app.add_option("--minutes", arguments.minutes, "Goes on for so long")->check(CLI::PositiveNumber)->excludes(worlds);
    app.add_flag("--until-fail", arguments.until_fail, "Ends at the first world that fails");
    app.add_flag("--trace", arguments.explore.trace, "Prints every line of what happens, to stderr");
    app.add_flag("--print-plan", arguments.print_plan, "Prints the plans and runs nothing");
    app.add_option("--plan", arguments.plan, "Runs the plan in this file")->excludes(seed)->excludes(worlds);
    app.add_flag("--crash-points", arguments.explore.crash_points, "Before every changing call of every disk copies of it lose power in several ways and are opened again");
    app.add_option("--dump", arguments.explore.dump_to, "A folder that gets the databases of a world that fails, for stock sqlite3")->check(CLI::ExistingDirectory);
    app.add_option("--shrink-seconds", arguments.shrink_seconds, "How long a failed plan is made smaller; 0: not at all")->check(CLI::NonNegativeNumber)->capture_default_str();
    app.add_option("--shrunk", arguments.explore.plan_to, "A file that gets the smaller plan");
    app.add_option("--ledger", arguments.ledger, "A file that gets one more line of JSON with the sums");
#ifdef SKERRY_PLANTED
    app.add_option("--plant", arguments.explore.plant, "The planted bug of this number (docs/reliability.md)");
#endif
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    arguments.explore.shrink_for = std::chrono::seconds(arguments.shrink_seconds);
#ifdef SKERRY_PLANTED
    plant_bug(static_cast<Plant>(arguments.explore.plant));
#endif
    if (arguments.worlds == 0) arguments.worlds = seed->count() > 0 ? 1 : 100;
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, interrupt);
    arguments.explore.interrupted = [] { return interrupted != 0; };
    kit::Explorer explorer(arguments.explore);
    if (!arguments.plan.empty()) return run_plan_file(arguments, explorer);
    if (seed->count() == 0) {
        arguments.seed = fresh_seed();
        if (!arguments.print_plan) std::printf("from seed 0x%llx\n", static_cast<unsigned long long>(arguments.seed));
        std::fflush(stdout);
    }
    return explore(arguments, explorer);
}
