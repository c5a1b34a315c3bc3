// The part of evolve.hpp about `principal` and `profiles`; inside the room only.
#pragma once

#include <string>
#include <vector>

#include "model/model.hpp"

namespace skerry::model {

// Gives `next`, whose entities are placed, what `wanted` says of the principal and of profiles, in the positions
// of `next`. All of it may change: devices exchange the difference. What the order of a list does not say (of
// principal values, of a profile's entities) stays as in `old`, so that equal content is equal; the order of
// profiles says which is the first. Precondition: every entity and attribute of `wanted` is in `next`, by its
// name.
void place_profiles(const Model& old, const Model& wanted, Model& next);

void profile_differences(const Model& old, const Model& next, std::vector<std::string>& out);

}  // namespace skerry::model
