#include "cli/server_folder.hpp"

#include "base/result.hpp"
#include "cli/files.hpp"
#include "model/yaml/reader.hpp"

namespace skerry::cli {

Result<model::Model> read_model_file(const std::string& path) {
    SKERRY_ASSIGN(const std::string text, read_whole(path, model::kModelFileBytesMax + 1));
    return model::read_model(text, path);
}

Result<void> need_folder(const std::string& dir) {
    if (is_folder(dir)) return {};
    if (is_file(dir)) return fail(Code::kInvalidArgument, "'" + dir + "' is a file; a server's data are a folder");
    return fail(Code::kNotFound, "there is no folder '" + dir + "'; `skerry init " + dir + "` makes it");
}

}  // namespace skerry::cli
