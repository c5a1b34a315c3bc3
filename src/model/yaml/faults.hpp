// What is wrong with a model file, collected while it is read.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/yaml/tree.hpp"

namespace skerry::model::yaml {

// A word of the syntax that is refused by name, with what to do instead. Written out, so that a model that asks for
// something is told so, never "unknown", and is never half obeyed.
struct NotYet {
    std::string_view word;
    std::string_view instead;
};

using Words = std::span<const std::string_view>;

const NotYet* find(std::span<const NotYet> list, std::string_view word);
bool contains(Words list, std::string_view word);

// "; did you mean 'text'?", or "; known here: …" when nothing is near.
std::string suggestion(std::string_view word, Words words, std::span<const NotYet> later = {});

std::string_view trimmed(std::string_view text);

// Something like `never` or `none, clear`, and no expression.
bool is_one_word(std::string_view text);

class Faults {
  public:
    void invalid(Mark mark, std::string text) { list.push_back({mark, Code::kModelInvalid, std::move(text)}); }
    void not_yet(Mark mark, std::string text) { list.push_back({mark, Code::kNotSupported, std::move(text)}); }
    // `where` follows the word in the message: " of entity 'x'".
    void unknown_word(const Node& key, std::string_view where, Words words, std::span<const NotYet> later);
    // A wrong word where one of `words` must stand; `what` begins the message. Searching for what was meant is for
    // the faults that will be shown.
    void wrong_word(Mark mark, std::string what, std::string_view word, Words words,
                    std::span<const NotYet> later = {});
    bool name_is_good(const Node& node, std::string_view what);

    std::vector<Fault> list;
};

}  // namespace skerry::model::yaml
