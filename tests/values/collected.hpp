// Reads the collections. Not with the product's own JSON reader: that one is under test.
#pragma once

#include <string>
#include <vector>

namespace skerry::values {

// The contents of the file's string literals in double quotes, in order, escapes resolved; \u0000 and lone surrogates too.
// Fails the test when the file cannot be read.
std::vector<std::string> strings_in(const std::string& path);

}  // namespace skerry::values
