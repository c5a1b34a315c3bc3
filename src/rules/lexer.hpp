// Words of the language; inside the room only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace skerry::rules {

struct Token {
    enum class Kind { kWord, kQuoted, kNumber, kText, kSymbol, kPrincipal, kEnd };
    Kind kind = Kind::kEnd;
    std::string text{};  // a word in lower case, a text without its quotes, a principal value without its colon
    std::size_t at = 0;
};

tl::unexpected<Error> refuse(std::size_t at, std::string_view why);
tl::unexpected<Error> refuse_for_now(std::size_t at, std::string_view what);

// Whether `:me` is a token, or refused by name.
enum class Principal { kRefuse, kAllow };

// Ends with kEnd.
Result<std::vector<Token>> tokens_of(std::string_view text, Principal principal = Principal::kRefuse);

// A word of the language, which an attribute's name is not unless it is quoted.
bool is_reserved(std::string_view word);

}  // namespace skerry::rules
