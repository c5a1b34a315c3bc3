// The policies of docs/model.md, one function each, in the plainest form: quadratic where that is shorter.
#pragma once

#include "kit/oracle/facts.hpp"

namespace skerry::kit {

// What became of the attribute in the author's own earlier transaction.
enum class Earlier { kNone, kApplied, kMerged, kLost, kDecided };

struct Meeting {
    Value old_value;
    Value mine;
    Value current;
    Earlier earlier = Earlier::kNone;
    Value left;  // by the earlier one
};

enum class Effect { kNothing, kWrite, kLose, kAsk, kInvalid };
struct Result3 {
    Effect effect = Effect::kNothing;
    Value value;
    bool merged = false;
    bool open = false;  // the documents do not say whether this is called merged
};

Result3 resolve(const model::Attribute& attribute, const Meeting& meeting);

}  // namespace skerry::kit
