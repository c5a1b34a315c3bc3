#include "base/planted.hpp"

#ifdef SKERRY_PLANTED
namespace skerry {

namespace {
Plant active = Plant::kNone;
}

Plant planted_bug() { return active; }
void plant_bug(Plant bug) { active = bug; }

}  // namespace skerry
#endif
