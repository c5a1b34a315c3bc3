#include "host/native/response_reader.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace skerry::host {
namespace {

using State = ResponseReader::State;

struct Read {
    State state = State::kHead;
    ResponseInfo info;
    Bytes body;
    bool reusable = false;
    Code code{};
};

Read read_in_steps(std::string_view text, std::size_t step, bool ends) {
    ResponseReader reader(1000);
    Read out;
    for (std::size_t at = 0; at < text.size(); at += step)
        reader.feed(text.substr(at, step), out.body);
    if (ends) reader.end();
    out.state = reader.state();
    out.info = reader.info();
    out.reusable = reader.reusable();
    if (out.state == State::kRefused) out.code = reader.error().code;
    return out;
}

// Beast's parser stops the program when the first three bytes of such a body come alone.
TEST(ResponseReader, takes_a_chunked_body_without_a_chunk_byte_by_byte) {
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string body : {"0\r\n\r\n", "0\r\na: b\r\n\r\n", "000;x=y\r\n\r\n"}) {
        const Read out = read_in_steps(head + body, 1, false);
        EXPECT_EQ(out.state, State::kWhole) << body;
        EXPECT_EQ(out.body, "");
        EXPECT_TRUE(out.reusable);
    }
    EXPECT_EQ(read_in_steps(head + "0\r\na", 1, true).code, Code::kOffline);
    EXPECT_EQ(read_in_steps(head + "0\r", 1, true).code, Code::kOffline);
}

TEST(ResponseReader, ReadsEveryFramingHoweverItIsCut) {
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nRetry-After: 3\r\n";
    const struct {
        std::string text;
        bool by_end;
    } cases[] = {
        {head + "Content-Length: 5\r\n\r\nhello", false},
        {head + "Transfer-Encoding: chunked\r\n\r\n2;x\r\nhe\r\n3\r\nllo\r\n0\r\nT: t\r\n\r\n",
         false},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + head +
             "Content-Length: 5\r\n\r\nhello",
         false},
        {head + "\r\nhello", true},
        {"HTTP/1.0 200 OK\r\nContent-Type: a/b\r\nRetry-After: 3\r\n\r\nhello", true},
    };
    for (const auto& [text, by_end] : cases) {
        for (std::size_t step = 1; step <= text.size(); ++step) {
            const auto out = read_in_steps(text, step, by_end);
            ASSERT_EQ(out.state, State::kWhole) << text << step;
            EXPECT_EQ(out.info.status, 200);
            EXPECT_EQ(out.info.content_type, "a/b");
            EXPECT_EQ(out.info.retry_after, Millis{3000});
            EXPECT_EQ(out.body, "hello");
            EXPECT_EQ(out.reusable, !by_end);
        }
    }
}

// A body that grows is given out piece by piece, however much of it came at once.
TEST(ResponseReader, GivesOutALargeCodedBodyInPieces) {
    coding::Packer packer;
    Bytes coded;
    const Bytes zeros(16u << 20, '\0');
    packer.pack(zeros, coded);
    ResponseReader reader(1000);
    Bytes body;
    reader.feed("HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: " +
                    std::to_string(coded.size()) + "\r\n\r\n" + coded,
                body);
    Bytes all;
    std::size_t pieces = 0;
    for (;; ++pieces) {
        EXPECT_LE(body.size(), 2 * kDecodedAtOnce);
        all += std::exchange(body, {});
        if (!reader.has_more()) break;
        EXPECT_EQ(reader.state(), State::kBody);
        reader.feed({}, body);
    }
    EXPECT_EQ(reader.state(), State::kWhole);
    EXPECT_EQ(all, zeros);
    EXPECT_GT(pieces, 10u);
    EXPECT_EQ(reader.transferred(), coded.size());
}

TEST(ResponseReader, UndoesTheContentCodingAndRefusesOthers) {
    coding::Packer packer;
    Bytes coded;
    packer.pack("hel", coded);
    packer.pack("lo", coded);
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Encoding: Zstd\r\n";
    const std::string text = head + "Content-Length: " + std::to_string(coded.size()) + "\r\n\r\n" + coded;
    for (std::size_t step = 1; step <= text.size(); ++step) {
        const auto out = read_in_steps(text, step, false);
        ASSERT_EQ(out.state, State::kWhole) << step;
        EXPECT_EQ(out.body, "hello");
    }
    ResponseReader reader(1000);
    Bytes body;
    reader.feed(text, body);
    EXPECT_EQ(reader.transferred(), coded.size());

    const auto cut = read_in_steps(head + "\r\n" + coded.substr(0, coded.size() - 1), 1000, true);
    EXPECT_EQ(cut.state, State::kRefused);
    EXPECT_EQ(cut.code, Code::kOffline);
    for (const std::string& other : {head + "Content-Length: 9\r\n\r\n<html>...", std::string("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx")}) {
        const auto out = read_in_steps(other, 1000, false);
        EXPECT_EQ(out.state, State::kRefused) << other;
        EXPECT_EQ(out.code, Code::kForeignAnswer) << other;
    }
    EXPECT_EQ(read_in_steps("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", 7, false).body, "hello");
}

TEST(ResponseReader, TellsACutFromAnEnd) {
    for (const std::string text :
         {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"}) {
        const auto out = read_in_steps(text, 100, true);
        EXPECT_EQ(out.state, State::kRefused) << text;
        EXPECT_EQ(out.code, Code::kOffline) << text;
    }
}

TEST(ResponseReader, RefusesWhatIsNotHttp) {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    for (const std::string& text :
         {std::string("SSH-2.0-OpenSSH\r\n"), std::string("\x16\x03\x01", 3), std::string("HTTPS"),
          std::string("HTTP/1.1 abc OK\r\n\r\n"), std::string("HTTP/3 200 OK\r\n\r\n"),
          std::string("HTTP/1.1 101 Switching\r\n\r\n"), ok + "bad header\r\n\r\n",
          ok + "Content-Length: x\r\n\r\n", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
          ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", ok + "X: " + std::string(2000, 'x')}) {
        for (const std::size_t step : {std::size_t{1}, text.size()}) {
            const auto out = read_in_steps(text, step, false);
            EXPECT_EQ(out.state, State::kRefused) << text;
            EXPECT_EQ(out.code, Code::kForeignAnswer) << text;
        }
    }
}

TEST(ResponseReader, KnowsWhenTheConnectionCanGoOn) {
    const auto reusable = [](std::string text) {
        return read_in_steps(text, 1000, false).reusable;
    };
    EXPECT_TRUE(reusable("HTTP/1.1 204 No Content\r\n\r\n"));
    EXPECT_TRUE(reusable("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_FALSE(reusable("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_FALSE(reusable("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_FALSE(reusable("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore"));
}

TEST(ResponseReader, TakesRetryAfterWithCaution) {
    const auto wait = [](const std::string& value) {
        const auto out = read_in_steps(
            "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: " + value + "\r\n\r\n", 1000,
            false);
        EXPECT_EQ(out.state, State::kWhole) << value;
        return out.info.retry_after;
    };
    EXPECT_EQ(wait("120"), Millis{120'000});
    EXPECT_EQ(wait("-5"), Millis{0});
    EXPECT_EQ(wait("5 minutes"), Millis{0});
    EXPECT_EQ(wait("Wed, 21 Oct 2026 07:28:00 GMT"), Millis{0});
    EXPECT_EQ(wait("99999999999999999999999"), Millis{86'400'000});
}

}  // namespace
}  // namespace skerry::host
