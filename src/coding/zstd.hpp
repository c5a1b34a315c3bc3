// The content coding zstd (RFC 8878; RFC 9659 bounds the window). A body is any number of frames one after the other; the
// packer makes one of each piece that it is given, so that nothing has to be kept for a body between two pieces.
//
// Thread rule: an object belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace skerry::coding {

inline constexpr std::string_view kZstd = "zstd";
// RFC 9659: what every client of the coding has to be able to decode; larger windows are refused.
inline constexpr int kWindowLogMax = 23;
// More than this many bytes out for each byte in, after a first part that is free, is no data but an attack on memory.
inline constexpr std::uint64_t kRatioMax = 1000;
inline constexpr std::uint64_t kFreeBytes = 32u << 20;

// One of these serves any number of bodies.
class Packer {
  public:
    Packer();
    ~Packer();
    // Appends one frame that holds `piece`.
    void pack(BytesView piece, Bytes& out);

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

// One of these for each body.
class Unpacker {
  public:
    Unpacker();
    ~Unpacker();
    // Takes from the front of `bytes` and appends what they give, until `most` was appended (a little more may be): a few bytes can
    // stand for a gigabyte, which must not be in memory at once. Call it again while has_more(bytes). foreign_answer: they are not
    // zstd, are damaged, or grow beyond all measure; then every later call fails too.
    Result<void> feed(BytesView& bytes, Bytes& out, std::size_t most);
    bool has_more(BytesView bytes) const;
    // No frame is open: the body may end here.
    bool at_boundary() const;

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

// Whether the value of an Accept-Encoding header takes zstd: named, and not with a weight of 0 (RFC 9110, 12.5.3).
bool accepts_zstd(std::string_view accept_encoding);

}  // namespace skerry::coding
