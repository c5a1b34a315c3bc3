// Assertions for our own bugs. They stay on in every build: a loud stop beats silent divergence.
#pragma once

namespace skerry {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
}

#define SKERRY_ASSERT(expression) \
    ((expression) ? static_cast<void>(0) : ::skerry::assertion_failed(#expression, __FILE__, __LINE__))
