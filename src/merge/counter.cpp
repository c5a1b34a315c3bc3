// CONFLICT    None: what the author did is a difference, and differences add up.
// RESOLUTION  current + (mine - old), always, also when current equals mine already: two people who each went from 5
//             to 6 made it 7. NULL counts as 0. old and mine are the device's own, in a chain too: they say by how
//             much, whatever the server made of the predecessor.
// WHY         A count that two people raise offline must hold both. The sum is the same in any order.
#include "base/planted.hpp"
#include "merge/common.hpp"

namespace skerry::merge {

namespace {

__extension__ using Wide = __int128;  // three values of 64 bits add up in it

Wide number(const Value& value) {
    const auto* n = std::get_if<std::int64_t>(&value);
    return n == nullptr ? 0 : *n;
}

Wide sum_of(const Value& old_value, const Value& mine, const Value& current) {
    return number(current) + number(mine) - number(old_value);
}

struct Ends {
    std::int64_t low;
    std::int64_t high;
};

Ends ends_of(const model::Attribute& attribute) {
    if (attribute.type != model::Type::kDecimal) return {INT64_MIN, INT64_MAX};
    std::int64_t end = 1;
    for (int i = 0; i < attribute.precision; ++i) end *= 10;
    return {1 - end, end - 1};
}

}  // namespace

Result<Output> counter(const model::Attribute& attribute, const Input& in) {
    if (planted(Plant::kCounterAppliedAsValue)) return last(in);
    // NULL where it was meant: the author's value itself says more than its sum.
    if (in.current == in.old_value) {
        if (in.mine == in.current) return Output{};
        return Output{Decision::kWrite, in.mine, false, !alone(in)};
    }
    const Wide sum = sum_of(in.old_value, in.mine, in.current);
    const Ends ends = ends_of(attribute);
    if (sum < ends.low || sum > ends.high)
        return fail(Code::kValueInvalid, attribute.name + " would leave its range: others have changed it too, and the differences add up");
    const Value value = static_cast<std::int64_t>(sum);
    if (value == in.current || (sum == 0 && is_null(in.current))) return Output{};
    return Output{Decision::kWrite, value, false, !alone(in)};
}

Value rebase_counter(const model::Attribute& attribute, const Value& old_value, const Value& mine, const Value& base) {
    const Wide sum = sum_of(old_value, mine, base);
    const Ends ends = ends_of(attribute);
    if (sum < ends.low) return ends.low;
    if (sum > ends.high) return ends.high;
    if (sum == 0 && is_null(base)) return base;
    return static_cast<std::int64_t>(sum);
}

}  // namespace skerry::merge
