// Every error code with its cause and its remedy. docs/errors.md is generated from it.
#pragma once

#include <skerry/error.hpp>
#include <span>
#include <string_view>

namespace skerry {

struct ErrorEntry {
    Code code;
    std::string_view name;
    std::string_view cause;
    std::string_view remedy;
};

std::span<const ErrorEntry> error_table();

// The code with this number, or kServerFailed for a number that this build does not know (a newer peer).
Code code_from_number(std::uint16_t number);

}  // namespace skerry
