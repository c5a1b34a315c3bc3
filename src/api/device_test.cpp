// The public Device without a server: what needs no network.
#include <skerry/device.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "model/model.hpp"

namespace skerry {
namespace {

class DeviceTest : public testing::Test {
  protected:
    DeviceTest() {
        folder_ = std::filesystem::temp_directory_path() / ("skerry-api-" + std::to_string(getpid()));
        std::filesystem::create_directories(folder_);
        model::Model m{"test", 1, {}};
        using model::Type;
        m.entities.push_back({.name = "item", .key = {.name = "id"},
                              .attributes = {{.name = "stock", .type = Type::kInt}, {.name = "price", .type = Type::kDecimal, .precision = 6, .scale = 2},
                                             {.name = "photo", .type = Type::kBlob}, {.name = "tags", .type = Type::kSet}, {.name = "name"}}});
        model::complete(m);
        auto opened = Device::open({.path = (folder_ / "device.db").string(), .model = m.compile()});
        EXPECT_TRUE(opened) << describe(opened.error());
        device_.emplace(std::move(*opened));
    }
    ~DeviceTest() override {
        device_.reset();
        std::filesystem::remove_all(folder_);
    }
    std::filesystem::path folder_;
    std::optional<Device> device_;
};

TEST_F(DeviceTest, G_1_everything_but_syncing_works_without_a_server) {
    ASSERT_TRUE(device_->sql("INSERT INTO item(id, stock) VALUES('a', 5)"));
    ASSERT_TRUE(device_->transaction([](Device& d) -> Result<void> {
        if (auto holds = d.assert_row("item", "a", "stock >= 5"); !holds) return holds;
        if (auto done = d.sql("UPDATE item SET stock = stock - 5"); !done) return fail(done.error());
        return {};
    }, {.strict = true}));
    EXPECT_EQ(device_->transaction([](Device& d) { return d.assert_row("item", "a", "stock >= 5"); }).error().code, Code::kAssertFailed);
    const auto log = device_->log();
    ASSERT_TRUE(log && log->size() == 2);
    EXPECT_TRUE(log->front().strict);
    EXPECT_EQ(device_->row_state("item", "a")->state, "pending");
    EXPECT_TRUE(device_->drafts()->empty());
    EXPECT_TRUE(device_->conflicts()->empty());
    EXPECT_TRUE(device_->quarantine()->empty());
    EXPECT_EQ(device_->retry_draft(1).error().code, Code::kNotFound);
    EXPECT_EQ(device_->resolve("none", {}).error().code, Code::kNotFound);
    EXPECT_EQ(device_->status()->conflicts, 0u);
    EXPECT_EQ(device_->sync().error().code, Code::kInvalidArgument);
}

TEST_F(DeviceTest, values_are_read_and_shown_as_people_write_them) {
    const auto both = [&](std::string_view attribute, std::string_view text) {
        const auto value = device_->value_from_text("item", attribute, text);
        return value ? *device_->value_to_text("item", attribute, *value) : std::string(code_name(value.error().code));
    };
    EXPECT_EQ(both("price", "12.5"), "12.50");
    EXPECT_EQ(*device_->value_from_text("item", "price", "12.5"), Value{std::int64_t{1250}});
    EXPECT_EQ(both("stock", "9007199254740993"), "9007199254740993");
    EXPECT_EQ(both("stock", "null"), "NULL");
    EXPECT_EQ(both("photo", "AAE="), "AAE=");
    EXPECT_EQ(both("tags", "[\"b\", \"a\"]"), "[\"a\",\"b\"]");
    EXPECT_EQ(both("name", "it's"), "it's");
    EXPECT_EQ(both("id", "key"), "key");
    EXPECT_EQ(both("price", "a lot"), "value_invalid");
    EXPECT_EQ(both("colour", "red"), "not_found");
}

}  // namespace
}  // namespace skerry
