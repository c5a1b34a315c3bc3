// A value of a row, exactly as SQLite holds it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace skerry {

struct Null {
    friend bool operator==(Null, Null) { return true; }
};
using Blob = std::vector<std::uint8_t>;

// Text is UTF-8 without NUL. Integers are 64 bits and never rounded.
using Value = std::variant<Null, std::int64_t, double, std::string, Blob>;

inline bool is_null(const Value& value) { return std::holds_alternative<Null>(value); }

// The result of a query: rows of values, in the order of `columns`.
struct Table {
    std::vector<std::string> columns;
    std::vector<std::vector<Value>> rows;
};

}  // namespace skerry
