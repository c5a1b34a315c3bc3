// Bytes of a connection to whole requests, without a socket. Beast's parser does the grammar; the
// rules against smuggling that it does not have are ours (request_reader.cpp lists them).
//
//   kIdle --first byte--> kHeader --blank line--> kBody --last byte--> kWhole --take()--> kIdle
//                            |                      |
//                            +----> kRefused <------+      stays; the connection has to be closed
//                            +----> kUnwanted              stays, too: the body will not be read
//
// What follows a request is kept for the next one. Not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "server/http/handler.hpp"

namespace skerry::server {

// What a request wants of its response besides the content.
struct Manners {
    bool keep_alive = false;  // the client would like to use the connection again
    bool chunks = false;      // HTTP/1.1: understands chunked
    bool head = false;        // HEAD: the response must have no body
};

struct Refusal {
    int status = 400;
    std::string why;  // for the client and the log; nothing of the request is in it
    Code code = Code::kRequestMalformed;
};

// Of a request's head. Beyond: 414 for the request line, else 431.
struct HeadLimits {
    std::size_t bytes = 16u << 10;              // all of it; the longest line fits, and as much again
    std::size_t request_line_bytes = 2u << 10;  // the longest path has nine bytes
    std::size_t line_bytes = 9u << 10;          // a bearer token of 8 KiB fits
    std::size_t lines = 64;                     // a browser behind three proxies sends thirty
};

// A chunk's size line with extensions, or trailers: beyond it nobody means well.
inline constexpr std::size_t kChunkLineMax = 16u << 10;
// What chunks may add to a body in all: a byte in a chunk of its own takes six. Extensions of many
// bytes would else make a server read a thousand times what it counts.
inline constexpr std::size_t kFramingPerByteMax = 8;

// What the owner says of a request whose head is here and whose body is not.
struct Admission {
    std::size_t body_bytes_max = 0;
    bool wanted = true;  // false: whatever the body is, it will not be looked at
};

class RequestReader {
  public:
    enum class State { kIdle, kHeader, kBody, kWhole, kUnwanted, kRefused };
    // Asked once for each request with a body, when its head is whole. `here`: the body's size, if all
    // of it came with the head.
    using Admit =
        std::function<Admission(const http::Request& head, std::optional<std::size_t> here)>;

    RequestReader(const HeadLimits& limits, Admit admit);
    ~RequestReader();

    // Takes all of `bytes`. With none, goes on with what was kept.
    State feed(BytesView bytes);
    State state() const { return state_; }
    // True once when the client waits for "100 Continue" before it sends the body.
    bool take_wants_continue();
    // Of the request being read.
    std::size_t body_bytes() const;
    const Manners& manners() const { return manners_; }
    const Refusal& refusal() const { return refusal_; }
    // Of kUnwanted.
    const http::Request& head() const { return request_; }

    // Precondition: kWhole. Afterwards kIdle, even where the next request is kept already: feed({})
    // starts it.
    http::Request take();

  private:
    struct Parser;
    State refuse(int status, std::string why, Code code = Code::kRequestMalformed);
    State read_header();
    bool take_line(std::size_t end);
    State accept_header(std::size_t bytes);
    std::optional<Refusal> ambiguity() const;
    void take_fields();
    State await_body();
    State read_body();

    const HeadLimits limits_;
    Admit admit_;
    State state_ = State::kIdle;
    std::string kept_;         // not parsed yet
    std::size_t scanned_ = 0;  // of kept_, by read_header
    std::size_t line_begin_ = 0;
    std::size_t lines_ = 0;
    std::size_t body_max_ = 0;
    std::size_t framed_ = 0;  // bytes that the body took with its chunks' lines
    std::unique_ptr<Parser>
        parser_;  // from the headers' end to take(): an idle connection has none
    http::Request request_;
    Manners manners_;
    bool wants_continue_ = false;
    Refusal refusal_;
};

}  // namespace skerry::server
