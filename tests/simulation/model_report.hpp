// What a developer is told of a run over his model, in the words of docs/, and the same as JSON.
#pragma once

#include "simulation/meetings.hpp"

namespace skerry::sim {

struct Violation {
    std::uint64_t seed = 0;
    std::string invariant;
    std::string what;
    std::string replay;
};

struct ModelRun {
    std::string file;
    const model::Model& model;      // as it ran
    bool profiles_left_out = false;
    std::int64_t devices = 0;  // 0: two to five
    std::uint64_t first_seed = 1;
    std::uint64_t worlds = 0;
    std::vector<Violation> violations;
};

// What a developer may act on; each says how often the run showed it.
std::vector<std::string> hints(const model::Model& model, const Findings& findings);
// What the run could not try or does not judge, by name.
std::vector<std::string> not_looked_at(const ModelRun& run, const Findings& findings);

std::string report_text(const ModelRun& run, const Findings& findings);
std::string report_json(const ModelRun& run, const Findings& findings);

}  // namespace skerry::sim
