// The oracle is written from the documents: it may know values and models, and nothing of what it judges.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace {

TEST(OracleIncludes, only_base_and_model) {
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(SKERRY_SOURCE_DIR "/tests/kit/oracle")) {
        if (entry.path().extension() != ".hpp" && entry.path().extension() != ".cpp") continue;
        ++files;
        std::ifstream in(entry.path());
        for (std::string line; std::getline(in, line);) {
            if (!line.starts_with("#include \"")) continue;
            const std::string what = line.substr(10);
            EXPECT_TRUE(what.starts_with("base/") || what.starts_with("model/") || what.starts_with("kit/oracle/")) << entry.path() << ": " << line;
        }
    }
    EXPECT_GE(files, 2);
}

// The loopback host is what the simulator and WebAssembly share: no socket, no server.
TEST(LoopbackIncludes, no_server_and_no_socket) {
    for (const auto& entry : std::filesystem::directory_iterator(SKERRY_SOURCE_DIR "/src/host/loopback")) {
        std::ifstream in(entry.path());
        for (std::string line; std::getline(in, line);) {
            if (!line.starts_with("#include")) continue;
            for (const char* never : {"server/", "boost", "sys/socket", "netinet", "native"}) EXPECT_EQ(line.find(never), std::string::npos) << line;
        }
    }
}

}  // namespace
