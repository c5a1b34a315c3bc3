// Values for the columns of random worlds: the odd ones of every type, and often the same ones, so that writers meet.
#pragma once

#include "base/random.hpp"
#include "kit/plan/plan.hpp"
#include "model/model.hpp"

namespace skerry::kit {

// `own_program`: values that only a device's server check can refuse (JSON with a name twice) are among them.
enum class Oddity { kStorable, kAlsoRefused };
Value random_value(Random& random, const model::Attribute& attribute, Oddity oddity);
// Of an attribute of this model: where scopes hang on it, one of few values.
Value random_value(Random& random, const model::Model& model, const model::Entity& entity, const model::Attribute& attribute, Oddity oddity);
Value random_text(Random& random);
Value random_integer(Random& random);

}  // namespace skerry::kit
