// What a row may not be, as SQL: the conditions that the triggers of a device and those of the server share, so that
// neither takes what the other refuses. They say in SQL what model::check_value says of a value, as far as plain SQL of
// SQLite 3.37 can tell; text that is not UTF-8 it cannot, nor a repeated name in JSON. Storage classes are the STRICT
// table's business. Every condition is false or NULL for NULL.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/model.hpp"

namespace skerry::rules {

// RAISE(ABORT, 'skerry:code: message'). No OR-clause, ever: the outer statement's conflict clause would replace it.
std::string raise(std::string_view code, const std::string& message);

enum class Defaults { kWith, kWithout };
// `"name" TEXT DEFAULT 'x'`
std::string column_definition(const model::Attribute& attribute, Defaults defaults);

enum class Event { kInsert, kUpdate };

// ---- " WHEN condition THEN RAISE(…)" for each thing that NEW must not be, to stand in a CASE ----

// A missing key, and one that is none. For inserts: a key cannot change.
std::string key_refusals(const model::Entity& entity);
// On an update, what has to be parsed (json, set) is judged only where it changes.
std::string value_refusals(const model::Entity& entity, Event event);
// Values longer than a value may be. Empty where no attribute can have any.
std::string size_refusals(const model::Entity& entity);
// Required attributes and the model's checks, of which only a definite no refuses. expression_invalid when a check does
// not parse, which a checked model cannot have.
Result<std::string> rule_refusals(const model::Entity& entity);

}  // namespace skerry::rules
