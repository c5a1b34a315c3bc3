#include "host/check_link.hpp"

namespace skerry::host {

Result<engine::CheckStep> CheckLink::next(wire::Check& request) {
    SKERRY_ASSIGN(const store::CheckNext next, checker_.next(request));
    switch (next) {
        case store::CheckNext::kAsk: return engine::CheckStep::kAsk;
        case store::CheckNext::kRepair: return engine::CheckStep::kRepair;
        case store::CheckNext::kDone: break;
    }
    return engine::CheckStep::kDone;
}

}  // namespace skerry::host
