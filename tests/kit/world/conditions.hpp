// Whether a condition of a model holds of a row, said by SQLite in the SQL that the product makes of it. So models may have
// any condition; whether the product's language means what the documents say is for other tests (src/rules).
#pragma once

#include "kit/oracle/facts.hpp"

namespace skerry::kit {

Holds conditions_in_sql();

}  // namespace skerry::kit
