// Helpers for Result<T> inside the rooms; the type itself is public (skerry/error.hpp).
#pragma once

#include <skerry/error.hpp>

// Returns the error of `expression` from the calling function, if it is one.
#define SKERRY_TRY(expression)                                                                   \
    do {                                                                                         \
        if (auto skerry_try_result = (expression); !skerry_try_result)                           \
            return ::tl::unexpected<::skerry::Error>(std::move(skerry_try_result.error()));      \
    } while (false)

#define SKERRY_JOIN_2(a, b) a##b
#define SKERRY_JOIN(a, b) SKERRY_JOIN_2(a, b)

// Declares `variable` with the value of `expression`, or returns its error.
#define SKERRY_ASSIGN(variable, expression) \
    SKERRY_ASSIGN_IMPL(SKERRY_JOIN(skerry_result_, __LINE__), variable, expression)
#define SKERRY_ASSIGN_IMPL(result, variable, expression)                            \
    auto result = (expression);                                                     \
    if (!result) return ::tl::unexpected<::skerry::Error>(std::move(result.error())); \
    variable = std::move(*result)
