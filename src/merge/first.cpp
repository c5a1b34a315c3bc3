// CONFLICT    An attribute was changed on the server after what the author built on.
// RESOLUTION  The server's value stays; the author's goes to history. In a chain the loss is inherited: who went on
//             from a value that lost never saw the one that stayed, even where current equals his old by accident.
// WHY         For what the first to come decides, such as who took a task: a later claim must not undo it.
#include "merge/common.hpp"

namespace skerry::merge {

Output first(const Input& in) {
    if (in.mine == in.current) return {};
    if (alone(in)) return write_as_meant(in.mine);
    return {Decision::kLose, {}, false, true};
}

}  // namespace skerry::merge
