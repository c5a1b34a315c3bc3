// Executes a plan in a world of its own.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kit/plan/plan.hpp"
#include "kit/world/scene.hpp"

namespace skerry::kit {

struct Report {
    bool ok = false;
    Failure failure;
    std::uint64_t trace_hash = 0;
    std::uint64_t rows_hash = 0;  // of the server's rows at the end, conflict records aside (their keys are random)
    std::string text;  // of a failure: what, and the last lines of the trace
    std::map<std::string, std::uint64_t> marks;
    std::uint64_t events = 0;
    std::int64_t virtual_ms = 0;
};

// A model that is not the kit's own, and who wants to know what happens to its transactions.
struct Subject {
    const model::Model& model;
    Scene::NewValue new_value;
    Holds holds;
    Witness& witness;
};

struct RunOptions {
    bool echo = false;
    CrashTotals* crashes = nullptr;  // set: every changing call of every disk is a crash point (crash_forks.hpp)
    const Subject* subject = nullptr;  // another model than the kit's own
    std::string dump_to;  // a folder that gets all databases of a world that failed, for stock sqlite3
};

Report run(const Plan& plan, const RunOptions& options = {});

}  // namespace skerry::kit
