// Small models from seeds, as YAML: every type, policy and option, in combinations that nobody thought of.
#pragma once

#include <cstdint>
#include <string>

namespace skerry::sim {

std::string random_model(std::uint64_t seed);

}  // namespace skerry::sim
