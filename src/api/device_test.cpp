// The public Device without a server: what needs no network.
#include <skerry/device.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"
#include "model/model.hpp"
#include "store/store.hpp"

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
        open({.path = (folder_ / "device.db").string(), .model = m.compile()});
    }
    ~DeviceTest() override {
        device_.reset();
        std::filesystem::remove_all(folder_);
    }
    void open(DeviceOptions options) {
        options.path = (folder_ / "device.db").string();
        device_.reset();
        auto opened = Device::open(options);
        ASSERT_TRUE(opened) << describe(opened.error());
        device_.emplace(std::move(*opened));
    }
    // With a server that nobody asks.
    void open_with_server() { open({.server_url = "http://127.0.0.1:9", .token = "token"}); }
    // The file, past the Device.
    std::unique_ptr<store::Store> file() {
        auto opened = store::Store::open({.path = (folder_ / "device.db").string(), .vfs = "", .device_name = "", .model = {}}, clock_, random_);
        EXPECT_TRUE(opened) << describe(opened.error());
        return std::move(*opened);
    }
    SystemClock clock_;
    SystemRandom random_;
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

TEST_F(DeviceTest, a_live_query_that_fails_is_the_problem_until_it_succeeds_or_is_ended) {
    std::vector<std::string> told;  // the code of each status
    device_->on_status([&](const DeviceStatus& now) { told.push_back(now.problem ? std::string(code_name(now.problem->code)) : "none"); });
    device_->poll();
    int seen = 0;
    const auto watch = device_->watch("SELECT json_extract(name, '$.a') FROM item", [&](const Table&) { ++seen; });
    ASSERT_TRUE(watch);
    ASSERT_TRUE(device_->sql("INSERT INTO item(id, name) VALUES('a', 'no json')"));
    device_->poll();
    ASSERT_TRUE(device_->status()->problem);
    EXPECT_EQ(device_->status()->problem->code, Code::kSql);
    EXPECT_EQ(device_->status()->phase, "idle");
    ASSERT_TRUE(device_->sql("UPDATE item SET name = '{}'"));
    device_->poll();
    EXPECT_FALSE(device_->status()->problem);
    EXPECT_EQ(seen, 2);
    ASSERT_TRUE(device_->sql("UPDATE item SET name = 'no json'"));
    device_->run_for(std::chrono::milliseconds(300));
    EXPECT_TRUE(device_->status()->problem);
    device_->unwatch(*watch);
    EXPECT_FALSE(device_->status()->problem);
    device_->run_for(std::chrono::milliseconds(300));
    EXPECT_EQ(told.front(), "none");
    EXPECT_NE(std::ranges::find(told, "sql"), told.end());
    EXPECT_EQ(told.back(), "none");
}

TEST_F(DeviceTest, a_synced_row_is_as_fresh_as_the_last_checkpoint_that_left_nothing_out) {
    ASSERT_TRUE(device_->sql("INSERT INTO item(id) VALUES('a')"));
    EXPECT_EQ(device_->row_state("item", "a")->state, "pending");
    const auto store = file();
    ASSERT_TRUE(store->db().exec("DELETE FROM skerry_op; DELETE FROM skerry_txn"));
    ASSERT_TRUE(store->meta().set(store::key::kSyncedAt, 1'700'000'001'000'000));
    EXPECT_EQ(device_->row_state("item", "a")->state, "synced");
    EXPECT_EQ(device_->row_state("item", "a")->at, "") << "not everything was received yet";
    ASSERT_TRUE(store->meta().set(store::key::kFreshAt, 1'700'000'000'000'000));
    EXPECT_EQ(device_->row_state("item", "a")->at, timestamp_text(Micros{*device_->status()->fresh_as_of_us}));
    EXPECT_EQ(device_->row_state("item", "a")->at, "2023-11-14T22:13:20.000000Z");
}

TEST_F(DeviceTest, a_repair_that_cannot_begin_leaves_no_mark) {
    const auto marked = [&] { return file()->meta().integer(store::key::kVerify)->has_value(); };
    EXPECT_EQ(device_->repair().error().code, Code::kInvalidArgument);
    EXPECT_FALSE(marked()) << "there is no server";
    open_with_server();
    ASSERT_TRUE(device_->transaction([](Device& d) -> Result<void> {
        EXPECT_EQ(d.repair().error().code, Code::kInvalidArgument);
        EXPECT_EQ(d.check().error().code, Code::kInvalidArgument);
        return {};
    }));
    EXPECT_FALSE(marked()) << "a transaction was open";
    device_->set_network(Network::kNone);
    EXPECT_EQ(device_->repair().error().code, Code::kOffline);
    EXPECT_TRUE(marked()) << "the next sync does it";
}

TEST_F(DeviceTest, what_exists_as_a_unit_takes_triggers_and_keeps_its_kind) {
    open_with_server();
    const std::vector<std::pair<std::string, SyncKind>> built_in{{"full", SyncKind::kFull}, {"pending", SyncKind::kPendingOnly}, {"check", SyncKind::kCheck}};
    for (const auto& [name, kind] : built_in) {
        for (const SyncKind other : {SyncKind::kFull, SyncKind::kPendingOnly, SyncKind::kCheck}) {
            const auto defined = device_->define_unit({.name = name, .kind = other, .every = std::chrono::hours(24)});
            EXPECT_EQ(defined.has_value(), other == kind) << name;
            EXPECT_TRUE(defined || defined.error().code == Code::kInvalidArgument) << name;
        }
        EXPECT_TRUE(device_->trigger(name)) << name;
    }
    EXPECT_TRUE(device_->define_unit({.name = "nightly", .kind = SyncKind::kCheck, .unmetered_only = true}));
    EXPECT_EQ(device_->define_unit({.name = "some", .kind = SyncKind::kCheck, .entities = {"item"}}).error().code, Code::kInvalidArgument);
}

TEST_F(DeviceTest, a_log_of_a_key_needs_its_entity) {
    ASSERT_TRUE(device_->sql("INSERT INTO item(id) VALUES('a'), ('b')"));
    EXPECT_EQ(device_->log({.key = "a"}).error().code, Code::kInvalidArgument);
    EXPECT_EQ(device_->log({.entity = "item", .key = "a"})->size(), 1u);
    EXPECT_TRUE(device_->log({.entity = "item", .key = "c"})->empty());
}

}  // namespace
}  // namespace skerry
