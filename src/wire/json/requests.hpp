// A request of lines, each one JSON object, becomes the body of frames that it stands for: names become positions, hexadecimal digits
// and base64 bytes, and kEnd follows. docs/protocol.md, "The same in JSON", has every member.
//
//   {"frame":"push","device":"…"}            kPushHello
//   {"frame":"transaction","number":1,…}     kTransaction      what a device would have encoded, to the byte
//                                            kEnd
//
// All of it is hostile: what is unknown, there twice, of another type or beyond a limit is refused with its line, and then nothing of
// the request is taken. What only the server can tell (a number out of order, a key too long, no right) is left to it.
#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/model.hpp"
#include "wire/frame.hpp"

namespace skerry::wire::json {

inline constexpr std::string_view kContentType = "application/x-ndjson";
// Reading lines takes far longer than reading frames, and everybody waits for it.
inline constexpr std::size_t kRequestBytesMax = std::size_t{8} << 20;

struct ReadOptions {
    const model::Model& model;     // the server's
    std::uint64_t model_hash = 0;  // its hash
    std::size_t bytes_max = 0;     // of the binary form: defaults that lines leave out can make it larger than the lines
};

struct Request {
    Bytes body;
    DeviceId device;
};

// Errors: invalid_argument (the message names the line), limit_exceeded, model_mismatch (the request names another model than the
// server's, whose names may mean something else).
Result<Request> read_request(BytesView lines, Kind kind, const ReadOptions& options);

}  // namespace skerry::wire::json
