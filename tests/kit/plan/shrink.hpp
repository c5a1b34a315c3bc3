// Makes a plan that fails smaller, by trying: fewer steps, devices, faults, writes, values; shorter times. Each try is a
// run of the plan, so a try is kept exactly if the world still fails in the same way (delta debugging: Zeller and
// Hildebrandt, "Simplifying and isolating failure-inducing input", 2002).
#pragma once

#include <functional>

#include "kit/plan/plan.hpp"

namespace skerry::kit {

struct Shrunk {
    Plan plan;
    std::uint64_t runs = 0;
    bool ended = false;  // false: the budget was used up, and more tries might make it smaller
};

// `fails` runs a plan. `may_go_on` is asked before each run.
Shrunk shrink(Plan plan, const std::function<bool(const Plan&)>& fails, const std::function<bool()>& may_go_on);

}  // namespace skerry::kit
