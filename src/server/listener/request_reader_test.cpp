#include "server/listener/request_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "base/random.hpp"

namespace skerry::server {
namespace {

using State = RequestReader::State;
constexpr std::size_t kBodyMax = 1000;

RequestReader reader() {
    return RequestReader({}, [](const http::Request&, std::optional<std::size_t>) {
        return Admission{.body_bytes_max = kBodyMax};
    });
}

const std::string kPost =
    "POST /v1/push HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer t\r\nContent-Type: a/b\r\n"
    "Content-Length: 5\r\n\r\nhello";
const std::string kChunkedPost =
    "POST /v1/push HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\nAuthorization: Bearer trailer\r\n\r\n";

TEST(RequestReader, ReadsAWholeRequest) {
    auto r = reader();
    ASSERT_EQ(r.feed(kPost), State::kWhole);
    EXPECT_TRUE(r.manners().keep_alive);
    EXPECT_TRUE(r.manners().chunks);
    const auto request = r.take();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/v1/push");
    EXPECT_EQ(request.authorization, "Bearer t");
    EXPECT_EQ(request.content_type, "a/b");
    EXPECT_EQ(request.body, "hello");
    EXPECT_EQ(r.state(), State::kIdle);
}

// Beast's parser stops the program when the first three bytes of such a body come alone.
TEST(RequestReader, takes_a_chunked_body_without_a_chunk_byte_by_byte) {
    const std::string head = "POST /v1/push HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string body : {"0\r\n\r\n", "0\r\na: b\r\n\r\n", "000;x=y\r\n\r\n"}) {
        auto r = reader();
        State state = State::kIdle;
        for (const char c : head + body) state = r.feed(std::string(1, c));
        ASSERT_EQ(state, State::kWhole) << body;
        EXPECT_EQ(r.take().body, "");
    }
    auto r = reader();
    for (const char c : head + "0\r\n") r.feed(std::string(1, c));
    EXPECT_EQ(r.feed("no trailer\r\n\r\n"), State::kRefused);
}

TEST(RequestReader, SeesTheSameHoweverTheBytesAreCut) {
    for (const auto& text : {kPost, kChunkedPost}) {
        for (std::size_t step = 1; step < text.size(); ++step) {
            auto r = reader();
            State state = State::kIdle;
            for (std::size_t at = 0; at < text.size(); at += step)
                state = r.feed(std::string_view(text).substr(at, step));
            ASSERT_EQ(state, State::kWhole) << step;
            EXPECT_EQ(r.take().body, "hello");
        }
    }
}

TEST(RequestReader, KeepsThePipelinedRequestForLater) {
    auto r = reader();
    ASSERT_EQ(r.feed(kPost + kChunkedPost + "GET"), State::kWhole);
    EXPECT_EQ(r.take().body, "hello");
    ASSERT_EQ(r.feed({}), State::kWhole);
    EXPECT_EQ(r.take().body, "hello");
    EXPECT_EQ(r.feed({}), State::kHeader);
    EXPECT_EQ(r.feed(" / HTTP/1.1\r\nHost: h\r\n\r\n"), State::kWhole);
    EXPECT_EQ(r.take().method, "GET");
}

TEST(RequestReader, TakesNoFieldFromATrailer) {
    auto r = reader();
    ASSERT_EQ(r.feed(kChunkedPost), State::kWhole);
    EXPECT_EQ(r.take().authorization, "");
}

TEST(RequestReader, OverlooksBlankLinesBeforeARequest) {
    auto r = reader();
    EXPECT_EQ(r.feed("\r"), State::kIdle);
    EXPECT_EQ(r.feed("\n\r\n" + kPost), State::kWhole);
}

struct Bad {
    const char* name;
    std::string text;
    int status;
};

TEST(RequestReader, RefusesWhatIsMalformedOrAmbiguous) {
    const std::string start = "POST / HTTP/1.1\r\nHost: h\r\n";
    const std::vector<Bad> bad{
        {"TE and CL", start + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400},
        {"CL and TE", start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"CL and unknown TE", start + "Content-Length: 3\r\nTransfer-Encoding: x\r\n\r\n", 400},
        {"unknown TE", start + "Transfer-Encoding: gzip\r\n\r\n", 501},
        {"TE list", start + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {"TE twice", start + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
        {"TE chunked twice",
         start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"TE misspelt", start + "Transfer-Encoding: xchunked\r\n\r\n", 501},
        {"TE name with blank", start + "Transfer-Encoding : chunked\r\n\r\n", 400},
        {"TE in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"CL twice", start + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400},
        {"CL differing", start + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400},
        {"CL list", start + "Content-Length: 3, 3\r\n\r\n", 400},
        {"CL signed", start + "Content-Length: +3\r\n\r\n", 400},
        {"CL negative", start + "Content-Length: -3\r\n\r\n", 400},
        {"CL hex", start + "Content-Length: 0x3\r\n\r\n", 400},
        {"CL overflow", start + "Content-Length: 18446744073709551617\r\n\r\n", 400},
        {"CL empty", start + "Content-Length:\r\n\r\n", 400},
        {"chunk size", start + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        {"chunk size overflow", start + "Transfer-Encoding: chunked\r\n\r\n11111111111111111\r\n",
         400},
        {"chunk end", start + "Transfer-Encoding: chunked\r\n\r\n1\r\naXX\r\n", 400},
        {"endless chunk line",
         start + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(20'000, 'x'), 400},
        {"folded", start + "X: a\r\n b\r\n\r\n", 400},
        {"bare LF", "POST / HTTP/1.1\nHost: h\n\n", 400},
        {"bare CR", start + "X: a\rb\r\n\r\n", 400},
        {"NUL", start + std::string("X: a\0b\r\n\r\n", 10), 400},
        {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
        {"two hosts", start + "Host: i\r\n\r\n", 400},
        {"two tokens", start + "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400},
        {"absolute target", "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"no version", "GET /\r\n\r\n", 400},
        {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
        {"TLS hello", std::string("\x16\x03\x01\x02\x00\x01", 6), 400},
        {"control in target", "GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"long headers", start + "X: " + std::string(17'000, 'a'), 431},
        {"long target", "GET /" + std::string(17'000, 'a'), 414},
        {"two content types", start + "Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n", 400},
        {"two codings", start + "Content-Encoding: a\r\nContent-Encoding: b\r\n\r\n", 400},
        {"another expectation", start + "Expect: 200-ok\r\nContent-Length: 1\r\n\r\n", 417},
        {"large body", start + "Content-Length: 1001\r\n\r\n", 413},
        {"huge body", start + "Content-Length: 18446744073709551615\r\n\r\n", 413},
        {"large chunk", start + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n", 413},
        {"large sum",
         start + "Transfer-Encoding: chunked\r\n\r\n1f4\r\n" + std::string(500, 'x') +
             "\r\n1f5\r\n",
         413},
    };
    for (const auto& [name, text, status] : bad) {
        auto whole = reader();
        EXPECT_EQ(whole.feed(text), State::kRefused) << name;
        EXPECT_EQ(whole.refusal().status, status) << name << ": " << whole.refusal().why;
        EXPECT_EQ(whole.feed(kPost), State::kRefused) << name;
        auto cut = reader();
        for (const char c : text) cut.feed(std::string_view(&c, 1));
        EXPECT_EQ(cut.state(), State::kRefused) << name;
        EXPECT_EQ(cut.refusal().status, status) << name << ": " << cut.refusal().why;
    }
}

TEST(RequestReader, TakesTheLargestBody) {
    auto r = reader();
    ASSERT_EQ(r.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" +
                     std::string(kBodyMax, 'x')),
              State::kWhole);
    EXPECT_EQ(r.take().body.size(), kBodyMax);
    ASSERT_EQ(r.feed("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" +
                     std::string(kBodyMax, 'x') + "\r\n0\r\n\r\n"),
              State::kWhole);
    EXPECT_EQ(r.take().body.size(), kBodyMax);
}

// The largest request of each kind, and one byte or line more.
TEST(RequestReader, TakesHeadsUpToEachLimitAndNoneBeyond) {
    const HeadLimits limits;
    const std::string start = "GET / HTTP/1.1\r\nHost: h\r\n";
    const auto line = [](std::size_t bytes) { return "X: " + std::string(bytes - 5, 'a') + "\r\n"; };
    const auto request_line = [](std::size_t bytes) {
        return "GET /" + std::string(bytes - 16, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n";
    };
    const auto lines = [&](std::size_t count) {
        std::string text = start;
        for (std::size_t i = 1; i < count; ++i) text += "X: a\r\n";
        return text + "\r\n";
    };
    const auto bytes = [&](std::size_t all) {
        const std::string half = line(limits.bytes / 2);
        return start + half + line(all - start.size() - half.size() - 2) + "\r\n";
    };
    ASSERT_EQ(request_line(limits.request_line_bytes).find("\r\n") + 2, limits.request_line_bytes);
    ASSERT_EQ(bytes(limits.bytes).size(), limits.bytes);
    for (const auto& [name, at, beyond, status] : std::vector<std::tuple<std::string, std::string, std::string, int>>{
             {"request line", request_line(limits.request_line_bytes),
              request_line(limits.request_line_bytes + 1), 414},
             {"line", start + line(limits.line_bytes) + "\r\n",
              start + line(limits.line_bytes + 1) + "\r\n", 431},
             {"lines", lines(limits.lines), lines(limits.lines + 1), 431},
             {"bytes", bytes(limits.bytes), bytes(limits.bytes + 1), 431}}) {
        for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, std::size_t{100'000}}) {
            const auto read = [&](RequestReader& r, const std::string& text) {
                for (std::size_t i = 0; i < text.size(); i += step)
                    r.feed(std::string_view(text).substr(i, step));
            };
            auto taken = reader();
            read(taken, at);
            EXPECT_EQ(taken.state(), State::kWhole) << name << step;
            auto refused = reader();
            read(refused, beyond);
            EXPECT_EQ(refused.state(), State::kRefused) << name << step;
            EXPECT_EQ(refused.refusal().status, status) << name << ": " << refused.refusal().why;
            EXPECT_EQ(refused.refusal().code, Code::kLimitExceeded) << name;
        }
    }
}

TEST(RequestReader, RefusesChunksWhoseLinesAreManyTimesTheBody) {
    const std::string start = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    auto plain = reader();  // a byte a chunk is silly, and allowed
    std::string single = start;
    for (std::size_t i = 0; i < kBodyMax; ++i) single += "1\r\nx\r\n";
    EXPECT_EQ(plain.feed(single + "0\r\n\r\n"), State::kWhole);
    auto padded = reader();
    padded.feed(start);
    const std::string chunk = "1;e=" + std::string(1000, 'x') + "\r\nx\r\n";
    int chunks = 0;
    while (padded.feed(chunk) == State::kBody) ASSERT_LT(++chunks, 30);
    EXPECT_EQ(padded.state(), State::kRefused);
    EXPECT_EQ(padded.refusal().code, Code::kLimitExceeded);
}

TEST(RequestReader, AsksBeforeTheBodyAndReadsNoneThatIsNotWanted) {
    std::vector<std::optional<std::size_t>> asked;
    RequestReader r({}, [&](const http::Request& head, std::optional<std::size_t> here) {
        EXPECT_EQ(head.content_encoding, "br");
        asked.push_back(here);
        return Admission{.body_bytes_max = 10, .wanted = here.has_value()};
    });
    const std::string start = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Encoding: br\r\n";
    ASSERT_EQ(r.feed(start + "Content-Length: 2\r\n\r\nab"), State::kWhole);
    r.take();
    ASSERT_EQ(r.feed(start + "Content-Length: 2\r\n\r\na"), State::kUnwanted);
    EXPECT_EQ(r.head().target, "/x");
    EXPECT_FALSE(r.take_wants_continue());
    EXPECT_EQ(r.feed("b" + kPost), State::kUnwanted) << "what follows could be the body";
    EXPECT_EQ(asked, (std::vector<std::optional<std::size_t>>{2, std::nullopt}));
}

// What a reader makes of a stream: requests and, at its end, a refusal.
std::string read_all(std::string_view text, SeededRandom* random) {
    auto r = reader();
    std::string seen;
    const auto note = [&] {
        for (; r.state() == State::kWhole; r.feed({})) {
            const auto request = r.take();
            seen += request.method + " " + request.target + " " + request.authorization + " " + request.content_type + " " + request.body + "\n";
        }
    };
    while (!text.empty()) {
        const std::size_t piece = random == nullptr ? text.size() : 1 + random->below(std::min<std::size_t>(text.size(), 40));
        r.feed(text.substr(0, piece));
        note();
        text.remove_prefix(piece);
    }
    if (r.state() == State::kRefused) seen += std::to_string(r.refusal().status) + " " + r.refusal().why;
    return seen;
}

// Damaged, doubled and cut requests: no crash, and where a packet ends decides nothing.
TEST(RequestReader, security_T11_SeesTheSameInAlteredRequestsHoweverTheyAreCut) {
    SeededRandom random(20260301);
    const std::vector<std::string> parts{
        kPost, kChunkedPost, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "\r\n", "\n", "\r", ":", " ", "\t", ";", ",", "0\r\n\r\n", "Content-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\n", "HTTP/1.0", "HTTP/1.1", std::string(1, '\0'), "\xff", "+5", "-1", "ffffffffffffffff", "Expect: 100-continue\r\n"};
    int refused = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string text = parts[random.below(3)] + parts[random.below(3)];
        for (std::uint64_t n = random.below(4); n > 0 && !text.empty(); --n) {
            const std::size_t at = random.below(text.size());
            switch (random.below(4)) {
                case 0: text.insert(at, parts[random.below(parts.size())]); break;
                case 1: text.erase(at, 1 + random.below(8)); break;
                case 2: text[at] = static_cast<char>(random.below(256)); break;
                default: text.resize(at + 1); break;
            }
        }
        const std::string whole = read_all(text, nullptr);
        ASSERT_EQ(read_all(text, &random), whole) << text;
        if (!whole.empty() && whole.back() != '\n') ++refused;
    }
    EXPECT_GT(refused, 1000);
    EXPECT_LT(refused, 19'000);
}

TEST(RequestReader, KnowsTheClientsManners) {
    auto r = reader();
    r.feed("GET / HTTP/1.0\r\n\r\n");
    EXPECT_FALSE(r.manners().keep_alive);
    EXPECT_FALSE(r.manners().chunks);
    r.take();
    r.feed("HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_TRUE(r.manners().keep_alive);
    EXPECT_TRUE(r.manners().head);
    r.take();
    r.feed("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_FALSE(r.manners().keep_alive);
    r.take();
    r.feed("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_TRUE(r.take_wants_continue());
    EXPECT_FALSE(r.take_wants_continue());
    EXPECT_EQ(r.feed("ab"), State::kWhole);
}

}  // namespace
}  // namespace skerry::server
