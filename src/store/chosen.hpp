// What the app wants on demand: values for the model's principal values of kind `chosen`. They are kept, and told at every pull.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "wire/messages.hpp"

namespace skerry::store {

class Store;

inline constexpr std::size_t kChosenValueBytesMax = 1024;  // a value is a key or a word

// Replaces what was chosen under the name; no values: nothing any more. not_found: the model declares no such name.
// invalid_argument: more than wire::kChosenMax values in all, or one that is too long or no text.
Result<void> choose(Store& store, std::string_view name, std::vector<std::string> values);
// By name; only names that the model declares still.
Result<std::vector<wire::Chosen>> chosen(Store& store);

}  // namespace skerry::store
