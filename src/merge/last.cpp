#include "merge/last.hpp"

#include "base/hash.hpp"
#include "model/value.hpp"

namespace skerry::merge {

std::uint64_t value_hash(const Value& value) {
    Bytes bytes;
    Writer out(bytes);
    model::put_value(out, value);
    return hash64(bytes);
}

LastOutput last(const LastInput& in) {
    if (in.mine == in.current) return {};
    const bool as_built_on = in.left ? value_hash(in.current) == *in.left : in.current == in.old_value;
    return {.write = true, .to_history = !as_built_on};
}

}  // namespace skerry::merge
