// Small questions about files that several commands ask.
#pragma once

#include <skerry/error.hpp>
#include <string>
#include <string_view>

namespace skerry::cli {

bool is_folder(const std::string& path);
bool is_file(const std::string& path);

// The whole file, at most `bytes_max`. Errors: not_found, limit_exceeded, io.
Result<std::string> read_whole(const std::string& path, std::size_t bytes_max);

enum class Mode { kUsual, kPrivate };  // kPrivate: only its owner may read it
// All or nothing: written beside, made durable, renamed.
Result<void> write_whole(const std::string& path, std::string_view content, Mode mode);

// An error unless a device's store is there: no command but `device open` makes one.
Result<void> need_store(const std::string& path);

}  // namespace skerry::cli
