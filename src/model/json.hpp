// JSON in the one form that everything here compares and hashes: RFC 8785 (JSON Canonicalization Scheme). Small
// enough for a device and for WebAssembly; what it does not take is refused by name, never altered silently.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace skerry::model {

inline constexpr int kJsonDepthMax = 100;  // deeper nesting is refused: parsers of other languages recurse

// Canonical text of one JSON value: members sorted by UTF-16 code units, numbers as ECMAScript prints them, no space.
// value_invalid with the offset: malformed, a name twice in one object, a number that no double holds (infinite, or an
// integer beyond 2^53 whose digits would change), a lone surrogate, NUL in a string, too deep. A fraction is rounded to
// the nearest double, as every reader of JSON does. Canonical text is its own canonical form.
Result<std::string> canonical_json(std::string_view text);

// Whether it has the form of a JSON number, of any size.
bool is_json_number(std::string_view text);
// A finite number as ECMAScript prints it.
void append_json_number(std::string& out, double v);

// "text" with its quotes and escapes, canonical.
void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);
// The content of a JSON string, from its canonical or any other valid form.
Result<std::string> json_string_content(std::string_view json);

// The elements of an array, or the members of an object, each as its canonical JSON text. value_invalid if it is none.
Result<std::vector<std::string>> json_elements(std::string_view json);
Result<std::vector<std::pair<std::string, std::string>>> json_members(std::string_view json);

}  // namespace skerry::model
