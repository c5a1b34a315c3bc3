// Request smuggling lives on two parsers that see different ends of one message. So a header block
// is looked at as bytes before Beast sees it, and what is ambiguous is refused instead of
// interpreted:
//   - line ends other than CRLF, NUL, folded lines (obs-fold)
//   - Content-Length more than once or as a list; together with Transfer-Encoding (Beast's own
//   check)
//   - any Transfer-Encoding but exactly "chunked", or one in HTTP/1.0
//   - more than one Host, Authorization, Content-Type or Content-Encoding, none or an empty Host in
//   HTTP/1.1
//   - targets that do not begin with "/", and expectations other than 100-continue
// Fields are read when the header block ends: a trailer of a chunked body can add nothing to them.
#include "server/listener/request_reader.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>

#include "base/assert.hpp"

namespace skerry::server {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;

namespace {

// What a hostile Content-Length may cost before its bytes arrive.
constexpr std::size_t kBodyReserveMax = 64u << 10;
// "0", two line ends. Beast stops the program (an assertion) when it is given the first three bytes of a chunked body without a
// chunk and then a fourth, so it gets nothing of what may be such a body before there are so many.
constexpr std::size_t kChunkedBodyLeast = 5;

// A body that grows as bytes arrive (Beast's string_body reserves what the client announces).
struct GrowingBody {
    using value_type = Bytes;
    class reader {
      public:
        template <bool isRequest, class Fields>
        reader(beast_http::header<isRequest, Fields>&, value_type& body) : body_(body) {}
        void init(const boost::optional<std::uint64_t>& length, error_code& ec) {
            if (length) body_.reserve(std::min<std::uint64_t>(*length, kBodyReserveMax));
            ec = {};
        }
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

std::string text_of(boost::beast::string_view view) {
    return {view.data(), view.size()};
}

bool same_word(boost::beast::string_view a, boost::beast::string_view b) {
    return boost::beast::iequals(a, b);
}

}  // namespace

struct RequestReader::Parser {
    beast_http::request_parser<GrowingBody> beast;
    bool body_begun = false;
};

RequestReader::RequestReader(const HeadLimits& limits, Admit admit)
    : limits_(limits), admit_(std::move(admit)) {}
RequestReader::~RequestReader() = default;

RequestReader::State RequestReader::refuse(int status, std::string why, Code code) {
    refusal_ = Refusal{status, std::move(why), code};
    parser_.reset();
    kept_ = {};
    return state_ = State::kRefused;
}

RequestReader::State RequestReader::feed(BytesView bytes) {
    if (state_ == State::kRefused || state_ == State::kUnwanted) return state_;
    kept_.append(bytes);
    if (state_ == State::kIdle || state_ == State::kHeader) read_header();
    if (state_ == State::kBody) read_body();
    return state_;
}

RequestReader::State RequestReader::read_header() {
    if (state_ == State::kIdle) {
        // Blank lines before a request line are to be overlooked (RFC 9112, 2.2).
        std::size_t blank = 0;
        while (kept_.compare(blank, 2, "\r\n") == 0) blank += 2;
        kept_.erase(0, blank);
        if (kept_.empty()) return state_;
        if (kept_ == "\r") return state_;
        state_ = State::kHeader;
        scanned_ = line_begin_ = lines_ = 0;
    }
    const std::size_t end = std::min(kept_.size(), limits_.bytes);
    for (; scanned_ < end; ++scanned_) {
        const char c = kept_[scanned_];
        const char before = scanned_ == 0 ? '\0' : kept_[scanned_ - 1];
        if (c == '\0') return refuse(400, "a NUL in the headers");
        if ((c == '\n') != (before == '\r'))
            return refuse(400, "a line of the headers does not end in CRLF");
        if ((c == ' ' || c == '\t') && before == '\n') return refuse(400, "a folded header line");
        if (c == '\n' && scanned_ - line_begin_ == 1) return accept_header(scanned_ + 1);
        if (c == '\n' && !take_line(scanned_ + 1)) return state_;
    }
    if (end > line_begin_ && !take_line(end)) return state_;
    if (end == limits_.bytes)
        return refuse(431, "the headers are larger than " + std::to_string(limits_.bytes) + " bytes",
                      Code::kLimitExceeded);
    return state_;
}

// The line up to `end`, whole or so far, is within its limits; else it is refused.
bool RequestReader::take_line(std::size_t end) {
    const bool is_first = lines_ == 0;
    const bool is_whole = kept_[end - 1] == '\n';
    const std::size_t most = is_first ? limits_.request_line_bytes : limits_.line_bytes;
    if (end - line_begin_ > most) {
        if (is_first)
            refuse(414, "the request line is longer than " + std::to_string(most) + " bytes",
                   Code::kLimitExceeded);
        else
            refuse(431, "a header line is longer than " + std::to_string(most) + " bytes",
                   Code::kLimitExceeded);
        return false;
    }
    if (!is_whole) return true;
    line_begin_ = end;
    if (++lines_ <= limits_.lines + 1) return true;
    refuse(431, "more than " + std::to_string(limits_.lines) + " header lines",
           Code::kLimitExceeded);
    return false;
}

RequestReader::State RequestReader::accept_header(std::size_t bytes) {
    parser_ = std::make_unique<Parser>();
    auto& parser = parser_->beast;
    parser.header_limit(static_cast<std::uint32_t>(bytes + 4));
    parser.body_limit(boost::none);  // known only when the target is
    error_code ec;
    const std::size_t used = parser.put(boost::asio::const_buffer(kept_.data(), bytes), ec);
    if (ec) return refuse(400, "not an HTTP/1.1 request: " + ec.message());
    if (used != bytes || !parser.is_header_done()) return refuse(400, "not an HTTP/1.1 request");
    kept_.erase(0, bytes);
    if (auto why = ambiguity()) return refuse(why->status, std::move(why->why));
    take_fields();
    return parser.is_done() ? state_ = State::kWhole : await_body();
}

std::optional<Refusal> RequestReader::ambiguity() const {
    using beast_http::field;
    const auto& message = parser_->beast.get();
    const bool http_1_1 = message.version() == 11;
    if (message.count(field::content_length) > 1 ||
        message[field::content_length].find(',') != boost::beast::string_view::npos)
        return Refusal{400, "more than one Content-Length"};
    if (message.count(field::transfer_encoding) != 0) {
        if (message.count(field::content_length) != 0 || !http_1_1)
            return Refusal{400, "Transfer-Encoding where it must not be"};
        if (message.count(field::transfer_encoding) != 1 ||
            !same_word(message[field::transfer_encoding], "chunked"))
            return Refusal{501, "a Transfer-Encoding other than chunked"};
    }
    if (message.count(field::host) > 1 || (http_1_1 && message[field::host].empty()))
        return Refusal{400, "not exactly one Host"};
    for (const field one : {field::authorization, field::content_type, field::content_encoding})
        if (message.count(one) > 1)
            return Refusal{400, "more than one " + text_of(beast_http::to_string(one))};
    if (message.target().empty() || message.target().front() != '/')
        return Refusal{400, "the target is not a path"};
    if (message.count(field::expect) > 1 ||
        (message.count(field::expect) == 1 && !same_word(message[field::expect], "100-continue")))
        return Refusal{417, "an expectation other than 100-continue"};
    return std::nullopt;
}

void RequestReader::take_fields() {
    using beast_http::field;
    const auto& message = parser_->beast.get();
    request_.method = text_of(message.method_string());
    request_.target = text_of(message.target());
    request_.authorization = text_of(message[field::authorization]);
    request_.content_type = text_of(message[field::content_type]);
    request_.accept_encoding = text_of(message[field::accept_encoding]);
    request_.content_encoding = text_of(message[field::content_encoding]);
    manners_ = {.keep_alive = parser_->beast.keep_alive(),
                .chunks = message.version() == 11,
                .head = message.method() == beast_http::verb::head};
    wants_continue_ = message.count(field::expect) != 0;
}

RequestReader::State RequestReader::await_body() {
    auto& parser = parser_->beast;
    const auto length = parser.content_length();
    const bool is_here = length && *length <= kept_.size();
    const Admission admission =
        admit_(request_, is_here ? std::optional<std::size_t>(*length) : std::nullopt);
    if (!admission.wanted) {
        parser_.reset();
        kept_ = {};
        return state_ = State::kUnwanted;
    }
    body_max_ = admission.body_bytes_max;
    framed_ = 0;
    if (length.value_or(0) > body_max_)
        return refuse(413, "the body is larger than " + std::to_string(body_max_) + " bytes",
                      Code::kLimitExceeded);
    parser.body_limit(body_max_);
    parser.eager(true);
    return state_ = State::kBody;
}

RequestReader::State RequestReader::read_body() {
    auto& parser = parser_->beast;
    if (!parser_->body_begun && parser.chunked() && (kept_.empty() || kept_.starts_with('0')) && kept_.size() < kChunkedBodyLeast) return state_;
    parser_->body_begun = true;
    error_code ec;
    std::size_t used = 0;
    while (!ec && !parser.is_done() && used < kept_.size())
        used += parser.put(boost::asio::const_buffer(kept_.data() + used, kept_.size() - used), ec);
    kept_.erase(0, used);
    framed_ += used;
    if (ec == beast_http::error::body_limit)
        return refuse(413, "the body is larger than " + std::to_string(body_max_) + " bytes",
                      Code::kLimitExceeded);
    if (ec && ec != beast_http::error::need_more)
        return refuse(400, "the body's framing: " + ec.message());
    if (parser.chunked() && framed_ > kFramingPerByteMax * body_bytes() + kChunkLineMax)
        return refuse(400, "the chunks' lines are many times the body", Code::kLimitExceeded);
    if (parser.is_done()) return state_ = State::kWhole;
    if (kept_.size() > kChunkLineMax)
        return refuse(400, "a chunk's line is too long", Code::kLimitExceeded);
    return state_;
}

bool RequestReader::take_wants_continue() {
    return std::exchange(wants_continue_, false) && state_ == State::kBody;
}

std::size_t RequestReader::body_bytes() const {
    return parser_ ? parser_->beast.get().body().size() : 0;
}

http::Request RequestReader::take() {
    SKERRY_ASSERT(state_ == State::kWhole);
    request_.body = std::move(parser_->beast.get().body());
    parser_.reset();
    wants_continue_ = false;
    if (kept_.empty()) kept_ = {};  // an idle connection holds no memory
    state_ = State::kIdle;
    return std::exchange(request_, {});
}

}  // namespace skerry::server
