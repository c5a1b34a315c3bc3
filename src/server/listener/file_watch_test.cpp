// Tells of writes to one file of a folder, and the listener looks then instead of waiting for its tick.
#include "server/listener/file_watch.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "server/listener/test_kit.hpp"

namespace skerry::server {
namespace {

using testing::Client;
using testing::Running;
using Counts = testing::FakeHandler::Counts;

constexpr Millis kNever{3'600'000};

struct FileWatching : ::testing::Test {
    FileWatching() {
        std::string name = ::testing::TempDir() + "skerry-watch-XXXXXX";
        folder = mkdtemp(name.data());
    }
    ~FileWatching() override { std::filesystem::remove_all(folder); }

    void write(const std::string& name) const {
        std::ofstream(folder / name, std::ios::app) << "more";
    }

    std::filesystem::path folder;
    boost::asio::io_context io{1};
    int told = 0;
};

TEST_F(FileWatching, tells_of_the_file_and_of_no_other) {
    const FileWatch watch(io, folder / "log", [this] { ++told; });
    ASSERT_EQ(watch.trouble(), "");
    write("another");
    io.run_one_for(testing::kPatience);
    EXPECT_EQ(told, 0);
    write("log");  // it was not there before
    while (told == 0) ASSERT_NE(io.run_one_for(testing::kPatience), 0u);
    std::filesystem::remove(folder / "log");
    io.poll();
    told = 0;
    write("log");
    while (told == 0) ASSERT_NE(io.run_one_for(testing::kPatience), 0u);
}

TEST_F(FileWatching, says_when_a_folder_cannot_be_watched) {
    const FileWatch watch(io, folder / "none" / "log", [] {});
    EXPECT_NE(watch.trouble(), "");
}

TEST_F(FileWatching, a_listener_looks_while_the_file_is_written_and_stops_looking) {
    ListenLimits limits;
    limits.tick = kNever;
    Running server(limits, nullptr, folder / "log");
    Client client(server.port);
    ASSERT_TRUE(client.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n"));
    ASSERT_TRUE(server.handler.wait_for([](const Counts& c) { return c.waiting == 1; }));
    server.handler.publish("news");
    write("log");
    EXPECT_NE(client.receive_until("news"), "");
    EXPECT_TRUE(server.handler.wait_for([](const Counts& c) { return c.looks >= 30; }));
    EXPECT_TRUE(server.handler.wait_for([](const Counts& c) { return c.ticks <= 1; }));
}

TEST_F(FileWatching, a_listener_that_cannot_watch_serves_all_the_same) {
    Running server({}, nullptr, folder / "none" / "log");
    Client client(server.port);
    EXPECT_EQ(client.ask("POST", "/echo", "hello").body, "hello");
    EXPECT_NE(server.log.lines().find("found a little later"), std::string::npos);
}

}  // namespace
}  // namespace skerry::server
