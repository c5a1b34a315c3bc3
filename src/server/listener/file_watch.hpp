// Tells when a file is written to, by whatever program. It may come and go; its folder may not. Where the system has no means for
// it (they are Linux's), or does not give them, nothing is ever told: whoever uses this finds out in another way in the end.
// Thread rule: that of the io_context, which outlives it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

namespace skerry::server {

class FileWatch {
  public:
    // `written` is called from the io_context, once for what was written since the last time.
    FileWatch(boost::asio::io_context& io, std::string path, std::function<void()> written);
    ~FileWatch();
    FileWatch(const FileWatch&) = delete;
    FileWatch& operator=(const FileWatch&) = delete;

    // Empty: it works; else why it does not.
    const std::string& trouble() const { return trouble_; }

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    std::string trouble_;
};

}  // namespace skerry::server
