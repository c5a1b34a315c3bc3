// Bytes of a connection to one HTTP response, without a socket. Lengths by Content-Length, chunked
// or the connection's end; the content coding zstd is undone, any other is refused. What the content
// means is nobody's business here. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "coding/zstd.hpp"

namespace skerry::host {

struct ResponseInfo {
    int status = 0;
    std::string content_type;
    Millis retry_after{0};  // 0: none, or not a number of seconds
};

// A coded body may grow a thousand times: so much of it is made before somebody takes it.
inline constexpr std::size_t kDecodedAtOnce = 1u << 20;

class ResponseReader {
  public:
    enum class State {
        kHead,
        kBody,
        kWhole,
        kRefused,  // error() says why
    };

    explicit ResponseReader(std::size_t head_bytes_max);
    ~ResponseReader();

    // Takes bytes; body bytes among them are appended to `body`, about kDecodedAtOnce at most: call it
    // again, with none, while has_more().
    State feed(BytesView bytes, Bytes& body);
    bool has_more() const { return state_ == State::kBody && unpacker_ && unpacker_->has_more(packed_); }
    // The connection has ended: kWhole where that is how the body ends, else kRefused (offline).
    State end();

    State state() const { return state_; }
    const ResponseInfo& info() const { return info_; }  // valid from kBody on
    const Error& error() const { return error_; }
    // Of the body, as they came: before they were decoded.
    std::uint64_t transferred() const { return transferred_; }
    // After kWhole: the connection can carry another request.
    bool reusable() const { return reusable_; }

  private:
    struct Parser;
    State refuse(Code code, std::string message);
    State read_head();
    State read_body(Bytes& body);
    State whole();
    State decode(Bytes& body);

    std::size_t head_bytes_max_;
    State state_ = State::kHead;
    std::string kept_;
    std::unique_ptr<Parser> parser_;
    std::optional<coding::Unpacker> unpacker_;
    Bytes packed_bytes_;
    BytesView packed_;     // of them, what is not decoded yet
    bool framed_ = false;  // the body's last byte is here, decoded or not
    std::uint64_t transferred_ = 0;
    ResponseInfo info_;
    bool reusable_ = false;
    Error error_;
};

}  // namespace skerry::host
