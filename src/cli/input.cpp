#include "cli/input.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/result.hpp"
#include "base/text.hpp"

namespace skerry::cli {

Result<Input> Input::open(const std::string& file_name) {
    Input input;
    input.name_ = file_name == "-" ? "standard input" : "'" + file_name + "'";
    if (file_name == "-") {
        input.file_.reset(stdin);
        return input;
    }
    struct stat facts {};
    if (::stat(file_name.c_str(), &facts) != 0)
        return fail(errno == ENOENT ? Code::kNotFound : Code::kIo,
                    "the file " + input.name_ + " cannot be read: " + std::strerror(errno));
    if (S_ISDIR(facts.st_mode)) return fail(Code::kInvalidArgument, input.name_ + " is a folder, not a file");
    input.file_.reset(std::fopen(file_name.c_str(), "rb"));
    if (!input.file_)
        return fail(Code::kIo, "the file " + input.name_ + " cannot be read: " + std::strerror(errno));
    input.bytes_total_ = S_ISREG(facts.st_mode) ? static_cast<std::uint64_t>(facts.st_size) : 0;
    return input;
}

Result<std::string_view> Input::read() {
    const std::size_t n = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
    if (n == 0 && std::ferror(file_.get()) != 0)
        return fail(Code::kIo, "reading " + name_ + ": " + std::strerror(errno));
    bytes_read_ += n;
    return std::string_view(buffer_).substr(0, n);
}

Result<bool> Input::line(std::string& out, std::size_t bytes_max) {
    out.clear();
    bool any = false;
    while (true) {
        if (left_.empty()) {
            SKERRY_ASSIGN(left_, read());
            if (left_.empty()) return any;
        }
        any = true;
        const std::size_t end = left_.find('\n');
        const std::size_t take = end == std::string_view::npos ? left_.size() : end;
        if (out.size() + take > bytes_max)
            return fail(Code::kLimitExceeded, "a line of " + name_ + " is longer than " + with_commas(bytes_max) + " bytes");
        out.append(left_.substr(0, take));
        if (end != std::string_view::npos) {
            left_.remove_prefix(end + 1);
            return true;
        }
        left_ = {};
    }
}

}  // namespace skerry::cli
