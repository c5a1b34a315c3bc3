// Of several programs on one store, one at a time syncs: the one that has the turn.
#pragma once

#include "base/result.hpp"

namespace skerry::engine {

class TurnPort {
  public:
    virtual ~TurnPort() = default;
    // True: it is ours, since now or before. False: another has it. Whoever ends without giving it back, killed too, has it no more.
    virtual Result<bool> take() = 0;
    virtual void give_back() = 0;
};

}  // namespace skerry::engine
