// A file or standard input, read in pieces.
#pragma once

#include <skerry/error.hpp>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace skerry::cli {

class Input {
  public:
    static Result<Input> open(const std::string& file_name);
    // The next piece; empty at the end.
    Result<std::string_view> read();
    // The next line without its end; false at the end of the file. io or limit_exceeded.
    Result<bool> line(std::string& out, std::size_t bytes_max);
    std::uint64_t bytes_read() const { return bytes_read_ - left_.size(); }
    std::uint64_t bytes_total() const { return bytes_total_; }

  private:
    struct Close {
        void operator()(std::FILE* file) const {
            if (file != stdin) std::fclose(file);
        }
    };
    std::string name_;
    std::unique_ptr<std::FILE, Close> file_;
    std::string buffer_ = std::string(256u << 10, '\0');
    std::string_view left_;  // of buffer_, for line()
    std::uint64_t bytes_read_ = 0;
    std::uint64_t bytes_total_ = 0;
};

}  // namespace skerry::cli
