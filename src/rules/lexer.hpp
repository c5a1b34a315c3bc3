// Words of the language; inside the room only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace skerry::rules {

struct Token {
    enum class Kind { kWord, kQuoted, kNumber, kText, kSymbol, kEnd };
    Kind kind = Kind::kEnd;
    std::string text{};  // a word in lower case, a text without its quotes
    std::size_t at = 0;
};

tl::unexpected<Error> refuse(std::size_t at, std::string_view why);
tl::unexpected<Error> refuse_for_now(std::size_t at, std::string_view what);

// Ends with kEnd.
Result<std::vector<Token>> tokens_of(std::string_view text);

}  // namespace skerry::rules
