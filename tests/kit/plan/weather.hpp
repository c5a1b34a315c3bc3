// What befalls the devices of a plan, whatever its model: the network's faults, partitions, crashes.
#pragma once

#include "base/random.hpp"
#include "kit/plan/plan.hpp"

namespace skerry::kit {

// Every class of fault is off altogether in a quarter of the seeds.
bool is_allowed(std::uint64_t seed, std::string_view fault);
Step& add_step(Plan& plan, std::int64_t at, StepKind kind, std::uint32_t device);
// Steps of one moment keep their order.
void sort_by_time(Plan& plan);

struct Weather {
    std::uint64_t seed;
    std::int64_t devices;
    void network(Plan& plan, std::int64_t duration) const;
    void crashes(Plan& plan, std::int64_t duration) const;

  private:
    std::uint32_t any_device(Random& random) const;
};

}  // namespace skerry::kit
