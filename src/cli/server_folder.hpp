// A server's folder as the commands see it: the model file beside the database.
#pragma once

#include <skerry/error.hpp>
#include <optional>
#include <string>

#include "server/app/server.hpp"

namespace skerry::cli {

inline std::string model_path(const std::string& dir) { return dir + "/model.yaml"; }

// Reads and checks a model file. Errors: not_found, model_invalid, not_supported, io.
Result<model::Model> read_model_file(const std::string& path);

// An error unless the folder exists.
Result<void> need_folder(const std::string& dir);

}  // namespace skerry::cli
