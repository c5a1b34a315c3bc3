// CONFLICT    An attribute was changed on the server after what the author built on.
// RESOLUTION  The server's value stays and a person decides. While a record of an earlier transaction is open the
//             caller joins it and does not come here; what follows a closed one is a new question, because its author
//             built on what the person may not have chosen.
// WHY         For what no rule can decide, such as a diagnosis: both values are kept, neither is published silently.
#include "merge/common.hpp"

namespace skerry::merge {

Output ask(const Input& in) {
    if (in.mine == in.current) return {};
    if (alone(in)) return write_as_meant(in.mine);
    return {Decision::kAsk, {}, false, false};
}

}  // namespace skerry::merge
