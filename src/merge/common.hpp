// What the policies share; inside the room only.
#pragma once

#include "merge/merge.hpp"

namespace skerry::merge {

// What the predecessor left may be forgotten (the row's result went before the attribute's); then there is nothing to
// compare current with but the old value, as without a predecessor.
inline Prior effective_prior(const Input& in) { return in.left ? in.prior : Prior::kNone; }

// What the author built on is not what somebody else put there and his predecessor failed to change.
inline bool prior_was_written(const Input& in) {
    const Prior prior = effective_prior(in);
    return prior == Prior::kNone || prior == Prior::kApplied || prior == Prior::kMerged;
}

// Nobody else's change is met.
inline bool alone(const Input& in) { return prior_was_written(in) && as_built_on(in); }

inline Output write_as_meant(const Value& value) { return {Decision::kWrite, value, false, false}; }

Value rebase_counter(const model::Attribute& attribute, const Value& old_value, const Value& mine, const Value& base);
Value rebase_text(const Value& old_value, const Value& mine, const Value& base);

}  // namespace skerry::merge
