// A struct that has grown: programs that were built against each of its headers.
#include "capi/sized.hpp"

#include <gtest/gtest.h>

#include <cstddef>

namespace skerry::capi {
namespace {

struct First {
    std::size_t size;
    const char* path;
};

struct Grown {
    std::size_t size;
    const char* path;
    const char* key;  // came later
    int level;        // and later still
};

constexpr std::size_t kFirst = sizeof(First);

TEST(Sized, an_older_program_goes_on_and_what_it_does_not_know_is_zero) {
    const First old{sizeof old, "ann.db"};
    Grown given{};
    std::memset(static_cast<void*>(&given), 0xff, sizeof given);
    std::memcpy(static_cast<void*>(&given), &old, sizeof old);
    const auto taken = capi::taken(&given, kFirst, "grown");
    ASSERT_TRUE(taken) << describe(taken.error());
    EXPECT_STREQ(taken->path, "ann.db");
    EXPECT_EQ(taken->key, nullptr);
    EXPECT_EQ(taken->level, 0);
    given.size = offsetof(Grown, level);
    given.key = "k";
    const auto between = capi::taken(&given, kFirst, "grown");
    ASSERT_TRUE(between);
    EXPECT_STREQ(between->key, "k");
    EXPECT_EQ(between->level, 0);
}

TEST(Sized, one_of_this_header_is_taken_whole) {
    const Grown given{sizeof given, "ann.db", "k", 3};
    EXPECT_EQ(capi::taken(&given, kFirst, "grown")->level, 3);
}

TEST(Sized, what_no_header_had_is_refused_by_name) {
    for (const std::size_t size : {std::size_t{0}, kFirst - 1, sizeof(Grown) + 1}) {
        const Grown given{size, "ann.db", nullptr, 0};
        const auto taken = capi::taken(&given, kFirst, "grown");
        ASSERT_FALSE(taken) << size;
        EXPECT_EQ(taken.error().code, Code::kInvalidArgument);
        EXPECT_NE(taken.error().message.find("grown.size is " + std::to_string(size)), std::string::npos) << taken.error().message;
    }
    EXPECT_EQ(taken<Grown>(nullptr, kFirst, "grown").error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace skerry::capi
