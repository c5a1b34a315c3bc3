// What goes well: requests, answers in every framing, two at once, reuse, cancelling, the timer.
#include "host/native/native_host.hpp"

#include <gtest/gtest.h>

#include <future>

#include "engine/engine.hpp"
#include "host/native/test_kit.hpp"

namespace skerry::host {
namespace {

using testing::kPatience;
using testing::Peer;
using testing::Rig;
using testing::ScriptServer;
using Events = std::vector<std::string>;

template <class Engine>
concept Linkable = requires(Engine& engine, engine::RequestId id, Error error) {
    engine.response_started(id, 200, std::string_view{}, Millis{});
    engine.response_bytes(id, BytesView{}, 0);
    engine.response_ended(id);
    engine.request_failed(id, error);
    engine.timer_fired();
    { engine.take_actions() } -> std::same_as<std::vector<engine::Action>>;
};
static_assert(Linkable<engine::Engine>);

const std::string kHead = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.skerry\r\n";
const std::string kHello = kHead + "Content-Length: 5\r\n\r\nhello";

TEST(NativeHost, PostsWhatTheEngineSends) {
    std::string seen;
    ScriptServer server({[&](Peer& peer) {
        seen = peer.read_request();
        peer.send(kHello);
    }});
    Rig rig(server.url() + "/base/");
    rig.engine.post(1, "/v1/pull", std::string("a\0b", 3));
    ASSERT_TRUE(rig.run_to_ends(1));
    EXPECT_EQ(rig.engine.events, (Events{"started 1 200 application/vnd.skerry 0", "ended 1"}));
    EXPECT_EQ(rig.engine.bodies[1], "hello");
    server.join();
    EXPECT_EQ(seen,
              "POST /base/v1/pull HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port) +
                  "\r\nAuthorization: Bearer t0ken\r\nContent-Type: application/vnd.skerry\r\n"
                  "Accept: application/vnd.skerry\r\nAccept-Encoding: zstd\r\nContent-Length: 3\r\n\r\n" +
                  std::string("a\0b", 3));
    EXPECT_EQ(rig.log.lines.find("t0ken"), std::string::npos);
}

TEST(NativeHost, ReadsEveryFraming) {
    for (const auto& answer :
         {kHello, kHead + "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
          kHead + "\r\nhello", "HTTP/1.1 100 Continue\r\n\r\n" + kHello}) {
        ScriptServer server({[&](Peer& peer) {
            peer.read_request();
            for (const char c : answer) peer.send(std::string_view(&c, 1));
        }});
        Rig rig(server.url());
        rig.engine.post(7);
        ASSERT_TRUE(rig.run_to_ends(1));
        EXPECT_EQ(rig.engine.events, (Events{"started 7 200 application/vnd.skerry 0", "ended 7"}));
        EXPECT_EQ(rig.engine.bodies[7], "hello");
    }
}

TEST(NativeHost, PassesStatusAndRetryAfterOn) {
    ScriptServer server({[](Peer& peer) {
        peer.read_request();
        peer.send("HTTP/1.1 503 Busy\r\nRetry-After: 4\r\nContent-Length: 0\r\n\r\n");
        peer.read_request();
        peer.send("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno");
    }});
    Rig rig(server.url());
    rig.engine.post(1);
    rig.engine.on_event = [&](const std::string& event) {
        if (event == "ended 1") rig.engine.post(2);
    };
    ASSERT_TRUE(rig.run_to_ends(2));
    EXPECT_EQ(rig.engine.events,
              (Events{"started 1 503  4000", "ended 1", "started 2 401  0", "ended 2"}));
}

// A captive portal answers everything with a page; whether that is Skerry's is for the engine to
// say.
TEST(NativeHost, PassesForeignAnswersOn) {
    ScriptServer server({[](Peer& peer) {
        peer.read_request();
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>sign in");
    }});
    Rig rig(server.url());
    rig.engine.post(1);
    ASSERT_TRUE(rig.run_to_ends(1));
    EXPECT_EQ(rig.engine.events, (Events{"started 1 200 text/html 0", "ended 1"}));
    EXPECT_EQ(rig.engine.bodies[1], "<html>sign in");
}

TEST(NativeHost, ReportsBytesOfAStreamAsTheyArrive) {
    std::atomic<int> heard{0};
    ScriptServer server({[&](Peer& peer) {
        peer.read_request();
        peer.send(kHead + "Transfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 3; ++i) {
            peer.send("4\r\nbeat\r\n");
            while (heard.load() == i) heard.wait(i);  // the next one only when this one was heard
        }
        peer.send("0\r\n\r\n");
    }});
    Rig rig(server.url());
    rig.engine.post(1);
    rig.engine.on_event = [&](const std::string& event) {
        if (event != "bytes 1") return;
        heard = rig.engine.pieces;
        heard.notify_all();
    };
    ASSERT_TRUE(rig.run_to_ends(1));
    EXPECT_EQ(rig.engine.bodies[1], "beatbeatbeat");
    EXPECT_EQ(rig.engine.pieces, 3);
}

TEST(NativeHost, KeepsTwoRequestsGoingAtOnce) {
    std::promise<void> second_done;
    auto wait = second_done.get_future();
    const auto script = [&](Peer& peer) {
        if (peer.read_request().find("/v1/pull") != std::string::npos) {
            peer.send(kHead + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
            wait.wait();
            peer.send("0\r\n\r\n");
        } else {
            peer.send(kHello);
        }
    };
    ScriptServer server({script, script});
    Rig rig(server.url());
    rig.engine.post(1, "/v1/pull");
    rig.engine.post(2, "/v1/push");
    rig.engine.on_event = [&](const std::string& event) {
        if (event == "ended 2") second_done.set_value();
    };
    ASSERT_TRUE(rig.run_to_ends(2));
    EXPECT_EQ(rig.engine.events.back(), "ended 1");
    EXPECT_EQ(rig.engine.bodies[2], "hello");
}

TEST(NativeHost, UsesAConnectionAgain) {
    ScriptServer server({[](Peer& peer) {
        for (int i = 0; i < 10; ++i) {
            peer.read_request();
            peer.send(kHello);
        }
    }});
    Rig rig(server.url());
    rig.engine.post(1);
    rig.engine.on_event = [&](const std::string& event) {
        if (event.starts_with("ended") && rig.engine.ends < 10)
            rig.engine.post(static_cast<engine::RequestId>(rig.engine.ends + 1));
    };
    ASSERT_TRUE(rig.run_to_ends(10));
    EXPECT_EQ(server.accepted(), 1);
    EXPECT_TRUE(rig.engine.errors.empty());
}

TEST(NativeHost, SendsAndReceivesMuch) {
    std::size_t taken = 0;
    const std::string large(20u << 20, 'x');
    ScriptServer server({[&](Peer& peer) {
        taken = peer.read_request().size();
        peer.send(kHead + "Content-Length: " + std::to_string(large.size()) + "\r\n\r\n" + large);
    }});
    Rig rig(server.url());
    rig.engine.post(1, "/v1/push", large);
    ASSERT_TRUE(rig.run_to_ends(1));
    server.join();
    EXPECT_GT(taken, large.size());
    EXPECT_EQ(rig.engine.bodies[1].size(), large.size());
}

TEST(NativeHost, ReportsNothingAfterACancel) {
    for (const auto* moment : {"started 1", "bytes 1"}) {
        ScriptServer server({[](Peer& peer) {
            peer.read_request();
            peer.send(kHello);
            peer.wait_for_close();
        }});
        Rig rig(server.url());
        rig.engine.post(1);
        rig.engine.on_event = [&](const std::string& event) {
            if (!event.starts_with(moment)) return;
            rig.engine.cancel(1);
            rig.engine.timer(Millis{0});
        };
        ASSERT_TRUE(rig.run_until([&] { return rig.engine.events.back() == "timer"; }));
        rig.host->poll();
        EXPECT_EQ(rig.engine.events, (Events{"started 1 200 application/vnd.skerry 0", "timer"}));
        EXPECT_EQ(rig.engine.pieces, moment == std::string("bytes 1") ? 1 : 0);
    }
}

TEST(NativeHost, CancelsARequestThatNobodyAnswers) {
    std::promise<void> arrived;
    ScriptServer server({[&](Peer& peer) {
        peer.read_request();
        arrived.set_value();
        peer.wait_for_close();  // the test ends only if the host closes it
    }});
    Rig rig(server.url());
    rig.engine.post(1);
    auto request_is_there = arrived.get_future();
    while (request_is_there.wait_for(Millis{0}) != std::future_status::ready) rig.host->poll();
    rig.engine.cancel(1);
    rig.engine.cancel(99);  // unknown: ended long ago
    rig.host->poll();
    EXPECT_TRUE(rig.engine.events.empty());
}

// Case N1: whoever forgot the connection that was given up forgot those that are kept, too.
TEST(NativeHost, UsesNoKeptConnectionAfterACancel) {
    std::atomic<bool> pulled{false};
    const auto script = [&](Peer& peer) {
        for (;;) {
            const std::string request = peer.read_request();
            if (request.empty()) return;
            if (request.find("/v1/pull") != std::string::npos) {
                pulled = true;
                peer.wait_for_close();
                return;
            }
            peer.send(kHello);
        }
    };
    ScriptServer server({script, script, script});
    Rig rig(server.url());
    rig.engine.post(1, "/v1/pull");
    while (!pulled) rig.host->poll();
    rig.engine.post(2);
    ASSERT_TRUE(rig.run_to_ends(1));
    rig.engine.cancel(1);
    rig.engine.post(3);
    ASSERT_TRUE(rig.run_to_ends(2));
    EXPECT_EQ(rig.engine.events.back(), "ended 3");
    EXPECT_EQ(server.accepted(), 3);
}

TEST(NativeHost, FiresOnlyTheLastTimerSet) {
    Rig rig("http://127.0.0.1:1");
    rig.engine.timer(Millis{0});
    rig.engine.timer(Millis{1});
    rig.engine.timer(Millis{2});
    ASSERT_TRUE(rig.run_until([&] { return !rig.engine.events.empty(); }));
    rig.engine.timer(kPatience);
    rig.host->poll();
    EXPECT_EQ(rig.engine.events, (Events{"timer"}));
    // Set again from its own event, as the engine does.
    rig.engine.on_event = [&](const std::string&) { rig.engine.timer(Millis{1}); };
    rig.engine.timer(Millis{1});
    ASSERT_TRUE(rig.run_until([&] { return rig.engine.events.size() == 5; }));
}

// The old timer has run out already when another event replaces it: it is not reported any more.
TEST(NativeHost, ForgetsATimerThatWasReplacedAsItFired) {
    for (int i = 0; i < 20; ++i) {
        Rig rig("http://127.0.0.1:1");
        rig.engine.timer(Millis{0});
        rig.engine.post(1, "not a path");  // refused in the same round
        rig.engine.on_event = [&](const std::string& event) {
            if (event.starts_with("failed")) rig.engine.timer(kPatience);
        };
        ASSERT_TRUE(rig.run_to_ends(1));
        rig.host->poll();
        rig.host->poll();
        const auto& events = rig.engine.events;
        // It may have come before the event that replaced it, never after.
        EXPECT_EQ(events.back(), "failed 1 internal");
    }
}

TEST(NativeHost, NeverWaitsInPoll) {
    ScriptServer server({[](Peer& peer) { peer.wait_for_close(); }});
    Rig rig(server.url());
    rig.engine.post(1);
    rig.engine.timer(kPatience);
    const auto before = std::chrono::steady_clock::now();
    for (int i = 0; i < 10; ++i) rig.host->poll();
    EXPECT_LT(std::chrono::steady_clock::now() - before, kPatience / 4);
    EXPECT_TRUE(rig.engine.events.empty());
    rig.host->run_for(Millis{5});
}

TEST(NativeHost, UsesANewTokenFromTheNextRequestOn) {
    std::string first, second;
    ScriptServer server({[&](Peer& peer) {
        first = peer.read_request();
        peer.send(kHello);
        second = peer.read_request();
        peer.send(kHello);
    }});
    Rig rig(server.url(), {}, "");
    rig.engine.post(1);
    ASSERT_TRUE(rig.run_to_ends(1));
    ASSERT_TRUE(rig.host->set_token("new"));
    EXPECT_FALSE(rig.host->set_token("new\r\nX: y"));
    rig.engine.post(2);
    ASSERT_TRUE(rig.run_to_ends(2));
    server.join();
    EXPECT_EQ(first.find("Authorization"), std::string::npos);
    EXPECT_NE(second.find("Authorization: Bearer new\r\n"), std::string::npos);
}

TEST(NativeHost, FindsLocalhost) {
    ScriptServer server({[](Peer& peer) {
        peer.read_request();
        peer.send(kHello);
    }});
    Rig rig("http://localhost:" + std::to_string(server.port));
    rig.engine.post(1);
    ASSERT_TRUE(rig.run_to_ends(1));
    EXPECT_EQ(rig.engine.bodies[1], "hello");
}

TEST(NativeHost, CanBeDestroyedInTheMiddle) {
    std::promise<void> arrived;
    ScriptServer server({[&](Peer& peer) {
        peer.read_request();
        peer.send(kHead + "\r\nhel");
        arrived.set_value();
        peer.wait_for_close();
    }});
    Rig rig(server.url());
    rig.engine.post(1);
    rig.engine.timer(kPatience);
    ASSERT_TRUE(rig.run_until([&] { return rig.engine.bodies[1] == "hel"; }));
    rig.host.reset();
    EXPECT_EQ(rig.engine.ends, 0);
}

}  // namespace
}  // namespace skerry::host
