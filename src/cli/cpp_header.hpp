// A model as a C++ header: a struct for each entity, for programs that use skerry::Device.
#pragma once

#include <string>
#include <string_view>

#include "model/model.hpp"

namespace skerry::cli {

// Needs nothing but the public headers. `source` is named in its first line; `name_space` is a C++ namespace.
std::string cpp_header(const model::Model& model, std::string_view source, std::string_view name_space);

// a, or a::b; no word of the language.
bool is_cpp_namespace(std::string_view text);
// A member's name for an attribute: itself, or with an underscore where the language or the header has that word.
std::string cpp_member(std::string_view attribute);
// household_visit -> HouseholdVisit; what is no letter or digit parts words.
std::string cpp_type_name(std::string_view name);
// A string literal.
std::string cpp_text(std::string_view text);

}  // namespace skerry::cli
