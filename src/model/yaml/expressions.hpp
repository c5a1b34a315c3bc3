// What is wrong with an expression of the file, for a person.
#pragma once

#include <string>
#include <string_view>

#include "model/model.hpp"
#include "model/yaml/faults.hpp"

namespace skerry::model::yaml {

// `error` is of src/rules, about an expression of `entity`. `place` begins the message; `remedy` ends it where the
// language has the thing but not here.
void expression_fault(Faults& faults, const std::string& place, Mark mark, const Error& error,
                      const Entity& entity, std::string_view remedy);

}  // namespace skerry::model::yaml
