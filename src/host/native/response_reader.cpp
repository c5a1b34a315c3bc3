#include "host/native/response_reader.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <charconv>

namespace skerry::host {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;

namespace {

// A server that asks for more than a day is not believed: the device comes back sooner.
constexpr std::int64_t kRetryAfterMaxS = 86'400;
// A chunk's size line, or trailers.
constexpr std::size_t kChunkLineMax = 16u << 10;
// "0", two line ends. Beast stops the program (an assertion) when it is given the first three bytes of a chunked body without a
// chunk and then a fourth, so it gets nothing of what may be such a body before there are so many.
constexpr std::size_t kChunkedBodyLeast = 5;

// Collects body bytes until they are taken.
struct Pieces {
    using value_type = Bytes;
    class reader {
      public:
        template <bool isRequest, class Fields>
        reader(beast_http::header<isRequest, Fields>&, value_type& body) : body_(body) {}
        void init(const boost::optional<std::uint64_t>&, error_code& ec) { ec = {}; }
        template <class Buffers>
        std::size_t put(const Buffers& buffers, error_code& ec) {
            std::size_t bytes = 0;
            for (auto it = boost::asio::buffer_sequence_begin(buffers);
                 it != boost::asio::buffer_sequence_end(buffers); ++it) {
                const boost::asio::const_buffer piece = *it;
                body_.append(static_cast<const char*>(piece.data()), piece.size());
                bytes += piece.size();
            }
            ec = {};
            return bytes;
        }
        void finish(error_code& ec) { ec = {}; }

      private:
        value_type& body_;
    };
};

Millis retry_after_of(boost::beast::string_view text) {
    std::int64_t seconds = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (parsed.ec == std::errc::result_out_of_range)
        seconds = kRetryAfterMaxS;
    else if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
        return Millis{0};
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kRetryAfterMaxS));
}

}  // namespace

struct ResponseReader::Parser {
    beast_http::response_parser<Pieces> beast;
    bool body_begun = false;
};

ResponseReader::ResponseReader(std::size_t head_bytes_max) : head_bytes_max_(head_bytes_max) {}
ResponseReader::~ResponseReader() = default;

ResponseReader::State ResponseReader::refuse(Code code, std::string message) {
    error_ = Error{code, std::move(message), {}};
    parser_.reset();
    return state_ = State::kRefused;
}

ResponseReader::State ResponseReader::feed(BytesView bytes, Bytes& body) {
    if (state_ == State::kRefused) return state_;
    kept_.append(bytes);
    // Interim responses (100 Continue, 103 Early Hints) come before the real one.
    while (state_ == State::kHead) {
        const std::size_t before = kept_.size();
        if (read_head() != State::kHead || kept_.size() == before) break;
    }
    if (has_more()) return decode(body);
    if (state_ == State::kBody) return read_body(body);
    if (state_ == State::kWhole && !kept_.empty())
        reusable_ = false;  // bytes that nobody asked for
    return state_;
}

ResponseReader::State ResponseReader::read_head() {
    const std::size_t blank = kept_.find("\r\n\r\n");
    const std::size_t bytes = blank == std::string::npos ? kept_.size() : blank + 4;
    if (bytes > head_bytes_max_)
        return refuse(Code::kForeignAnswer, "the answer's headers are larger than " +
                                                std::to_string(head_bytes_max_) + " bytes");
    if (!std::string_view("HTTP/").starts_with(kept_.substr(0, 5)))
        return refuse(Code::kForeignAnswer, "what answered does not speak HTTP");
    if (blank == std::string::npos) return state_;
    parser_ = std::make_unique<Parser>();
    auto& parser = parser_->beast;
    parser.header_limit(static_cast<std::uint32_t>(bytes + 4));
    parser.body_limit(boost::none);  // a live stream has no end; the frames inside have limits
    error_code ec;
    const std::size_t used = parser.put(boost::asio::const_buffer(kept_.data(), bytes), ec);
    if (ec || used != bytes || !parser.is_header_done())
        return refuse(Code::kForeignAnswer, "the answer is not HTTP/1.1: " + ec.message());
    kept_.erase(0, bytes);
    const auto& message = parser.get();
    info_.status = static_cast<int>(message.result_int());
    if (info_.status == 101)
        return refuse(Code::kForeignAnswer, "the answer switches to another protocol");
    if (info_.status < 200) {
        parser_.reset();
        return state_;
    }
    const auto type = message[beast_http::field::content_type];
    info_.content_type.assign(type.data(), type.size());
    const auto coding = message[beast_http::field::content_encoding];
    if (boost::beast::iequals(coding, boost::beast::string_view(coding::kZstd.data(), coding::kZstd.size()))) {
        unpacker_.emplace();
    } else if (!coding.empty() && !boost::beast::iequals(coding, "identity")) {
        return refuse(Code::kForeignAnswer, "the answer has a content coding that nobody asked for");
    }
    info_.retry_after = retry_after_of(message[beast_http::field::retry_after]);
    if (parser.is_done()) return whole();
    parser.eager(true);
    return state_ = State::kBody;
}

ResponseReader::State ResponseReader::read_body(Bytes& body) {
    auto& parser = parser_->beast;
    if (!parser_->body_begun && parser.chunked() && (kept_.empty() || kept_.starts_with('0')) && kept_.size() < kChunkedBodyLeast) return state_;
    parser_->body_begun = true;
    error_code ec;
    std::size_t used = 0;
    while (!ec && !parser.is_done() && used < kept_.size())
        used += parser.put(boost::asio::const_buffer(kept_.data() + used, kept_.size() - used), ec);
    kept_.erase(0, used);
    Bytes bytes = std::exchange(parser.get().body(), {});
    transferred_ += bytes.size();
    framed_ = parser.is_done();
    packed_ = {};
    packed_bytes_ = std::move(bytes);
    if (unpacker_)
        packed_ = packed_bytes_;
    else
        body += packed_bytes_;
    if (decode(body) == State::kRefused) return state_;
    if (ec && ec != beast_http::error::need_more)
        return refuse(Code::kForeignAnswer, "the answer's framing is damaged: " + ec.message());
    if (!framed_ && kept_.size() > kChunkLineMax)
        return refuse(Code::kForeignAnswer, "the answer's framing is damaged: an endless line");
    return state_;
}

ResponseReader::State ResponseReader::decode(Bytes& body) {
    auto fed = unpacker_ ? unpacker_->feed(packed_, body, kDecodedAtOnce) : Result<void>{};
    if (!fed) return refuse(fed.error().code, std::move(fed.error().message));
    return framed_ && !has_more() ? whole() : state_;
}

ResponseReader::State ResponseReader::whole() {
    if (unpacker_ && !unpacker_->at_boundary())
        return refuse(Code::kOffline, "the answer ends in the middle of its coding");
    reusable_ = parser_->beast.keep_alive() && kept_.empty();
    return state_ = State::kWhole;
}

ResponseReader::State ResponseReader::end() {
    switch (state_) {
        case State::kWhole:
            reusable_ = false;
            return state_;
        case State::kRefused:
            return state_;
        case State::kHead:
            return refuse(Code::kOffline, "the connection was closed before the answer");
        case State::kBody:
            break;
    }
    error_code ec;
    parser_->beast.put_eof(ec);
    if (ec || !parser_->beast.is_done())
        return refuse(Code::kOffline, "the connection was closed in the middle of the answer");
    whole();
    reusable_ = false;
    return state_;
}

}  // namespace skerry::host
