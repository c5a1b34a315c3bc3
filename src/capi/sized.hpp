// Structs that a program fills: `size` comes first, and members that were added later stand at the end. A program that was built
// against an older header hands over a shorter one, of which nothing behind its end is read.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.hpp"

namespace skerry::capi {

// A copy of this library's size; what the program's header did not have yet is zero. `first`: the size of the first version.
// Errors: invalid_argument, by name: none was given, it is shorter than that, or longer than this library knows.
template <class T>
Result<T> taken(const T* given, std::size_t first, std::string_view name) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (given == nullptr) return fail(Code::kInvalidArgument, "no " + std::string(name) + " were given");
    std::size_t size = 0;
    std::memcpy(&size, given, sizeof size);
    if (size < first || size > sizeof(T))
        return fail(Code::kInvalidArgument, std::string(name) + ".size is " + std::to_string(size) + "; it has to be sizeof(" + std::string(name) + "), which this library takes from " +
                                                std::to_string(first) + " to " + std::to_string(sizeof(T)));
    T own{};
    std::memcpy(static_cast<void*>(&own), given, size);
    return own;
}

}  // namespace skerry::capi
