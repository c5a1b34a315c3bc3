// CONFLICT    An attribute was changed on the server after what the author built on.
// RESOLUTION  The author's value is written; the one it displaces goes to history, and the transaction is told
//             "merged" instead of "applied".
// WHY         It is what people expect of a field that two of them filled in, it needs no clock, and nothing is lost:
//             history keeps the other value.
#include "merge/common.hpp"

namespace skerry::merge {

Output last(const Input& in) {
    if (in.mine == in.current) return {};
    const bool met_others = !alone(in);
    return {Decision::kWrite, in.mine, met_others, met_others};
}

}  // namespace skerry::merge
