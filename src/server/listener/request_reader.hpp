// Bytes of a connection to whole requests, without a socket. Beast's parser does the grammar; the
// rules against smuggling that it does not have are ours (request_reader.cpp lists them).
//
//   kIdle --first byte--> kHeader --blank line--> kBody --last byte--> kWhole --take()--> kIdle
//                            |                      |
//                            +----> kRefused <------+      stays; the connection has to be closed
//
// What follows a request is kept for the next one. Not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/bytes.hpp"
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
};

class RequestReader {
  public:
    enum class State { kIdle, kHeader, kBody, kWhole, kRefused };
    using BodyMax = std::function<std::size_t(std::string_view target)>;

    RequestReader(std::size_t header_bytes_max, BodyMax body_max);
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

    // Precondition: kWhole. Afterwards kIdle, even where the next request is kept already: feed({})
    // starts it.
    http::Request take();

  private:
    struct Parser;
    State refuse(int status, std::string why);
    State read_header();
    State accept_header(std::size_t bytes);
    State read_body();

    std::size_t header_bytes_max_;
    BodyMax body_max_;
    State state_ = State::kIdle;
    std::string kept_;         // not parsed yet
    std::size_t scanned_ = 0;  // of kept_, by read_header
    std::unique_ptr<Parser>
        parser_;  // from the headers' end to take(): an idle connection has none
    http::Request request_;
    Manners manners_;
    bool wants_continue_ = false;
    Refusal refusal_;
};

}  // namespace skerry::server
