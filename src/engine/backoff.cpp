#include "engine/backoff.hpp"

#include <algorithm>

namespace skerry::engine {

bool needs_attention(Code code) {
    switch (code) {
        case Code::kUnauthorized:
        case Code::kDeviceOfOtherUser:
        case Code::kModelMismatch:
        case Code::kModelInvalid:
        case Code::kModelChange:
        case Code::kProtocolTooNew:
        case Code::kFormatTooNew:
        case Code::kNotSupported:
        case Code::kInvalidArgument:  // the server takes no such request
        case Code::kLimitExceeded:
        case Code::kTxnTooBig:        // another program's commit, which cannot be numbered
        case Code::kSql:              // the app's own tables, views or triggers are in the way
        case Code::kConstraint:
        case Code::kInternal:
        case Code::kGapLost:
        case Code::kPrincipalFailed:
        case Code::kTooManyScopes:
        case Code::kProfileUnknown:
        case Code::kNoSuchRoute:
        case Code::kCorruptStore:
        case Code::kDiskFull:
        case Code::kReadOnly: return true;
        default: return false;
    }
}

bool is_shared(Code code) {
    switch (code) {
        case Code::kOffline:
        case Code::kForeignAnswer:
        case Code::kUnauthorized:
        case Code::kServerBusy:
        case Code::kDeviceOfOtherUser:
        case Code::kModelMismatch:
        case Code::kProtocolTooNew: return true;
        default: return false;
    }
}

bool is_out_of_reach(Code code) { return code == Code::kOffline || code == Code::kForeignAnswer; }

Millis Backoff::delay(const Error& error, int failures, bool was_connected, Millis asked_to_wait, Random& random) const {
    const Millis most = in_front ? kBackoffMaxInFront : kBackoffMax;
    const auto upto = [&](Millis bound) { return Millis{static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bound.count()) + 1))}; };
    Millis delay = std::min<Millis>(kBackoffFirst * (1 << std::clamp(failures - 1, 0, 10)), most);
    // Jitter over the upper half: devices spread, nobody waits long.
    delay = delay / 2 + upto(delay / 2);
    if (needs_attention(error.code)) delay = most;
    if (was_connected && !in_front) delay = std::max(delay, upto(kHerdSpread));
    // What the server asks for is the least, and all devices were asked at once.
    const Millis asked = std::min(asked_to_wait, kAskedToWaitMax);
    if (asked > delay) delay = asked + upto(std::min(asked / 4, kHerdSpread));
    return delay;
}

}  // namespace skerry::engine
