// How bytes become frames. A body, in either direction, is
//
//   "SKRY" u16 version  u8 kind          once
//   u8 type  u32 length  payload  u32 checksum      as often as needed
//
// Integers are little endian; the checksum is folded from XXH3-64 of payload and type
// (frame.cpp). A body that
// does not begin with the magic is a foreign answer (a login page, a proxy, nothing at all), never an empty
// result; a frame is handed on only when it is whole and its checksum holds. The last frame of a complete
// body is kEnd or kError: a body that stops before it was cut.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace skerry::wire {

inline constexpr std::uint16_t kProtocolVersion = 1;
inline constexpr std::size_t kHeaderBytes = 7;
inline constexpr std::size_t kFrameOverhead = 9;
// One transaction (kTxnBytesMax) or one row has to fit; beyond it limit_exceeded.
inline constexpr std::size_t kFrameBytesMax = 24u << 20;

inline constexpr std::string_view kContentType = "application/vnd.skerry";
inline constexpr std::string_view kPathEnroll = "/v1/enroll";
inline constexpr std::string_view kPathPush = "/v1/push";
inline constexpr std::string_view kPathPull = "/v1/pull";
inline constexpr std::string_view kPathCheck = "/v1/check";

// Do not change a number in the enums below.
enum class Kind : std::uint8_t {
    kPushRequest = 1,
    kPushResponse = 2,
    kPullRequest = 3,
    kPullResponse = 4,
    kEnrollRequest = 5,
    kEnrollResponse = 6,
    kCheckRequest = 7,
    kCheckResponse = 8,
};

enum class FrameType : std::uint8_t {
    kEnd = 1,
    kError = 2,
    kHeartbeat = 3,
    // enrol
    kEnroll = 10,
    kEnrolled = 11,
    // push
    kPushHello = 20,
    kTransaction = 21,
    kVerdict = 22,
    kExpect = 23,
    kIdentityTaken = 24,
    kPart = 25,
    kHave = 26,
    // pull
    kPull = 30,
    kBegin = 31,
    kOutcomes = 32,
    kLines = 33,
    kRows = 34,
    kLeaves = 35,
    kLostScope = 36,
    kSlice = 37,
    kComplete = 38,
    kCheckpoint = 39,
    kSpool = 40,
    // check
    kCheck = 50,
    kDiffers = 51,
    kMoved = 52,
};

struct Frame {
    FrameType type = FrameType::kEnd;
    BytesView payload;  // valid until the next call on the FrameReader that gave it
};

void put_header(Bytes& out, Kind kind);
void put_frame(Bytes& out, FrameType type, BytesView payload);

// Takes bytes in any chunks and gives whole frames. Not thread-safe; after an error it gives only that error.
class FrameReader {
  public:
    explicit FrameReader(Kind expected, std::size_t frame_bytes_max = kFrameBytesMax)
        : expected_(expected), frame_bytes_max_(frame_bytes_max) {}

    void feed(BytesView chunk);
    // The next whole frame; nullopt when more bytes are needed; foreign_answer, protocol_too_new,
    // damaged_frame or limit_exceeded when there will be none.
    Result<std::optional<Frame>> next();
    // No byte of an unfinished frame or header is waiting.
    bool at_boundary() const { return header_seen_ && at_ == buffer_.size(); }
    bool header_seen() const { return header_seen_; }

  private:
    Result<std::optional<Frame>> refuse(Code code, std::string message);

    Kind expected_;
    std::size_t frame_bytes_max_;
    Bytes buffer_;
    std::size_t at_ = 0;
    bool header_seen_ = false;
    std::optional<Error> error_;
};

// All frames of a whole body. The views point into `body`.
Result<std::vector<Frame>> read_body(BytesView body, Kind expected);

}  // namespace skerry::wire
