// What is no store to export from is refused, and stays as it was.
#include <skerry/outbox.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace skerry {
namespace {

class OutboxTest : public testing::Test {
  protected:
    OutboxTest() {
        folder_ = std::filesystem::temp_directory_path() / ("skerry-outbox-" + std::to_string(getpid()));
        std::filesystem::create_directories(folder_);
    }
    ~OutboxTest() override { std::filesystem::remove_all(folder_); }
    Code refused(const std::filesystem::path& path) {
        const auto outbox = export_outbox(path.string(), "");
        EXPECT_FALSE(outbox) << path;
        return outbox ? Code::kInternal : outbox.error().code;
    }
    std::filesystem::path folder_;
};

TEST_F(OutboxTest, a_path_without_a_file_is_not_found_and_stays_without_one) {
    EXPECT_EQ(refused(folder_ / "none.db"), Code::kNotFound);
    EXPECT_EQ(refused(folder_ / "no" / "such" / "none.db"), Code::kNotFound);
    EXPECT_EQ(refused(""), Code::kNotFound);
    EXPECT_EQ(refused(":memory:"), Code::kNotFound);
    EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(OutboxTest, an_empty_file_has_nothing_to_export_and_stays_empty) {
    const auto path = folder_ / "empty.db";
    std::ofstream(path).close();
    EXPECT_EQ(refused(path), Code::kModelMissing);
    EXPECT_EQ(std::filesystem::file_size(path), 0u);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

}  // namespace
}  // namespace skerry
