// One connection of a client, from accept to close.
//
//   kIdle <-> kReading --whole request--> kWriting <--wake, due--> kParked
//     ^                    | refused         | last byte written
//     +---- keep-alive ----|-----------------+
//                          +--> kLingering <-+  (no keep-alive: what still arrives is thrown away)
//   every stage --error, deadline, stop--> kClosed
//
// At most one write is under way, and at most one wait for readability (waiting_). Bytes are read
// with a plain recv into a buffer that all connections share, after the wait: an idle connection
// owns no buffer.
//
// Ownership: the Board holds a shared_ptr until close(), and so does every pending Asio operation;
// whichever lets go last frees it. Asio's completions can come after close(), that is why it is
// shared. Thread rule: the listener's thread only.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "server/http/handler.hpp"
#include "server/listener/listener.hpp"
#include "server/listener/request_reader.hpp"
#include "server/listener/response_head.hpp"

namespace skerry::server {

using boost::asio::ip::tcp;
class Connection;

// What the connections of one listener share.
struct Board {
    http::Handler& handler;
    Log& log;
    const Clock& clock;
    ListenLimits limits;
    bool stopping = false;
    std::size_t early = 0;  // open connections that came before the stop began: the stop waits for them
    std::uint64_t wakes = 0;  // counts, so that a wake between next() and parking is not missed
    std::size_t bodies_bytes = 0;  // of requests being read
    // By ask_again_at; Micros::max(): at a wake only.
    std::set<std::pair<Micros, Connection*>> parked{};
    std::unordered_map<Connection*, std::shared_ptr<Connection>> connections{};
    // Those that wait for a request's head, the longest waiting first.
    std::list<Connection*> headless{};
    // By address. Whoever is not counted is not in it.
    std::map<boost::asio::ip::address, std::size_t> addresses{};
    std::function<void()> wake{};  // asks all parked ones soon
    std::function<void()> gone{};  // a connection was closed
    std::vector<char> scratch = std::vector<char>(64u << 10);  // where every read lands
};

class Connection final : public std::enable_shared_from_this<Connection> {
  public:
    // `from`: whom it counts for, if anybody.
    Connection(Board& board, tcp::socket socket, std::optional<boost::asio::ip::address> from);

    void start();
    // Answers 503 to whatever comes, and closes.
    void start_refusing(std::string_view why);
    // Asks a parked body again; without effect in every other stage.
    void ask();
    // Ends what has been waiting for the client longer than the limits say.
    void check_deadline(Micros now);
    // stop(): closes unless a response is being written, or a request's body is on its way; a parked body is asked for
    // its last words.
    void wind_down();
    void close();

  private:
    enum class Stage { kIdle, kReading, kWriting, kParked, kLingering, kClosed };

    void to(Stage next);
    void set_deadline(Micros after);
    void wait_readable();
    void on_readable();
    void read();
    void took(RequestReader::State state);
    void watch_parked();
    void drain();
    void handle();
    Admission admit(const http::Request& head, std::optional<std::size_t> here);
    void await_head();
    void has_head();
    void refuse(const Refusal& refusal);
    void refuse_early();
    void name(const http::Request& request);
    void begin_span();
    bool takes_enough();
    std::size_t unsent() const;
    void respond(http::Response response);
    std::optional<http::Step> pull();
    void pump();
    void write(http::Step step);
    void written(const boost::system::error_code& ec);
    void park();
    void finish_response();
    void forget_body_bytes();
    std::string name_of_request() const;

    Board& board_;
    const bool late_;  // it came when the stop had begun
    tcp::socket socket_;
    RequestReader reader_;
    Stage stage_ = Stage::kIdle;
    bool waiting_ = false;  // for readability
    Micros deadline_{0};    // 0: none
    Micros body_since_{0};  // when the headers of the request being read had ended; 0: not yet
    std::size_t body_counted_ = 0;  // of board_.bodies_bytes
    const std::optional<boost::asio::ip::address> from_;
    std::optional<std::list<Connection*>::iterator> headless_;  // in the board's list
    std::optional<http::Response> early_;  // to a request whose body is not wanted

    // the response under way
    std::string what_;  // "POST /v1/push": for the log
    Manners manners_;
    Framing framing_ = Framing::kLength;
    std::unique_ptr<http::Body> body_;
    http::Step step_ = http::Step::kEnd;  // what next() said last
    std::uint64_t wakes_seen_ = 0;        // board_.wakes when it was last asked
    Micros parked_until_{0};
    std::string head_;  // response head and chunk line, before out_
    Bytes out_;
    std::uint64_t written_ = 0;   // to the kernel, before the write under way
    std::uint64_t writing_ = 0;   // by it, so far
    std::uint64_t taken_ = 0;     // by the client, when the span began
};

}  // namespace skerry::server
