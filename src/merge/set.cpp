// CONFLICT    None: what the author did is additions and removals, and those of several people do not exclude each
//             other. A member that one adds and another removes cannot be the same: either it was there or not.
// RESOLUTION  current, with what he added, without what he removed, always. NULL is the empty set.
// WHY         Tags and lists of names: nobody's addition may vanish because somebody else added another.
#include <algorithm>
#include <iterator>

#include "base/planted.hpp"
#include "merge/common.hpp"
#include "model/json.hpp"

namespace skerry::merge {

namespace {

using Members = std::vector<std::string>;  // as JSON strings, sorted

// A canonical set is sorted by the bytes of its members, not of their JSON forms, which escapes change. What another program has just
// written may hold a member twice: removed, both are.
Members members_of(const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return {};
    auto elements = model::json_elements(*text);
    if (!elements) return {};
    Members members;
    for (const std::string& element : *elements)
        if (auto content = model::json_string_content(element)) members.push_back(std::move(*content));
    std::sort(members.begin(), members.end());
    members.erase(std::unique(members.begin(), members.end()), members.end());
    return members;
}

Members without(const Members& a, const Members& b) {
    Members out;
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
    return out;
}

}  // namespace

Value merge_sets(const Value& old_value, const Value& mine, const Value& current) {
    if (current == old_value) return mine;
    const Members before = members_of(old_value);
    const Members wanted = members_of(mine);
    const Members kept = planted(Plant::kUnionForgetsRemoval) ? members_of(current) : without(members_of(current), without(before, wanted));
    const Members added = without(wanted, before);
    Members all;
    std::set_union(kept.begin(), kept.end(), added.begin(), added.end(), std::back_inserter(all));
    if (all.empty() && is_null(current)) return current;
    std::string out = "[";
    for (const std::string& member : all) {
        if (out.size() > 1) out += ',';
        model::append_json_string(out, member);
    }
    return out + "]";
}

Output set(const Input& in) {
    Value value = merge_sets(in.old_value, in.mine, in.current);
    if (value == in.current) return {};
    return {Decision::kWrite, std::move(value), false, !alone(in)};
}

}  // namespace skerry::merge
