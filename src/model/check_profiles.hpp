// The part of check() about `principal` and `profiles`; inside the room only.
#pragma once

#include "base/result.hpp"
#include "model/model.hpp"

namespace skerry::model {

// Precondition: the entities have been checked. Conditions are only measured: the reader, and whoever runs them,
// parses them.
Result<void> check_profiles(const Model& model);

}  // namespace skerry::model
