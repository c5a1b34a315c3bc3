#include "host/native/turn_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace skerry::host {

namespace {

constexpr int kTriesMax = 3;

struct flock whole_file() {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

// Somebody may have removed the file between our opening and our locking it.
bool is_at(int fd, const std::string& path) {
    struct stat open {};
    struct stat named {};
    return ::fstat(fd, &open) == 0 && ::stat(path.c_str(), &named) == 0 && open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

tl::unexpected<Error> failed(const std::string& path, int error) {
    const Code code = error == EACCES || error == EPERM || error == EROFS ? Code::kReadOnly
                      : error == ENOSPC || error == EDQUOT               ? Code::kDiskFull
                                                                         : Code::kIo;
    return fail(code, "locking " + path + ": " + std::strerror(error));
}

}  // namespace

Result<bool> TurnFile::take() {
    if (fd_ >= 0) return true;
    for (int tries = 0; tries < kTriesMax; ++tries) {
        const int fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0) return failed(path_, errno);
        struct flock lock = whole_file();
        if (::fcntl(fd, F_OFD_SETLK, &lock) != 0) {
            const int error = errno;
            ::close(fd);
            if (error == EAGAIN || error == EACCES) return false;
            return failed(path_, error);
        }
        if (is_at(fd, path_)) {
            fd_ = fd;
            return true;
        }
        ::close(fd);
    }
    return false;
}

void TurnFile::give_back() {
    if (const int fd = std::exchange(fd_, -1); fd >= 0) ::close(fd);
}

bool TurnFile::is_elsewhere() const {
    if (fd_ >= 0) return false;
    const int fd = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return false;
    struct flock lock = whole_file();
    const bool asked = ::fcntl(fd, F_OFD_GETLK, &lock) == 0;
    ::close(fd);
    return asked && lock.l_type != F_UNLCK;
}

}  // namespace skerry::host
