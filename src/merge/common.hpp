// What the policies share; inside the room only.
#pragma once

#include "merge/merge.hpp"

namespace skerry::merge {

// What was not written is inherited whatever is there now. For what was written, current is compared with what it left; where
// that is not known there is nothing to compare with but the old value, as without a predecessor.
inline Prior effective_prior(const Input& in) {
    const bool written = in.prior == Prior::kApplied || in.prior == Prior::kMerged;
    return written && !in.left ? Prior::kNone : in.prior;
}

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
