#include "server/listener/file_watch.hpp"

#ifdef __linux__

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace skerry::server {

namespace asio = boost::asio;

struct FileWatch::Impl {
    Impl(asio::io_context& io, std::string watched, std::function<void()> call)
        : descriptor(io), name(std::move(watched)), written(std::move(call)) {}

    void wait() {
        descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                              [this](const boost::system::error_code& ec) {
                                  if (ec) return;
                                  const bool ours = read_all();
                                  wait();
                                  if (ours) written();
                              });
    }

    // Whether any of what happened in the folder happened to the file.
    bool read_all() {
        bool ours = false;
        for (;;) {
            const auto bytes = ::read(descriptor.native_handle(), buffer.data(), buffer.size());
            if (bytes <= 0) return ours;
            for (std::size_t at = 0; at < static_cast<std::size_t>(bytes);) {
                inotify_event event{};
                std::memcpy(&event, buffer.data() + at, sizeof event);
                const char* of = buffer.data() + at + sizeof event;
                ours = ours || (event.mask & IN_Q_OVERFLOW) != 0 ||
                       (event.len > 0 && name == of);
                at += sizeof event + event.len;
            }
        }
    }

    asio::posix::stream_descriptor descriptor;
    std::string name;
    std::function<void()> written;
    std::array<char, 4096> buffer{};
};

// The folder is watched and not the file, which SQLite may make and delete.
FileWatch::FileWatch(asio::io_context& io, std::string path, std::function<void()> written) {
    const std::filesystem::path file(std::move(path));
    const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
    if (fd < 0 || inotify_add_watch(fd, folder.c_str(), IN_MODIFY) < 0) {
        trouble_ = std::strerror(errno);
        if (fd >= 0) ::close(fd);
        return;
    }
    impl_ = std::make_unique<Impl>(io, file.filename().string(), std::move(written));
    boost::system::error_code ec;
    impl_->descriptor.assign(fd, ec);
    if (ec) {
        trouble_ = ec.message();
        ::close(fd);
        impl_.reset();
        return;
    }
    impl_->wait();
}

}  // namespace skerry::server

#else

namespace skerry::server {

struct FileWatch::Impl {};

FileWatch::FileWatch(boost::asio::io_context&, std::string, std::function<void()>)
    : trouble_("not on this system") {}

}  // namespace skerry::server

#endif

namespace skerry::server {

FileWatch::~FileWatch() = default;

}  // namespace skerry::server
