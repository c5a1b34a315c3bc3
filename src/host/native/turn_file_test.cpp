// Whose turn it is: among sessions of one process, among processes, and after a death.
#include "host/native/turn_file.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

namespace skerry::host {
namespace {

bool has(TurnFile&& turn) {
    const auto taken = turn.take();
    EXPECT_TRUE(taken);
    return taken.value_or(false);
}
bool has(TurnFile& turn) { return has(std::move(turn)); }

class TurnFileTest : public testing::Test {
  protected:
    TurnFileTest() {
        folder_ = std::filesystem::temp_directory_path() / ("skerry-turn-" + std::to_string(getpid()));
        std::filesystem::create_directories(folder_);
        path_ = (folder_ / "device.db-sync").string();
    }
    ~TurnFileTest() override { std::filesystem::remove_all(folder_); }
    std::filesystem::path folder_;
    std::string path_;
};

TEST_F(TurnFileTest, G_15_one_of_two_in_a_process_has_it) {
    TurnFile one(path_);
    TurnFile two(path_);
    EXPECT_FALSE(two.is_elsewhere()) << "nobody ever took it";
    ASSERT_TRUE(has(one));
    EXPECT_TRUE(has(one)) << "it is ours already";
    EXPECT_FALSE(has(two));
    EXPECT_TRUE(two.is_elsewhere());
    EXPECT_FALSE(one.is_elsewhere());
    one.give_back();
    EXPECT_FALSE(two.is_elsewhere());
    EXPECT_TRUE(has(two));
    EXPECT_FALSE(has(one));
}

TEST_F(TurnFileTest, G_15_asking_takes_nothing_from_anybody) {
    TurnFile one(path_);
    ASSERT_TRUE(has(one));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(TurnFile(path_).is_elsewhere());
    EXPECT_FALSE(has(TurnFile(path_)));
}

TEST_F(TurnFileTest, G_15_a_killed_process_has_it_no_more) {
    int told[2];
    ASSERT_EQ(::pipe(told), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        TurnFile theirs(path_);
        const char mine = theirs.take().value_or(false) ? 'y' : 'n';
        if (::write(told[1], &mine, 1) != 1) ::_exit(1);
        for (;;) ::pause();
    }
    char theirs = 0;
    ASSERT_EQ(::read(told[0], &theirs, 1), 1);
    EXPECT_EQ(theirs, 'y');
    TurnFile ours(path_);
    EXPECT_FALSE(has(ours));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_TRUE(has(ours));
    ::close(told[0]);
    ::close(told[1]);
}

TEST_F(TurnFileTest, a_file_that_was_removed_is_made_anew) {
    TurnFile one(path_);
    ASSERT_TRUE(has(one));
    one.give_back();
    std::filesystem::remove(path_);
    EXPECT_TRUE(has(one));
    EXPECT_TRUE(TurnFile(path_).is_elsewhere());
}

TEST_F(TurnFileTest, a_folder_that_is_not_there_is_an_error) {
    TurnFile none((folder_ / "none" / "device.db-sync").string());
    EXPECT_EQ(none.take().error().code, Code::kIo);
    EXPECT_FALSE(none.is_elsewhere());
}

}  // namespace
}  // namespace skerry::host
