// Every mark that has to fire has fired in the worlds of this run: reads what the shards of Worlds wrote.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "simulation/marks.hpp"
#include "simulation/worlds.hpp"

namespace skerry::kit {
namespace {

TEST(Marks, all_fire_in_the_worlds_of_a_test_run) {
    std::map<std::string, std::uint64_t> marks;
    std::uint64_t worlds = 0;
    for (std::uint64_t shard = 0; shard < kShards; ++shard) {
        std::ifstream in(marks_file(shard));
        ASSERT_TRUE(in) << "the worlds have not been run: " << marks_file(shard);
        std::uint64_t n = 0;
        in >> n;
        worlds += n;
        std::string name;
        while (in >> n && std::getline(in >> std::ws, name)) marks[name] += n;
    }
    ASSERT_GE(worlds, kWorldsForMarks);
    std::string never;
    for (const std::string& name : never_fired(marks, worlds >= kWorldsForRareMarks)) never += " [" + name + "]";
    EXPECT_EQ(never, "") << "in " << worlds << " worlds";
}

}  // namespace
}  // namespace skerry::kit
