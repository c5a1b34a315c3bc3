// How far the rows of some entities can be relied on. Reads only.
#pragma once

#include <skerry/activity.hpp>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "store/store.hpp"

namespace skerry::store {

// Entities that are not all here yet: their download has not finished, or nothing was downloaded ever.
Result<std::vector<EntityIx>> incomplete(Store& store);
// Of the entities together.
Result<Freshness> freshness(Store& store, std::span<const EntityIx> entities);

}  // namespace skerry::store
