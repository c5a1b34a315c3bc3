// Plans for any model: a few people, each with a device, edit the same few rows as an app of this model would. They do it
// in rounds: most are without a network for a while and write, then all meet. In half of the worlds the network has
// faults, in half of them devices and the server crash.
#pragma once

#include "kit/plan/plan.hpp"
#include "kit/plan/vocabulary.hpp"

namespace skerry::kit {

struct PlanForModel {
    const model::Model& model;
    const Vocabulary& vocabulary;
    std::int64_t devices = 0;  // 0: two to five
};

Plan generate_plan(const PlanForModel& what, std::uint64_t seed);

}  // namespace skerry::kit
