// A changed model in place: what a newer model file may change while devices and rows exist, without translation.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/model.hpp"

namespace skerry::model {

// `wanted` in the positions of `old`: what was there keeps its EntityIx, attribute index and place among the enum
// values; what is new is appended. Both models are checked and complete; so is the answer. Equal content of an equal
// version gives `old` itself. A model is its own successor's successor: evolve(old, next) is `next` again, which is how
// a device knows that compiled bytes are a successor of what it has.
//
// Allowed: new entities; new attributes that may be NULL or have a default; new enum values; changed merge, conflict,
// update_delete, create_create and strict; indexes made or dropped; profiles and what they know of the principal. The
// version grows with every change.
//
// Anything else is refused with model_change, one line for each change: what it is and what to do instead. A changed
// default is among them: it is the value of the rows that were there before the attribute, in tables, in journals and
// in the hashes of rows.
Result<Model> evolve(const Model& old, const Model& wanted);

// One sentence for each difference between `old` and its successor `next`, for a person. Precondition: evolve(old, next)
// is `next`.
std::vector<std::string> differences(const Model& old, const Model& next);

}  // namespace skerry::model
