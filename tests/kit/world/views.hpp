// What a user may have on his devices, said once more in plain SQL: written down from the words of the profiles
// (plan/world_model.cpp), never derived by the product's rules.
#pragma once

#include <string>

#include "kit/oracle/oracle.hpp"
#include "kit/plan/plan.hpp"
#include "sqlite/database.hpp"

namespace skerry::kit {

struct Viewer {
    std::string user;
    Claims claims;
};

// Of `all`, the rows of the database, those that the viewer's devices have when nothing is under way.
Result<Images> view_of(sqlite::Database& server, const model::Model& model, const Viewer& viewer, const Images& all);

}  // namespace skerry::kit
