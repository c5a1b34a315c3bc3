// How long to wait after a failure.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

namespace skerry::engine {

// Every limit with its reason.
inline constexpr Millis kBackoffFirst{250};
inline constexpr Millis kBackoffMax{30'000};         // nobody is waiting
inline constexpr Millis kBackoffMaxInFront{5'000};   // a person is
inline constexpr Millis kHerdSpread{10'000};         // a server that comes back meets its devices spread over so long
inline constexpr Millis kAskedToWaitMax{900'000};    // whatever a server, or a proxy before it, asks for: a quarter of an hour

// Waiting does not mend these: a person or another program has to.
bool needs_attention(Code code);
// What ails one channel ails the other: trying it would only take time.
bool is_shared(Code code);
// The server was not reached, or what answered is not one.
bool is_out_of_reach(Code code);

struct Backoff {
    bool in_front = false;  // the app is on the screen

    // `failures` in a row, this one included; `was_connected`: an open answer broke, so other devices' did too.
    // There is no last attempt.
    Millis delay(const Error& error, int failures, bool was_connected, Millis asked_to_wait, Random& random) const;
};

}  // namespace skerry::engine
