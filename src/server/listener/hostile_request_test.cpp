// What is ambiguous is refused and the connection closed, and nothing of it is read as a request afterwards; what is allowed means
// one thing. Over a real socket: each text is followed by a request that must be answered only where the text was a whole one.
#include <gtest/gtest.h>

#include "server/listener/test_kit.hpp"

namespace skerry::server {
namespace {

using testing::Client;
using testing::FakeHandler;
using testing::Running;

const std::string kPost = "POST /echo HTTP/1.1\r\nHost: h\r\n";
const std::string kChunked = kPost + "Transfer-Encoding: chunked\r\n\r\n";
const std::string kNext = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kInside = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

struct Case {
    const char* name;
    std::string text;
    int status;        // of the first answer
    std::string body;  // of an answer 200
};

const std::vector<Case>& cases() {
    static const std::vector<Case> all{
        // two lengths
        {"CL and TE", kPost + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + kInside, 400, ""},
        {"TE and CL", kPost + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + kInside, 400, ""},
        {"TE and CL 0", kPost + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n" + kInside, 400, ""},
        {"two CLs", kPost + "Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + kInside, 400, ""},
        {"two equal CLs", kPost + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + kInside, 400, ""},
        {"CL list", kPost + "Content-Length: 0, 0\r\n\r\n" + kInside, 400, ""},
        {"CL negative", kPost + "Content-Length: -1\r\n\r\n" + kInside, 400, ""},
        {"CL plus", kPost + "Content-Length: +0\r\n\r\n" + kInside, 400, ""},
        {"CL hex", kPost + "Content-Length: 0x0\r\n\r\n" + kInside, 400, ""},
        {"CL exponent", kPost + "Content-Length: 0e1\r\n\r\n" + kInside, 400, ""},
        {"CL blank inside", kPost + "Content-Length: 1 0\r\n\r\n" + kInside, 400, ""},
        {"CL overflow", kPost + "Content-Length: 18446744073709551616\r\n\r\n" + kInside, 400, ""},
        {"CL largest", kPost + "Content-Length: 18446744073709551615\r\n\r\n" + kInside, 413, ""},
        {"CL empty", kPost + "Content-Length: \r\n\r\n" + kInside, 400, ""},
        {"CL vertical tab", kPost + "Content-Length: \x0b" "0\r\n\r\n" + kInside, 400, ""},
        {"CL in a name with a blank", kPost + "Content-Length : 0\r\n\r\n" + kInside, 400, ""},
        {"CL with leading zeros", kPost + "Content-Length: 005\r\n\r\nhello", 200, "hello"},
        // odd transfer codings
        {"xchunked", kPost + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + kInside, 501, ""},
        {"chunked, identity", kPost + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + kInside, 501, ""},
        {"identity", kPost + "Transfer-Encoding: identity\r\n\r\n" + kInside, 501, ""},
        {"gzip, chunked", kPost + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + kInside, 501, ""},
        {"chunked,", kPost + "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n" + kInside, 501, ""},
        {"quoted", kPost + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" + kInside, 501, ""},
        {"chunked with a parameter", kPost + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n" + kInside, 501, ""},
        {"chunked with a vertical tab", kPost + "Transfer-Encoding: \x0b" "chunked\r\n\r\n0\r\n\r\n" + kInside, 400, ""},
        {"name with a blank", kPost + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + kInside, 400, ""},
        {"name with a tab", kPost + "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n" + kInside, 400, ""},
        {"name behind a blank", kPost + " Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + kInside, 400, ""},
        {"folded value", kPost + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + kInside, 400, ""},
        {"hidden behind a bare CR", kPost + "X: a\rTransfer-Encoding: chunked\r\n\r\n" + kInside, 400, ""},
        {"hidden behind a bare LF", kPost + "X: a\nTransfer-Encoding: chunked\r\n\r\n" + kInside, 400, ""},
        {"underscore", kPost + "Transfer_Encoding: chunked\r\n\r\n", 200, "POST /echo"},
        {"blanks around", kPost + "Transfer-Encoding: \t chunked \t\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, "hi"},
        {"large letters", kPost + "TRANSFER-ENCODING: CHUNKED\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, "hi"},
        // chunks
        {"size with plus", kChunked + "+2\r\nhi\r\n0\r\n\r\n" + kInside, 400, ""},
        {"size with minus", kChunked + "-2\r\nhi\r\n0\r\n\r\n" + kInside, 400, ""},
        {"size with 0x", kChunked + "0x2\r\nhi\r\n0\r\n\r\n" + kInside, 400, ""},
        {"size empty", kChunked + "\r\nhi\r\n0\r\n\r\n" + kInside, 400, ""},
        {"size overflow", kChunked + "10000000000000002\r\nhi\r\n0\r\n\r\n" + kInside, 400, ""},
        {"size largest", kChunked + "ffffffffffffffff\r\nhi\r\n0\r\n\r\n" + kInside, 413, ""},
        {"size behind a blank", kChunked + " 2\r\nhi\r\n0\r\n\r\n" + kInside, 400, ""},
        {"size ended by LF", kChunked + "2\nhi\r\n0\r\n\r\n" + kInside, 400, ""},
        {"extension ended by LF", kChunked + "2;\nxx\r\n4c\r\n0\r\n\r\n" + kInside, 400, ""},
        {"extension with CR", kChunked + "2;a\rb\r\nhi\r\n0\r\n\r\n" + kInside, 400, ""},
        {"extension of many bytes", kChunked + "2;a=" + std::string(20'000, 'x') + "\r\nhi\r\n0\r\n\r\n" + kInside, 400, ""},
        {"data without CRLF", kChunked + "2\r\nhiX0\r\n\r\n" + kInside, 400, ""},
        {"data too long", kChunked + "2\r\nhii\r\n0\r\n\r\n" + kInside, 400, ""},
        {"data ended by LF", kChunked + "2\r\nhi\n0\r\n\r\n" + kInside, 400, ""},
        {"extension", kChunked + "2;name=\"va;lue\"\r\nhi\r\n0;last\r\n\r\n", 200, "hi"},
        {"trailers", kChunked + "2\r\nhi\r\n0\r\nHost: evil\r\nAuthorization: Bearer x\r\n\r\n", 200, "hi"},
        {"a length in a trailer", kChunked + "2\r\nhi\r\n0\r\nContent-Length: 99\r\n\r\n" + kInside, 400, ""},
        {"a coding in a trailer", kChunked + "2\r\nhi\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n" + kInside, 400, ""},
        {"trailer without a name", kChunked + "2\r\nhi\r\n0\r\n: x\r\n\r\n" + kInside, 400, ""},
        {"trailers of many bytes", kChunked + "0\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n" + kInside, 400, ""},
        // versions
        {"HTTP/0.9", "GET /smuggled\r\n\r\n", 400, ""},
        {"HTTP/1.0 with TE", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + kInside, 400, ""},
        {"HTTP/1.2", "GET /smuggled HTTP/1.2\r\nHost: h\r\n\r\n", 400, ""},
        {"HTTP/2.0", "GET /smuggled HTTP/2.0\r\nHost: h\r\n\r\n", 400, ""},
        {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + kInside, 400, ""},
        {"http/1.1", "GET /smuggled http/1.1\r\nHost: h\r\n\r\n", 400, ""},
        {"two blanks before the version", "GET /smuggled  HTTP/1.1\r\nHost: h\r\n\r\n", 400, ""},
        {"a blank in the target", "GET /smug gled HTTP/1.1\r\nHost: h\r\n\r\n", 400, ""},
        {"a tab for a blank", "GET\t/smuggled HTTP/1.1\r\nHost: h\r\n\r\n", 400, ""},
        // targets
        {"absolute", "GET http://h/smuggled HTTP/1.1\r\nHost: h\r\n\r\n", 400, ""},
        {"absolute, other host", "GET http://other/smuggled HTTP/1.1\r\nHost: h\r\n\r\n", 400, ""},
        {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 400, ""},
        {"CONNECT", "CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n" + kInside, 400, ""},
        {"NUL in the target", std::string("GET /\0smuggled HTTP/1.1\r\nHost: h\r\n\r\n", 37), 400, ""},
        {"control in the target", "GET /\x7f HTTP/1.1\r\nHost: h\r\n\r\n", 400, ""},
        // heads
        {"CR in a value", kPost + "X: a\rb\r\n\r\n" + kInside, 400, ""},
        {"NUL in a value", kPost + std::string("X: a\0b\r\n\r\n", 10) + kInside, 400, ""},
        {"line without a colon", kPost + "nothing\r\n\r\n" + kInside, 400, ""},
        {"name with a blank inside", kPost + "X Y: a\r\n\r\n" + kInside, 400, ""},
        {"empty name", kPost + ": a\r\n\r\n" + kInside, 400, ""},
        {"blank line of LF alone", "GET /smuggled HTTP/1.1\r\nHost: h\n\n", 400, ""},
        {"no Host", "GET /smuggled HTTP/1.1\r\n\r\n", 400, ""},
        {"two Hosts", "GET /smuggled HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 400, ""},
        {"two tokens", kPost + "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n" + kInside, 400, ""},
        {"another expectation", kPost + "Expect: x\r\nContent-Length: 2\r\n\r\nhi" + kInside, 417, ""},
        // defined: they mean what they mean everywhere
        {"a body on GET", "GET /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", 200, "hi"},
        {"an upgrade to what we do not speak", "GET /echo HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n", 200, "GET /echo"},
        {"a websocket's handshake", "GET /echo HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n", 200, "GET /echo"},
        {"blank lines before", "\r\n\r\n\r\nGET /echo HTTP/1.1\r\nHost: h\r\n\r\n", 200, "GET /echo"},
    };
    return all;
}

TEST(HostileRequests, AreRefusedOrMeanOneThing) {
    for (const Case& one : cases()) {
        SCOPED_TRACE(one.name);
        Running server;
        Client client(server.port);
        client.send(one.text + kNext);
        client.end_sending();
        const auto first = client.receive();
        EXPECT_EQ(first.status, one.status) << first.body;
        if (one.status == 200) {
            EXPECT_EQ(first.body, one.body);
            EXPECT_EQ(client.receive().body, "GET /next");
            EXPECT_EQ(client.receive_all(), "");
            continue;
        }
        EXPECT_TRUE(first.has("connection: close\r\n"));
        EXPECT_NE(first.body.find(one.status == 413 || first.body.starts_with("limit_exceeded") ? "limit_exceeded: " : "request_malformed: "), std::string::npos) << first.body;
        EXPECT_EQ(client.receive_all(), "");
        EXPECT_EQ(server.handler.now().handled, 0) << "nothing of it was a request";
    }
}

// The same texts, a byte at a time: where a packet ends decides nothing.
TEST(HostileRequests, AreTheSameInPiecesOfOneByte) {
    for (const Case& one : cases()) {
        if (one.text.size() > 1000) continue;
        SCOPED_TRACE(one.name);
        Running server;
        Client client(server.port);
        for (const char c : one.text)
            if (!client.send(std::string_view(&c, 1))) break;
        client.send(kNext);
        client.end_sending();
        EXPECT_EQ(client.receive().status, one.status);
        EXPECT_FALSE(server.handler.now().targets.contains("/smuggled"));
    }
}

TEST(HostileRequests, ABodyWithoutItsEndIsNoRequest) {
    for (const std::string& text : {kChunked + "2\r\nhi\r\n0\r\n", kChunked + "2\r\nhi", kPost + "Content-Length: 9\r\n\r\nhi", kPost}) {
        Running server;
        Client client(server.port);
        client.send(text);
        client.end_sending();
        EXPECT_EQ(client.receive_all(), "");
        EXPECT_EQ(server.handler.now().handled, 0);
    }
}

// A thousand requests at once: they are answered in order, and what was not asked for yet stays in the kernel.
TEST(HostileRequests, PipelinedRequestsWaitForTheirTurn) {
    Running server;
    Client client(server.port);
    std::string text = "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n";
    for (int i = 0; i < 1000; ++i) text += "GET /r" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
    client.send(text);
    ASSERT_TRUE(server.handler.wait_for([](const FakeHandler::Counts& c) { return c.waiting == 1; }));
    EXPECT_EQ(server.handler.now().handled, 1) << "one at a time";
    server.handler.publish("end");
    EXPECT_EQ(client.receive().body, "end");
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(client.receive().body, "GET /r" + std::to_string(i));
}

}  // namespace
}  // namespace skerry::server
