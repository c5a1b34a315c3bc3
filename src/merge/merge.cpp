#include "merge/merge.hpp"

#include "merge/common.hpp"

namespace skerry::merge {

bool as_built_on(const Input& in) {
    if (effective_prior(in) != Prior::kNone) return in.left && model::value_hash(in.current) == *in.left;
    if (in.old_hash) return model::value_hash(in.current) == *in.old_hash;
    return in.current == in.old_value;
}

Result<Output> merge(const model::Attribute& attribute, const Input& in) {
    switch (attribute.merge) {
        case model::Merge::kLast: return last(in);
        case model::Merge::kFirst: return first(in);
        case model::Merge::kMax: return max(in);
        case model::Merge::kMin: return min(in);
        case model::Merge::kCounter: return counter(attribute, in);
        case model::Merge::kSet: return set(in);
        case model::Merge::kText: return text(in);
        case model::Merge::kAsk: return ask(in);
    }
    return fail(Code::kInternal, "attribute " + attribute.name + " has an unknown policy");
}

Value rebase(const model::Attribute& attribute, const Value& old_value, const Value& mine, const Value& base) {
    if (base == old_value) return mine;
    switch (attribute.merge) {
        case model::Merge::kCounter: return rebase_counter(attribute, old_value, mine, base);
        case model::Merge::kSet: return merge_sets(old_value, mine, base);
        case model::Merge::kText: return rebase_text(old_value, mine, base);
        default: return mine;
    }
}

}  // namespace skerry::merge
