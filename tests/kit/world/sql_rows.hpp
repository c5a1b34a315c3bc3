// Rows as a plain SQLite program sees them, and the writes of a plan said as SQL.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kit/oracle/oracle.hpp"
#include "kit/plan/plan.hpp"
#include "sqlite/database.hpp"

namespace skerry::kit {

// All rows of all entities of the model, conflict records included.
Result<Images> read_images(sqlite::Database& db, const model::Model& model);
// For people and tests: "k1: 'x' 1", by key.
std::vector<std::string> as_lines(const Images& images, const model::Model& model, std::string_view entity);

using Say = std::function<Result<void>(const std::string& sql, const std::vector<Value>& parameters)>;
// Says one write. A refusal (the key exists, a check fails) is an answer, not an error: the transaction goes on.
Result<void> say(const Write& write, const model::Model& model, const Say& target);
// What a database may answer to a write that its model does not allow; the transaction goes on.
bool is_answer(Code code);
// Says SQL with parameters through a plain connection.
Say plainly(sqlite::Database& db);

}  // namespace skerry::kit
