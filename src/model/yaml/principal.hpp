// `principal:` of the file: what is known of the user.
#pragma once

#include "model/model.hpp"
#include "model/yaml/faults.hpp"

namespace skerry::model::yaml {

// Into model.principal. A value with a fault is there too, so that the rules that use it have none.
void read_principal(Faults& faults, const Node& principal, Model& model);

}  // namespace skerry::model::yaml
