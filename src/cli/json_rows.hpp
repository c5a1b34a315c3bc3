#pragma once

#include "cli/input.hpp"
#include "cli/rows.hpp"

namespace skerry::cli {

// `format`: kJson or kNdjson.
std::unique_ptr<RowReader> open_json(Input input, FileFormat format);

}  // namespace skerry::cli
