#include "cli/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/result.hpp"
#include "cli/input.hpp"
#include "base/text.hpp"

namespace skerry::cli {

bool is_folder(const std::string& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

bool is_file(const std::string& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 && !S_ISDIR(facts.st_mode);
}

Result<std::string> read_whole(const std::string& path, std::size_t bytes_max) {
    SKERRY_ASSIGN(Input input, Input::open(path));
    std::string content;
    while (true) {
        SKERRY_ASSIGN(const std::string_view piece, input.read());
        if (piece.empty()) return content;
        content += piece;
        if (content.size() > bytes_max)
            return fail(Code::kLimitExceeded, "'" + path + "' is larger than " + with_commas(bytes_max) + " bytes");
    }
}

Result<void> write_whole(const std::string& path, std::string_view content, Mode mode) {
    const std::string part = path + ".part";
    const auto failed = [&](const char* doing) {
        const int why = errno;
        ::unlink(part.c_str());
        return fail(why == ENOSPC ? Code::kDiskFull : Code::kIo, std::string(doing) + " '" + path + "': " + std::strerror(why));
    };
    ::unlink(part.c_str());  // an old one could be readable by others
    const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode == Mode::kPrivate ? 0600 : 0644);
    if (fd < 0) return failed("making");
    bool good = true;
    for (std::size_t at = 0; good && at < content.size();) {
        const ssize_t n = ::write(fd, content.data() + at, content.size() - at);
        if (n < 0 && errno == EINTR) continue;
        good = n > 0;
        if (good) at += static_cast<std::size_t>(n);
    }
    good = good && ::fsync(fd) == 0;
    good = ::close(fd) == 0 && good;
    if (!good) return failed("writing");
    if (std::rename(part.c_str(), path.c_str()) != 0) return failed("naming");
    return {};
}

Result<void> need_store(const std::string& path) {
    if (is_file(path)) return {};
    if (is_folder(path))
        return fail(Code::kInvalidArgument, "'" + path + "' is a folder; a device's store is a file");
    return fail(Code::kNotFound, "there is no store at '" + path + "'; `skerry device open` makes one");
}

}  // namespace skerry::cli
