// CONFLICT    An attribute was changed on the server after what the author built on.
// RESOLUTION  The larger (smaller) of current and mine; the other goes to history. Where nobody else changed it the
//             author's value is written also when it is the smaller one: he saw what he corrected. NULL is no value:
//             any value is beyond it.
// WHY         For readings and high-water marks, where the order of arrival means nothing. Any number of concurrent
//             changes ends in the same value in any order.
#include "merge/common.hpp"

namespace skerry::merge {

namespace {

// Values of one type, in canonical form, whose bytes order as the dates and times that they write.
bool less(const Value& a, const Value& b) {
    if (const auto* x = std::get_if<std::int64_t>(&a))
        if (const auto* y = std::get_if<std::int64_t>(&b)) return *x < *y;
    if (const auto* x = std::get_if<double>(&a))
        if (const auto* y = std::get_if<double>(&b)) return *x < *y;
    if (const auto* x = std::get_if<std::string>(&a))
        if (const auto* y = std::get_if<std::string>(&b)) return *x < *y;
    return a.index() < b.index();
}

Output outer(const Input& in, bool (*mine_is_beyond)(const Value& mine, const Value& current)) {
    if (in.mine == in.current) return {};
    if (alone(in)) return write_as_meant(in.mine);
    const bool mine_wins = is_null(in.current) || (!is_null(in.mine) && mine_is_beyond(in.mine, in.current));
    if (!mine_wins) return {Decision::kLose, {}, false, true};
    return {Decision::kWrite, in.mine, true, true};
}

}  // namespace

Output max(const Input& in) {
    return outer(in, [](const Value& mine, const Value& current) { return less(current, mine); });
}

Output min(const Input& in) {
    return outer(in, [](const Value& mine, const Value& current) { return less(mine, current); });
}

}  // namespace skerry::merge
