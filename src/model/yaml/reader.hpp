// Reads a model file (docs/model.md) into a Model. Native only: devices receive the compiled form.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/model.hpp"

namespace skerry::model {

// Every limit with its reason; beyond it the file is refused with model_invalid.
inline constexpr std::size_t kModelFileBytesMax = 1u << 20;  // 500 entities fit in a tenth of it
inline constexpr int kModelFileDepthMax = 16;                // the syntax needs six levels
inline constexpr std::size_t kModelFaultsShown = 50;         // more are counted, not listed

struct ModelFault {
    int line = 1;  // both from 1, as editors count
    int column = 1;
    Code code = Code::kModelInvalid;  // or not_supported
    std::string text;                 // what is wrong; how to mend it
};

// The checked and complete model, or every fault in the file's order.
struct ModelReading {
    std::optional<Model> model;
    std::vector<ModelFault> faults;
};
ModelReading read_model_faults(std::string_view yaml);

// The same as one error, whose message has a line `file:line:col: what is wrong; how to mend it` for every fault. The
// code is not_supported when the file is sound and only asks for what this version does not do; model_invalid when
// anything in it is wrong. `file_name` is only shown.
Result<Model> read_model(std::string_view yaml, std::string_view file_name);

}  // namespace skerry::model
