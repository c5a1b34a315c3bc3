// The header that `skerry types` makes of model.yaml is compiled and worked with.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "model/yaml/reader.hpp"
#include "typed_model.hpp"

namespace {

skerry::Device device(const std::string& name) {
    std::ifstream in(SKERRY_TYPED_MODEL);
    std::stringstream text;
    text << in.rdbuf();
    const auto model = skerry::model::read_model(text.str(), "model.yaml");
    EXPECT_TRUE(model) << skerry::describe(model.error());
    const std::string path = testing::TempDir() + "typed_" + name + ".db";
    for (const char* ending : {"", "-wal", "-shm"}) std::filesystem::remove(path + ending);
    skerry::DeviceOptions options;
    options.path = path;
    options.model = model->compile();
    auto opened = skerry::Device::open(options);
    EXPECT_TRUE(opened) << skerry::describe(opened.error());
    return std::move(*opened);
}

typed::HouseholdVisit full(skerry::Device& device) {
    typed::HouseholdVisit visit;
    visit.id = device.new_uuid();
    visit.class_ = "a";
    visit.values_ = "b";
    visit.site_code = "north";
    visit.members = 7;
    visit.weight = 1234;
    visit.height = 1.75;
    visit.cold = false;
    visit.day = "2026-11-21";
    visit.at = "2026-11-21T10:30:00.000000Z";
    visit.picture = skerry::Blob{0, 255};
    visit.status = typed::HouseholdVisitStatus::kClosed;
    visit.mood = typed::HouseholdVisitMood::kNew;
    return visit;
}

TEST(Typed, a_row_of_every_type_comes_back_as_it_went) {
    skerry::Device store = device("row");
    const typed::HouseholdVisit visit = full(store);
    const auto inserted = typed::insert(store, visit);
    ASSERT_TRUE(inserted) << skerry::describe(inserted.error());
    const auto found = typed::find<typed::HouseholdVisit>(store, visit.id);
    ASSERT_TRUE(found) << skerry::describe(found.error());
    ASSERT_TRUE(found->has_value());
    EXPECT_EQ(**found, visit);
    EXPECT_FALSE(typed::find<typed::HouseholdVisit>(store, store.new_uuid())->has_value());
}

TEST(Typed, defaults_of_the_model_are_those_of_the_struct) {
    const typed::HouseholdVisit visit;
    EXPECT_EQ(visit.members, -1);
    EXPECT_EQ(visit.smallest, INT64_MIN);
    EXPECT_EQ(visit.weight, 250);
    EXPECT_EQ(visit.height, 1e300);
    EXPECT_TRUE(visit.warm);
    EXPECT_FALSE(visit.cold.has_value());
    EXPECT_EQ(visit.data, R"({"a":"\"\\"})");
    EXPECT_EQ(visit.tags, R"(["a","b"])");
    EXPECT_EQ(visit.status, typed::HouseholdVisitStatus::kOnHold);
    // The same by SQL, which leaves everything out.
    skerry::Device store = device("defaults");
    const std::string id = store.new_uuid();
    ASSERT_TRUE(store.sql("INSERT INTO household_visit(id) VALUES(?1)", {id}));
    typed::HouseholdVisit expected;
    expected.id = id;
    EXPECT_EQ(**typed::find<typed::HouseholdVisit>(store, id), expected);
}

TEST(Typed, update_writes_what_differs_and_remove_removes) {
    skerry::Device store = device("update");
    const typed::HouseholdVisit shown = full(store);
    ASSERT_TRUE(typed::insert(store, shown));
    typed::HouseholdVisit edited = shown;
    edited.members = 8;
    edited.mood.reset();
    const auto done = store.transaction([&](skerry::Device& inside) { return typed::update(inside, shown, edited); });
    ASSERT_TRUE(done) << skerry::describe(done.error());
    const auto rows = typed::select<typed::HouseholdVisit>(store, "WHERE members = ?1", {std::int64_t{8}});
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 1u);
    EXPECT_EQ(rows->front(), edited);
    typed::HouseholdVisit other_key = edited;
    other_key.id = store.new_uuid();
    const auto moved =
        store.transaction([&](skerry::Device& inside) { return typed::update(inside, edited, other_key); });
    EXPECT_EQ(moved.error().code, skerry::Code::kKeyUpdate);
    ASSERT_TRUE(typed::remove(store, edited));
    EXPECT_TRUE(typed::select<typed::HouseholdVisit>(store)->empty());
}

TEST(Typed, a_row_of_a_newer_model_is_refused_not_misread) {
    std::vector<skerry::Value> row = typed::Site{"north", "North"}.values();
    ASSERT_TRUE(typed::Site::from_row(row));
    row[1] = skerry::Null{};
    EXPECT_EQ(typed::Site::from_row(row).error().code, skerry::Code::kValueInvalid);
    row.pop_back();
    EXPECT_FALSE(typed::Site::from_row(row));
    typed::HouseholdVisitStatus status{};
    EXPECT_FALSE(typed::from_text("half open", status));
}

}  // namespace
