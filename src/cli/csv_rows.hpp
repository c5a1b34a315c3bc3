#pragma once

#include "cli/input.hpp"
#include "cli/rows.hpp"

namespace skerry::cli {

// Reads the header. Errors: invalid_argument, io.
Result<std::unique_ptr<RowReader>> open_csv(Input input, char delimiter);

}  // namespace skerry::cli
