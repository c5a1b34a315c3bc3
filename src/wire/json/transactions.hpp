// A line that is a transaction. For this room's .cpp files.
#pragma once

#include "wire/json/object.hpp"
#include "wire/transaction.hpp"

namespace skerry::wire::json {

// Its operations, and the attributes of each, are put into the order that the binary form has them in.
Result<Transaction> read_transaction(Object& line, const model::Model& model);

// invalid_argument if the model has none of that name.
Result<EntityIx> read_entity(Object& object, const model::Model& model);

}  // namespace skerry::wire::json
