// A value of a row, exactly as SQLite holds it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace skerry {

/// SQL's NULL as a value: what an attribute holds that has none.
struct Null {
    /// Always true: there is one NULL. (In SQL, NULL = NULL is not true.)
    friend bool operator==(Null, Null) { return true; }
};
/// Bytes of any content.
using Blob = std::vector<std::uint8_t>;

/// One value. Text is UTF-8 without NUL. Integers are 64 bits and never rounded. How each type of the model is held, a decimal or a date
/// for example, says docs/model.md; Device::value_from_text() and Device::value_to_text() translate.
using Value = std::variant<Null, std::int64_t, double, std::string, Blob>;

/// Whether the value is NULL.
inline bool is_null(const Value& value) { return std::holds_alternative<Null>(value); }

/// The result of a query: rows of values, in the order of `columns`.
struct Table {
    std::vector<std::string> columns;      ///< the columns' names, as SQLite gives them
    std::vector<std::vector<Value>> rows;  ///< each has as many values as there are columns
};

}  // namespace skerry
