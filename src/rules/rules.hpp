// Row conditions: the small language of checks and asserts, and in time of access rules. One text serves every place
// that decides: the server's tables, the server's intake, the device's triggers.
//
//   condition   a or b, a and b, not a, a = b, <> (!=), <, <=, >, >=, a [not] in (…), a is [not] null,
//               a [not] between b and c, a [not] like 'pattern' [escape 'c'], a bool attribute, true, false
//   value       an attribute by its name (in "double quotes" where it is a word of the language), 12, 12.5, 'text', null,
//               + - * / %, -a, length(text), lower, upper, abs, coalesce(a, b, …), min(a, b), max(a, b)
//
// Three-valued as in SQL: what is compared with NULL is neither true nor false. Types are checked when it is parsed:
// a text literal beside a date, uuid or enum must be one, a number beside a decimal gets its scale. Comparison is by
// bytes; `like` minds the case; lower and upper know the letters A to Z. min and max of NULL are NULL. Dividing by
// zero gives NULL; whole numbers are divided without remainder; a sum beyond 64 bits goes on as a real.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/model.hpp"

namespace skerry::rules {

// Every limit with its reason; beyond it the expression is refused. Bytes: model::kExpressionBytesMax.
inline constexpr int kDepthMax = 50;        // the parser recurses
inline constexpr int kNodesMax = 500;       // each check is part of two triggers' text
inline constexpr int kOpenSymbolsMax = 70;  // an older SQLite, which reads our triggers too, holds 100 while it parses

struct Node {
    enum class Kind { kLiteral, kColumn, kNot, kNegate, kBinary, kIn, kIsNull, kBetween, kLike, kCall };
    Kind kind = Kind::kLiteral;
    std::string text{};  // the literal in SQL, the column's name, the operator or function in SQL
    bool negated = false;  // not in, is not null, not between, not like
    std::vector<Node> children{};
};

struct Expression {
    Node root;
};

// A condition on one row of the entity, its key included. expression_invalid with the byte where it fails; what only
// the full language will have (paths over associations, principal values, sub-selects) is refused as not_supported.
Result<Expression> parse(std::string_view text, const model::Entity& entity);

// An SQL expression for SQLite from 3.37, giving 1, 0 or NULL. The prefix stands before each column: "NEW.".
std::string to_sql(const Expression& expression, std::string_view prefix);

}  // namespace skerry::rules
