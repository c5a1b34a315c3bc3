// skerry-sim --model FILE: runs the simulator on an app's own model and tells what its people will meet.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "simulation/model_report.hpp"

namespace skerry::sim {

struct TryOptions {
    std::string file;
    std::uint64_t first_seed = 1;
    std::int64_t devices = 0;                    // 0: two to five, as the seed has it
    std::optional<std::uint64_t> worlds{};       // none: as many as the time allows
    std::optional<double> minutes{};             // none: as long as the worlds take
    bool json = false;
    bool trace = false;
    bool print_plan = false;
    std::string dump_to{};  // a folder that gets the databases of a world that failed
};

struct Tried {
    ModelRun run;
    Findings findings;
};
// `go_on` is asked before each world with how many have run.
Tried try_model(const model::Model& model, const TryOptions& options, const std::function<bool(std::uint64_t)>& go_on);

// Whether these arguments are for try_main: --model or --help is among them.
bool asks_about_a_model(int argc, char** argv);
// The whole program. Exit code 0: all held; 1: an invariant was violated; 2: usage, or faults of the model.
int try_main(int argc, char** argv);

}  // namespace skerry::sim
