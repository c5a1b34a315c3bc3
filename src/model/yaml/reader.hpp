// Reads a model file (docs/model.md) into a Model. Native only: devices receive the compiled form.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "model/model.hpp"

namespace skerry::model {

// Every limit with its reason; beyond it the file is refused with model_invalid.
inline constexpr std::size_t kModelFileBytesMax = 1u << 20;  // 500 entities fit in a tenth of it
inline constexpr int kModelFileDepthMax = 16;                // the syntax needs five levels
inline constexpr std::size_t kModelFaultsShown = 50;         // more are counted, not listed

// Gives the checked model, or one error whose message has a line `file:line:col: what is wrong; how to mend it`
// for every fault of the file, in the file's order. The code is not_supported when the file is sound and only
// asks for what this version does not do; model_invalid when anything in it is wrong. `file_name` is only shown.
Result<Model> read_model(std::string_view yaml, std::string_view file_name);

}  // namespace skerry::model
