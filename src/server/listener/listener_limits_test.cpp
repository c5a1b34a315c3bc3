// What ill-behaved clients see, and that they harm nobody else. Smuggling and grammar:
// request_reader_test.cpp.
#include <gtest/gtest.h>

#include <memory>

#include "server/listener/test_kit.hpp"

namespace skerry::server {
namespace {

using testing::Client;
using testing::FakeHandler;
using testing::Running;
using Counts = FakeHandler::Counts;

TEST(ListenerLimits, RefusesMalformedRequestsAndCloses) {
    Running server;
    for (const auto& [text, status] : std::vector<std::pair<std::string, int>>{
             {"nonsense\r\n\r\n", 400},
             {std::string("\x16\x03\x01\x02\x00", 5), 0},
             {"GET / HTTP/1.1\nHost: h\n\n", 400},
             {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: "
              "chunked\r\n\r\n0\r\n\r\n",
              400},
             {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
             {"GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(20'000, 'x'), 431}}) {
        Client client(server.port);
        client.send(text);
        if (status == 0) {
            client.end_sending();  // too short to be judged
            client.receive_all();
            continue;
        }
        const auto answer = client.receive();
        EXPECT_EQ(answer.status, status) << text.substr(0, 60);
        EXPECT_TRUE(answer.has("connection: close\r\n"));
        EXPECT_EQ(client.receive_all(), "");
    }
    EXPECT_TRUE(server.handler.wait_for([](const Counts& c) { return c.handled == 0; }));
}

TEST(ListenerLimits, RefusesLargeBodiesSoThatTheClientHearsIt) {
    Running server;
    Client announced(server.port);
    EXPECT_EQ(announced.ask("POST", "/small", std::string(11, 'x')).status, 413);
    // The answer must survive the bytes that are still being sent.
    Client eager(server.port);
    eager.send("POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n");
    eager.send(std::string(4'000'000, 'x'));
    eager.end_sending();
    EXPECT_EQ(eager.receive().status, 413);
    Client chunked(server.port);
    chunked.send("POST /small HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n");
    EXPECT_EQ(chunked.receive().status, 413);
    Client polite(server.port);
    polite.send(
        "POST /small HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 99\r\n\r\n");
    EXPECT_EQ(polite.receive().status, 413);
}

TEST(ListenerLimits, BoundsAllBodiesTogether) {
    ListenLimits limits;
    limits.bodies_bytes = 100'000;
    Running server(limits);
    Client holder(server.port);
    holder.send(
        "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 90000\r\n\r\n");
    EXPECT_EQ(holder.receive().status, 100);
    holder.send(std::string(50'000, 'x'));
    Client other(server.port);
    EXPECT_EQ(other.ask("GET", "/x").status, 200);  // what was sent before has been read
    Client second(server.port);
    second.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\n");
    second.send(std::string(89'999, 'x'));
    const auto refused = second.receive();
    EXPECT_EQ(refused.status, 503);
    EXPECT_TRUE(refused.has("retry-after: 5\r\n"));
    holder.send(std::string(40'000, 'x'));  // the one that was there first goes on
    EXPECT_EQ(holder.receive().status, 200);
    EXPECT_EQ(second.receive_all(), "");
    // Nothing of either is counted any more.
    EXPECT_EQ(other.ask("POST", "/echo", std::string(90'000, 'x')).status, 200);
}

TEST(ListenerLimits, EndsASlowLoris) {
    ListenLimits limits;
    limits.header_time = Millis{60};
    limits.linger = Millis{30};
    limits.tick = Millis{5};
    Running server(limits);
    Client silent(server.port);
    Client half(server.port);
    half.send("GET / HTTP/1.1\r\nHost: h\r\nX: ");
    Client dripping(server.port);
    dripping.send("GET / HTTP/1.1\r\n");
    while (dripping.send("X: y\r\n")) {
        Client good(server.port);  // others are served meanwhile
        ASSERT_EQ(good.ask("GET", "/x").status, 200);
    }
    EXPECT_EQ(silent.receive().status, 408);
    EXPECT_EQ(half.receive().status, 408);
    EXPECT_EQ(silent.receive_all(), "");
    EXPECT_EQ(half.receive_all(), "");
}

TEST(ListenerLimits, EndsABodyThatDoesNotCome) {
    ListenLimits limits;
    limits.body_idle = Millis{60};
    limits.tick = Millis{5};
    Running server(limits);
    Client client(server.port);
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
    EXPECT_EQ(client.receive().status, 408);
}

TEST(ListenerLimits, EndsABodyThatComesTooSlowly) {
    testing::HandClock clock;
    ListenLimits limits;
    limits.tick = Millis{5};
    Running server(limits, &clock);
    const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 40001\r\n\r\n";
    Client slow(server.port);
    slow.send(head);
    Client steady(server.port);
    steady.send(head + std::string(40'000, 'x'));
    Client other(server.port);
    for (const auto* drop : {"a", "b"}) {
        EXPECT_EQ(other.ask("GET", "/x").status, 200);  // what was sent before has been read
        clock.advance(std::chrono::seconds(20));        // never idle for the 30 s
        slow.send(drop);
        if (*drop == 'a') continue;
        EXPECT_EQ(slow.receive().status, 408);
    }
    steady.send("x");
    EXPECT_EQ(steady.receive().status, 408);  // idle for 40 s
}

TEST(ListenerLimits, LetsALongBodyTakeItsTime) {
    testing::HandClock clock;
    ListenLimits limits;
    limits.tick = Millis{5};
    Running server(limits, &clock);
    Client steady(server.port);
    steady.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 150000\r\n\r\n");
    Client other(server.port);
    for (int i = 0; i < 5; ++i) {  // 100 s for 150 kB
        EXPECT_EQ(other.ask("GET", "/x").status, 200);
        clock.advance(std::chrono::seconds(20));
        steady.send(std::string(30'000, 'x'));
    }
    EXPECT_EQ(steady.receive().status, 200);
}

TEST(ListenerLimits, ClosesAnIdleConnection) {
    ListenLimits limits;
    limits.keep_alive = Millis{30};
    limits.tick = Millis{5};
    Running server(limits);
    Client client(server.port);
    EXPECT_EQ(client.ask("GET", "/x").status, 200);
    EXPECT_EQ(client.receive_all(), "");  // no 408: it asked for nothing
}

TEST(ListenerLimits, ClosesOnAClientThatStopsReading) {
    ListenLimits limits;
    limits.write_span = Millis{60};
    limits.tick = Millis{5};
    Running server(limits);
    Client client(server.port, Client::Window::kSmall);
    client.send("GET /flood?100000 HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(server.handler.wait_for([](const Counts& c) { return c.pieces > 0; }));
    EXPECT_TRUE(server.handler.wait_for([](const Counts& c) { return c.bodies == 0; }));
}

// Bytes in the kernel's buffer count for nothing, however many they are.
TEST(ListenerLimits, ClosesOnAClientThatReadsTooSlowly) {
    testing::HandClock clock;
    ListenLimits limits;
    limits.tick = Millis{2};
    Running server(limits, &clock);
    const auto begin = [&](Client& client) {
        client.send("GET /flood?2000 HTTP/1.1\r\nHost: h\r\n\r\n");
        ASSERT_NE(client.receive_until("\r\n\r\n"), "");
    };
    Client slow(server.port, Client::Window::kSmall);
    begin(slow);
    Client steady(server.port, Client::Window::kSmall);
    begin(steady);
    ASSERT_TRUE(server.handler.wait_for([](const Counts& c) { return c.bodies == 2; }));
    for (int i = 0; i < 4; ++i) {
        for (int piece = 0; piece < 300; ++piece) ASSERT_NE(steady.receive_until(std::string(1000, 'x')), "");
        clock.advance(limits.write_span);
        const int ticks = server.handler.now().ticks;  // a sweep after the clock moved
        ASSERT_TRUE(server.handler.wait_for([&](const Counts& c) { return c.ticks > ticks + 2; }));
    }
    EXPECT_TRUE(server.handler.wait_for([](const Counts& c) { return c.bodies == 1; })) << server.log.lines();
    EXPECT_FALSE(slow.receive().whole);
    EXPECT_EQ(server.listener->connections(), 1u);
}

TEST(ListenerLimits, RefusesConnectionsBeyondTheirNumber) {
    ListenLimits limits;
    limits.connections = 2;
    Running server(limits);
    Client first(server.port);
    Client second(server.port);
    for (Client* client : {&first, &second}) client->send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(server.handler.wait_for([](const Counts& c) { return c.waiting == 2; }));
    Client third(server.port);
    const auto refused = third.ask("GET", "/x");
    EXPECT_EQ(refused.status, 503);
    EXPECT_TRUE(refused.has("retry-after: 5\r\n"));
    EXPECT_EQ(refused.body, "server_busy: too many connections\n");
    EXPECT_NE(server.log.lines().find("! http: more than 2 connections"), std::string::npos);
    server.handler.publish("end");
    EXPECT_EQ(first.receive().body, "end");
    EXPECT_EQ(second.receive().body, "end");
}

// Who holds connections without using them loses them to those who come with a request.
TEST(ListenerLimits, GivesThePlaceOfWhoWaitsForLongestToWhoComes) {
    ListenLimits limits;
    limits.connections = 3;
    Running server(limits);
    Client working(server.port);
    working.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(server.handler.wait_for([](const Counts& c) { return c.waiting == 1; }));
    Client silent(server.port);
    Client half(server.port);
    half.send("GET / HTTP/1.1\r\nX: ");
    std::vector<std::unique_ptr<Client>> good;
    for (int i = 0; i < 20; ++i) {
        good.push_back(std::make_unique<Client>(server.port));
        ASSERT_EQ(good.back()->ask("GET", "/x").status, 200);
    }
    EXPECT_EQ(silent.receive_all(), "");
    EXPECT_EQ(half.receive_all(), "");
    server.handler.publish("end");
    EXPECT_EQ(working.receive().body, "end");
}

TEST(ListenerLimits, BoundsTheConnectionsOfOneAddress) {
    ListenLimits limits;
    limits.address_connections = 2;
    limits.loopback = ListenLimits::Loopback::kLimited;
    Running server(limits);
    auto first = std::make_unique<Client>(server.port);
    Client second(server.port);
    EXPECT_EQ(first->ask("GET", "/x").status, 200);
    EXPECT_EQ(second.ask("GET", "/x").status, 200);
    {
        Client third(server.port);
        const auto refused = third.receive();
        EXPECT_EQ(refused.status, 503);
        EXPECT_EQ(refused.body, "server_busy: too many connections from one address\n");
        EXPECT_EQ(third.receive_all(), "");
    }
    Client elsewhere(server.port, Client::Window::kUsual, "127.0.0.2");
    EXPECT_EQ(elsewhere.ask("GET", "/x").status, 200);
    EXPECT_EQ(second.ask("GET", "/x").status, 200) << "whoever is in goes on";
    first.reset();
    ASSERT_TRUE(server.wait_for_connections(2));
    Client again(server.port);
    EXPECT_EQ(again.ask("GET", "/x").status, 200);
}

TEST(ListenerLimits, DoesNotCountLoopbackWhereAProxyIs) {
    ListenLimits limits;
    limits.address_connections = 1;
    Running server(limits);
    Client first(server.port);
    Client second(server.port);
    EXPECT_EQ(first.ask("GET", "/x").status, 200);
    EXPECT_EQ(second.ask("GET", "/x").status, 200);
}

TEST(ListenerLimits, AnswersBeforeTheBodyWhereItIsNotWanted) {
    Running server;
    for (const std::string expect : {"", "Expect: 100-continue\r\n"}) {
        Client client(server.port);
        client.send("POST /closed HTTP/1.1\r\nHost: h\r\n" + expect + "Content-Length: 4000000\r\n\r\n");
        const auto refused = client.receive();
        EXPECT_EQ(refused.status, 401);
        EXPECT_TRUE(refused.has("connection: close\r\n"));
        client.send("GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
        EXPECT_EQ(client.receive_all(), "");
    }
    EXPECT_EQ(server.handler.now().early, 2);
    Client small(server.port);  // it came with its head: nothing was spared by not reading it
    EXPECT_EQ(small.ask("POST", "/closed", "body").status, 401);
    EXPECT_EQ(small.ask("GET", "/x").status, 200);
    EXPECT_FALSE(server.handler.now().targets.contains("/smuggled"));
}

TEST(ListenerLimits, SurvivesAHandlerThatThrowsAndKeepsTheQueryOutOfTheLog) {
    Running server;
    Client client(server.port);
    EXPECT_EQ(
        client.ask("GET", "/throw?token=s3cret", {}, "Authorization: Bearer s3cret\r\n").status,
        500);
    EXPECT_EQ(client.ask("GET", "/x").status, 200);
    const auto cut = client.ask("GET", "/throw-late");
    EXPECT_EQ(cut.body, "begun");
    EXPECT_FALSE(cut.whole);
    Client other(server.port);
    EXPECT_EQ(other.ask("GET", "/x").status, 200);
    EXPECT_NE(server.log.lines().find("! http: GET /throw: thrown by the handler"),
              std::string::npos);
    EXPECT_EQ(server.log.lines().find("s3cret"), std::string::npos);
}

}  // namespace
}  // namespace skerry::server
