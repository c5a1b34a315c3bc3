// What goes wrong: no server, cuts, resets, garbage, silence, and arguments that must not reach the
// wire.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "host/native/test_kit.hpp"

namespace skerry::host {
namespace {

using testing::Peer;
using testing::Rig;
using testing::ScriptServer;
using Events = std::vector<std::string>;

const std::string kHead = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.skerry\r\n";
const std::string kHello = kHead + "Content-Length: 5\r\n\r\nhello";
const std::string kStarted = "started 1 200 application/vnd.skerry 0";

TEST(NativeHostFault, SaysOfflineWhenNobodyListens) {
    for (const std::string host : {"127.0.0.1", "localhost", "[::1]"}) {
        Rig rig("http://" + host + ":" + std::to_string(testing::closed_port()));
        rig.engine.post(1);
        ASSERT_TRUE(rig.run_to_ends(1));
        EXPECT_EQ(rig.engine.events, (Events{"failed 1 offline"}));
        EXPECT_NE(rig.engine.errors[1].message.find("cannot connect to " + host),
                  std::string::npos);
        EXPECT_EQ(rig.log.lines.find("t0ken"), std::string::npos);
    }
}

TEST(NativeHostFault, SaysOfflineWhenTheNameIsUnknown) {
    NativeLimits limits;
    limits.connect_time =
        Millis{200};  // a resolver without a network may take long; the answer is the same
    Rig rig("http://no-such-host.invalid", limits);
    rig.engine.post(1);
    ASSERT_TRUE(rig.run_to_ends(1));
    EXPECT_EQ(rig.engine.events, (Events{"failed 1 offline"}));
}

TEST(NativeHostFault, GivesUpConnectingInTime) {
    // A listener whose queue is full swallows further attempts silently.
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), size), 0);
    ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
    ASSERT_EQ(::listen(listener, 0), 0);
    std::vector<int> fillers;
    for (int i = 0; i < 4; ++i) {
        fillers.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        ::connect(fillers.back(), reinterpret_cast<const sockaddr*>(&address), size);
    }
    NativeLimits limits;
    limits.connect_time = Millis{50};
    Rig rig("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)), limits);
    rig.engine.post(1);
    EXPECT_TRUE(rig.run_to_ends(1));
    EXPECT_EQ(rig.engine.events, (Events{"failed 1 offline"}));
    EXPECT_NE(rig.engine.errors[1].message.find("within the time limit"), std::string::npos);
    for (const int fd : fillers) ::close(fd);
    ::close(listener);
}

TEST(NativeHostFault, TellsCutsResetsAndGarbageApart) {
    struct Case {
        const char* name;
        std::string sent;
        bool reset;
        Events events;
    };
    const std::string chunked = kHead + "Transfer-Encoding: chunked\r\n\r\n";
    const std::vector<Case> cases{
        {"closed before the answer", "", false, {"failed 1 offline"}},
        {"cut in the headers", "HTTP/1.1 200 OK\r\nCont", false, {"failed 1 offline"}},
        {"cut in the body",
         kHead + "Content-Length: 9\r\n\r\nhel",
         false,
         {kStarted, "failed 1 offline"}},
        {"cut in a chunk", chunked + "9\r\nhel", false, {kStarted, "failed 1 offline"}},
        {"cut between chunks", chunked + "3\r\nhel\r\n", false, {kStarted, "failed 1 offline"}},
        {"reset before the answer", "", true, {"failed 1 offline"}},
        {"garbage", "SSH-2.0-OpenSSH_9\r\n", false, {"failed 1 foreign_answer"}},
        {"endless headers",
         "HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x'),
         false,
         {"failed 1 foreign_answer"}},
        {"garbage for a chunk",
         chunked + "3\r\nhel\r\nzz\r\n",
         false,
         {kStarted, "failed 1 foreign_answer"}},
        {"length and chunks",
         kHead + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
         false,
         {"failed 1 foreign_answer"}},
    };
    for (const auto& [name, sent, reset, events] : cases) {
        ScriptServer server({[&, text = sent, hard = reset](Peer& peer) {
            peer.read_request();
            peer.send(text);
            if (hard) peer.reset();
        }});
        Rig rig(server.url());
        rig.engine.post(1);
        ASSERT_TRUE(rig.run_to_ends(1)) << name;
        EXPECT_EQ(rig.engine.events, events) << name;
        EXPECT_EQ(rig.engine.bodies[1], events.size() == 2 ? "hel" : "") << name;
    }
}

TEST(NativeHostFault, ResetInTheMiddleOfABody) {
    std::promise<void> heard;
    auto wait = heard.get_future();
    ScriptServer server({[&](Peer& peer) {
        peer.read_request();
        peer.send(kHead + "Content-Length: 9\r\n\r\nhel");
        wait.wait();  // a reset throws away what has not been read
        peer.reset();
    }});
    Rig rig(server.url());
    rig.engine.post(1);
    rig.engine.on_event = [&](const std::string& event) {
        if (event == "bytes 1") heard.set_value();
    };
    ASSERT_TRUE(rig.run_to_ends(1));
    EXPECT_EQ(rig.engine.events, (Events{kStarted, "failed 1 offline"}));
}

TEST(NativeHostFault, EndsASilentAnswer) {
    for (const auto& begun : {std::string{}, kHead + "\r\nhel"}) {
        ScriptServer server({[&](Peer& peer) {
            peer.read_request();
            peer.send(begun);
            peer.wait_for_close();
        }});
        NativeLimits limits;
        limits.silence = Millis{60};
        Rig rig(server.url(), limits);
        rig.engine.post(1);
        ASSERT_TRUE(rig.run_to_ends(1));
        EXPECT_EQ(rig.engine.events.back(), "failed 1 offline");
        EXPECT_NE(rig.engine.errors[1].message.find("silent"), std::string::npos);
    }
}

// The server closes an idle connection just when it is used again: nobody needs to hear of that.
TEST(NativeHostFault, RepeatsARequestThatFoundItsConnectionDead) {
    std::string first, second;
    ScriptServer server({[&](Peer& peer) {
                             peer.read_request();
                             peer.send(kHello);
                             first = peer.read_request();  // and closes without an answer
                         },
                         [&](Peer& peer) {
                             second = peer.read_request();
                             peer.send(kHello);
                         }});
    Rig rig(server.url());
    rig.engine.post(1);
    rig.engine.on_event = [&](const std::string& event) {
        if (event == "ended 1") rig.engine.post(2, "/v1/push", "again");
    };
    ASSERT_TRUE(rig.run_to_ends(2));
    ASSERT_TRUE(rig.engine.errors.empty());
    server.join();
    EXPECT_EQ(first, second);
    EXPECT_TRUE(second.ends_with("again"));
}

TEST(NativeHostFault, RepeatsOnlyOnceAndOnlyWithoutAnAnswer) {
    ScriptServer server({[](Peer& peer) {
                             peer.read_request();
                             peer.send(kHello);
                             peer.read_request();
                         },
                         [](Peer& peer) { peer.read_request(); }});
    Rig rig(server.url());
    rig.engine.post(1);
    ASSERT_TRUE(rig.run_to_ends(1));
    rig.engine.post(2);
    ASSERT_TRUE(rig.run_to_ends(2));
    EXPECT_EQ(rig.engine.events.back(), "failed 2 offline");
    EXPECT_EQ(server.accepted(), 2);
}

// The server refuses a large body before it has all of it.
TEST(NativeHostFault, HearsARefusalWhileItIsStillSending) {
    ScriptServer server({[](Peer& peer) {
        peer.read_some();
        peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        peer.wait_for_close();
    }});
    Rig rig(server.url());
    rig.engine.post(1, "/v1/push", std::string(30u << 20, 'x'));
    ASSERT_TRUE(rig.run_to_ends(1));
    EXPECT_EQ(rig.engine.events, (Events{"started 1 413  0", "ended 1"}));
}

TEST(NativeHostFault, RefusesTokensThatWouldBreakTheHeaders) {
    testing::FakeEngine engine;
    SilentLog log;
    for (const std::string token :
         {"s3cret\r\nX: y", "s3cret\n", "s3c ret", "s3cret\x7f", "s3cr\xc3\xa9t"}) {
        NativeOptions options;
        options.server_url = "http://127.0.0.1:1";
        options.token = token;
        const auto opened = NativeHost::open(engine, options, log);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, Code::kInvalidArgument);
        EXPECT_EQ(opened.error().message.find("s3c"), std::string::npos);
    }
    NativeOptions options;
    options.server_url = "https://127.0.0.1:1";
    EXPECT_EQ(NativeHost::open(engine, options, log).error().code, Code::kNotSupported);
}

TEST(NativeHostFault, RefusesRequestsThatAreBugs) {
    Rig rig("http://127.0.0.1:" + std::to_string(testing::closed_port()));
    rig.engine.post(1, "/v1/push HTTP/1.1\r\nX: y");
    ASSERT_TRUE(rig.run_to_ends(1));
    EXPECT_EQ(rig.engine.events, (Events{"failed 1 internal"}));
    for (engine::RequestId id = 10; id < 20; ++id) rig.engine.post(id);
    ASSERT_TRUE(rig.run_to_ends(11));
    int refused = 0;
    for (const auto& event : rig.engine.events) refused += event.ends_with("internal") ? 1 : 0;
    EXPECT_GT(refused, 1);
}

}  // namespace
}  // namespace skerry::host
