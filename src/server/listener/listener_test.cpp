// What a well-behaved client sees: whole and streamed responses, waiting, back-pressure, stopping.
#include "server/listener/listener.hpp"

#include <gtest/gtest.h>

#include <unistd.h>
#include <csignal>

#include "server/listener/test_kit.hpp"

namespace skerry::server {
namespace {

using testing::Client;
using testing::FakeHandler;
using testing::Running;
using Counts = FakeHandler::Counts;

constexpr Millis kNever{3'600'000};

TEST(Listener, case_N5_AnswersWithTheHeadersThatEveryAnswerHas) {
    Running server;
    Client client(server.port);
    const auto answer = client.ask("POST", "/echo?x=1", "hello", "Content-Type: a/b\r\n");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello");
    for (const auto* line :
         {"content-type: a/b\r\n", "cache-control: no-store\r\n", "x-accel-buffering: no\r\n",
          "x-content-type-options: nosniff\r\n", "content-length: 5\r\n"})
        EXPECT_TRUE(answer.has(line)) << line << answer.head;
    EXPECT_FALSE(answer.has("connection:"));
}

TEST(Listener, KeepsAConnectionForManyRequests) {
    Running server;
    Client client(server.port);
    for (int i = 0; i < 100; ++i) {
        const std::string body = "n" + std::to_string(i);
        ASSERT_EQ(client.ask("POST", "/echo", body).body, body);
    }
    EXPECT_EQ(server.listener->connections(), 1u);
    const auto last = client.ask("POST", "/echo", "bye", "Connection: close\r\n");
    EXPECT_TRUE(last.has("connection: close\r\n"));
    EXPECT_EQ(client.receive_all(), "");
}

TEST(Listener, AnswersPipelinedRequestsInOrder) {
    Running server;
    Client client(server.port);
    std::string text;
    for (int i = 0; i < 50; ++i)
        text += "GET /r" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
    ASSERT_TRUE(client.send(text));
    for (int i = 0; i < 50; ++i) EXPECT_EQ(client.receive().body, "GET /r" + std::to_string(i));
}

TEST(Listener, PassesStatusRetryAfterAndMethodsOn) {
    Running server;
    Client client(server.port);
    const auto busy = client.ask("GET", "/busy");
    EXPECT_EQ(busy.status, 503);
    EXPECT_TRUE(busy.has("retry-after: 7\r\n"));
    EXPECT_TRUE(busy.has("content-length: 0\r\n"));
    const auto none = client.ask("DELETE", "/none");
    EXPECT_EQ(none.status, 204);
    EXPECT_FALSE(none.has("content-length"));
    EXPECT_EQ(client.ask("BREW", "/pot").body, "BREW /pot");
    const auto head = client.ask("HEAD", "/x");
    EXPECT_TRUE(head.has("content-length: 7\r\n"));
    const auto head_of_stream = client.ask("HEAD", "/flood?3");
    EXPECT_TRUE(head_of_stream.has("transfer-encoding: chunked\r\n"));
    EXPECT_EQ(client.ask("GET", "/after").body, "GET /after");
}

TEST(Listener, SpeaksToHttp10WithoutChunks) {
    Running server;
    Client streamed(server.port);
    streamed.send("GET /flood?3 HTTP/1.0\r\n\r\n");
    const auto answer = streamed.receive();
    EXPECT_FALSE(answer.has("transfer-encoding"));
    EXPECT_EQ(answer.body.size(), 3 * FakeHandler::kPiece);
    Client kept(server.port);
    for (int i = 0; i < 2; ++i) {
        kept.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        const auto small = kept.receive();
        EXPECT_TRUE(small.has("connection: keep-alive\r\n"));
        EXPECT_EQ(small.body, "GET /a");
    }
}

TEST(Listener, AnswersAClientThatHasEndedItsSending) {
    Running server;
    Client client(server.port);
    client.send("GET /flood?50 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    client.end_sending();
    const auto answer = client.receive();
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.body.size(), 50 * FakeHandler::kPiece);
}

TEST(Listener, SendsContinueBeforeABodyThatIsWanted) {
    Running server;
    Client client(server.port);
    client.send(
        "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_EQ(client.receive().status, 100);
    client.send("ok");
    EXPECT_EQ(client.receive().body, "ok");
}

TEST(Listener, TakesAndStreamsLargeBodies) {
    Running server;
    Client client(server.port);
    const std::string body(8u << 20, 'b');
    EXPECT_EQ(client.ask("POST", "/echo", body).body, body);
    EXPECT_EQ(client.ask("GET", "/flood?200").body.size(), 200 * FakeHandler::kPiece);
}

TEST(Listener, WakesEveryWaitingBodyWhenARequestWrote) {
    ListenLimits limits;
    limits.tick = kNever;  // so that it is the request that wakes
    Running server(limits);
    std::vector<std::unique_ptr<Client>> waiting;
    for (int i = 0; i < 300; ++i) {
        waiting.push_back(std::make_unique<Client>(server.port));
        waiting.back()->send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    ASSERT_TRUE(server.handler.wait_for([](const Counts& c) { return c.waiting == 300; }));
    Client writer(server.port);
    for (const auto* news : {"one", "two", "three"}) {
        EXPECT_EQ(writer.ask("POST", "/publish", news).status, 200);
        for (auto& client : waiting) EXPECT_NE(client->receive_until(news), "");
    }
    writer.ask("POST", "/publish", "end");
    for (auto& client : waiting) EXPECT_NE(client->receive_until("\r\n0\r\n\r\n"), "");
    for (auto& client : waiting) EXPECT_EQ(client->ask("GET", "/next").body, "GET /next");
}

TEST(Listener, WakesAtATickForWhatOthersWrote) {
    ListenLimits limits;
    limits.tick = Millis{2};
    Running server(limits);
    Client client(server.port);
    client.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(server.handler.wait_for([](const Counts& c) { return c.waiting == 1; }));
    server.handler.publish("end");
    EXPECT_EQ(client.receive().body, "end");
}

// A body that said kWait is parked only when its last piece is written; a wake in between counts.
TEST(Listener, MissesNoWakeWhileThePieceBeforeTheWaitIsWritten) {
    ListenLimits limits;
    limits.tick = kNever;
    Running server(limits);
    Client slow(server.port, Client::Window::kSmall);
    slow.send("GET /big-wait HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(server.handler.wait_for([](const Counts& c) { return c.waiting == 1; }));
    Client writer(server.port);
    EXPECT_EQ(writer.ask("POST", "/publish", "end").status, 200);
    const auto answer = slow.receive();
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.body.size(), FakeHandler::kBigPiece + 3);
}

TEST(Listener, AsksAgainWhenTheBodySaidItWouldLike) {
    ListenLimits limits;
    limits.tick = Millis{2};
    Running server(limits);
    Client client(server.port);
    EXPECT_EQ(client.ask("GET", "/at").body, "later later later ");
}

TEST(Listener, LetsGoOfAStreamWhoseClientHasGone) {
    Running server;
    {
        Client client(server.port);
        client.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_TRUE(server.handler.wait_for([](const Counts& c) { return c.waiting == 1; }));
    }
    EXPECT_TRUE(server.handler.wait_for([](const Counts& c) { return c.bodies == 0; }));
}

TEST(Listener, AsksNoMoreThanASlowReaderTakes) {
    Running server;
    Client slow(server.port, Client::Window::kSmall);
    slow.send("GET /flood?2000 HTTP/1.1\r\nHost: h\r\n\r\n");  // 125 MiB
    Client other(server.port);
    for (int i = 0; i < 500; ++i) ASSERT_EQ(other.ask("POST", "/echo", "quick").body, "quick");
    // What has been asked for lies in the kernel's buffers and in one piece of ours.
    EXPECT_TRUE(server.handler.wait_for([](const Counts& c) { return c.pieces < 400; }));
    const auto answer = slow.receive();
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.body.size(), 2000 * FakeHandler::kPiece);
}

TEST(Listener, CallsTheHandlerFromOneThread) {
    Running server;
    for (int i = 0; i < 5; ++i) {
        Client client(server.port);
        client.ask("GET", "/flood?2");
    }
    ASSERT_TRUE(server.handler.wait_for([](const Counts& c) { return c.ticks > 2; }));
    EXPECT_TRUE(server.handler.wait_for([](const Counts& c) { return c.threads.size() == 1; }));
}

TEST(Listener, NamesATakenPort) {
    Running server;
    ListenOptions options;
    options.port = server.port;
    FakeHandler handler;
    SilentLog log;
    const auto second = Listener::open(handler, options, log);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::kAddressInUse);
    EXPECT_EQ(second.error().message,
              "127.0.0.1:" + std::to_string(server.port) + " is in use by another program");
    server.stop();
    server.listener.reset();
    EXPECT_TRUE(Listener::open(handler, options, log));
}

TEST(Listener, RefusesAddressesThatAreNotOurs) {
    FakeHandler handler;
    SilentLog log;
    for (const auto* host : {"192.0.2.1", "no such host", ""}) {
        ListenOptions options;
        options.host = host;
        const auto opened = Listener::open(handler, options, log);
        ASSERT_FALSE(opened) << host;
        EXPECT_EQ(opened.error().code, Code::kInvalidArgument) << opened.error().message;
    }
}

TEST(Listener, StopsAtOnceWhenNothingIsBeingWritten) {
    ListenLimits limits;
    limits.stop_grace = kNever;
    Running server(limits);
    Client idle(server.port);
    idle.ask("GET", "/x");
    Client half(server.port);
    half.send("GET /x HT");
    Client live(server.port);
    live.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(server.handler.wait_for([](const Counts& c) { return c.waiting == 1; }));
    server.stop();
    EXPECT_EQ(idle.receive_all(), "");
    const auto cut = live.receive();
    EXPECT_EQ(cut.status, 200);
    EXPECT_FALSE(cut.whole);  // a cut, not an end
    EXPECT_EQ(server.listener->connections(), 0u);
    EXPECT_TRUE(server.handler.wait_for([](const Counts& c) { return c.bodies == 0; }));
}

TEST(Listener, FinishesWhatItIsWritingWhenStopped) {
    ListenLimits limits;
    limits.stop_grace = kNever;
    Running server(limits);
    Client slow(server.port, Client::Window::kSmall);
    slow.send("GET /flood?400 HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(server.handler.wait_for([](const Counts& c) { return c.pieces > 0; }));
    server.listener->stop();
    const auto answer = slow.receive();
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.body.size(), 400 * FakeHandler::kPiece);
    EXPECT_EQ(slow.receive_all(), "");
}

TEST(Listener, AnswersARequestWhoseBodyIsOnItsWayWhenStopped) {
    ListenLimits limits;
    limits.stop_grace = kNever;
    Running server(limits);
    Client client(server.port);
    client.send(
        "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(client.receive().status, 100);
    server.listener->stop();
    client.send("hello");
    const auto answer = client.receive();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_TRUE(answer.has("connection: close"));
}

TEST(Listener, AsksWhoComesDuringTheStopToComeLater) {
    ListenLimits limits;
    limits.stop_grace = kNever;
    Running server(limits);
    Client slow(server.port, Client::Window::kSmall);
    slow.send("GET /flood?400 HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(server.handler.wait_for([](const Counts& c) { return c.pieces > 0; }));
    server.listener->stop();
    Client late(server.port);
    const auto refused = late.ask("GET", "/x");
    EXPECT_EQ(refused.status, 503);
    EXPECT_TRUE(refused.has("retry-after: 5"));
    EXPECT_TRUE(slow.receive().whole);
}

TEST(Listener, CutsWhatDoesNotFinishInTheGrace) {
    ListenLimits limits;
    limits.stop_grace = Millis{30};
    Running server(limits);
    Client slow(server.port, Client::Window::kSmall);
    slow.send("GET /flood?100000 HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(server.handler.wait_for([](const Counts& c) { return c.pieces > 0; }));
    server.stop();
    EXPECT_TRUE(server.handler.wait_for([](const Counts& c) { return c.bodies == 0; }));
    EXPECT_NE(server.log.lines().find("did not finish in time"), std::string::npos);
}

TEST(Listener, ServesUntilASignal) {
    for (const int signal : {SIGTERM, SIGINT}) {
        FakeHandler handler;
        testing::TestLog log;
        int ready = 0;
        const auto ended = serve_until_signal(handler, {}, log, [&](std::uint16_t port) {
            ++ready;
            EXPECT_NE(port, 0);
            ::kill(::getpid(), signal);
        });
        EXPECT_TRUE(ended);
        EXPECT_EQ(ready, 1);
        EXPECT_NE(log.lines().find("http: stopping"), std::string::npos);
    }
}

}  // namespace
}  // namespace skerry::server
