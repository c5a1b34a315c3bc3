#include "cli/cpp_header.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skerry::cli {
namespace {

using testing::HasSubstr;

TEST(CppHeader, names_are_made_fit_for_cpp) {
    EXPECT_EQ(cpp_member("name"), "name");
    EXPECT_EQ(cpp_member("class"), "class_");
    EXPECT_EQ(cpp_member("from_row"), "from_row_");
    EXPECT_EQ(cpp_member("a__b"), "a_b");
    EXPECT_EQ(cpp_type_name("household_visit"), "HouseholdVisit");
    EXPECT_EQ(cpp_type_name("on hold"), "OnHold");
    EXPECT_EQ(cpp_type_name("3 €"), "3");
    EXPECT_TRUE(is_cpp_namespace("a::b_2"));
    for (const char* bad : {"", "a::", "2a", "a-b", "class", "a; }", "a:b"}) EXPECT_FALSE(is_cpp_namespace(bad)) << bad;
}

TEST(CppHeader, literals_hold_any_text) {
    EXPECT_EQ(cpp_text("a\"b\\c"), R"("a\"b\\c")");
    EXPECT_EQ(cpp_text("a\nb"
                       "1"),
              R"("a\012b1")");
    EXPECT_EQ(cpp_text("Grüße"), "\"Grüße\"");
}

// Whether it compiles and works is shown by tests/typed.
TEST(CppHeader, names_that_meet_stay_distinct) {
    model::Model model{"app", 1, {}};
    model.entities.push_back(
        {.name = "a_b",
         .key = {.name = "id", .type = model::Type::kUuid},
         .attributes = {{.name = "class"},
                        {.name = "class_"},
                        {.name = "state", .type = model::Type::kEnum, .values = {"on hold", "on_hold", "!"}}}});
    model.entities.push_back({.name = "ab", .key = {.name = "id", .type = model::Type::kUuid}});
    model.entities.push_back({.name = "a__b", .key = {.name = "id", .type = model::Type::kUuid}});
    const std::string header = cpp_header(model, "m.yaml", "app");
    EXPECT_THAT(header, HasSubstr("struct AB {"));
    EXPECT_THAT(header, HasSubstr("struct Ab {"));
    EXPECT_THAT(header, HasSubstr("struct AB_2 {"));
    EXPECT_THAT(header, HasSubstr("class_;"));
    EXPECT_THAT(header, HasSubstr("class__2;"));
    EXPECT_THAT(header, HasSubstr("{ kOnHold, kOnHold_2, kValue }"));
}

}  // namespace
}  // namespace skerry::cli
