// The public Device and a server that listens: callbacks, handles, the platform's word, freshness, choices, and two Devices on one file.
#include <gtest/gtest.h>
#include <skerry/device.hpp>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/log.hpp"
#include "base/random.hpp"
#include "model/yaml/reader.hpp"
#include "server/app/server.hpp"
#include "server/listener/listener.hpp"
#include "sqlite/database.hpp"

namespace skerry {
namespace {

using Lines = std::vector<std::string>;

constexpr std::chrono::seconds kPatience{60};  // ends only a test that has failed

constexpr std::string_view kModel = R"(app: test
version: 1
access: open
entities:
  note:
    attributes: { id: uuid, site: text, body: text }
  word:
    key: word
    attributes: { word: text, meaning: text }
principal:
  opened: chosen
profiles:
  all:
    note: site in :opened
    word: all
)";

// A server with one user, in a thread of its own.
class Serving {
  public:
    explicit Serving(const std::filesystem::path& folder) : place_{(folder / "server").string(), ""} {
        const auto model = model::read_model(std::string(kModel), "model.yaml");
        EXPECT_TRUE(model) << describe(model.error());
        EXPECT_TRUE(server::init_server(place_, *model, clock_, random_));
        start();
    }
    ~Serving() { stop(); }
    Serving(const Serving&) = delete;
    Serving& operator=(const Serving&) = delete;

    void start() {
        auto server = server::Server::open({.place = place_}, clock_, random_, log_);
        ASSERT_TRUE(server) << describe(server.error());
        server_ = std::move(*server);
        auto listener = server::Listener::open(server_->handler(), {.port = port_}, log_);
        ASSERT_TRUE(listener) << describe(listener.error());
        listener_ = std::move(*listener);
        port_ = listener_->port();
        thread_ = std::thread([this] { listener_->run(); });
    }
    void stop() {
        if (!thread_.joinable()) return;
        listener_->stop();
        thread_.join();
        listener_.reset();
        server_.reset();
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    std::string token() {
        const auto made = server::make_token(place_, {.user = "ann"}, clock_, random_);
        EXPECT_TRUE(made) << describe(made.error());
        return made.value_or("");
    }

  private:
    server::Place place_;
    SystemClock clock_;
    SystemRandom random_;
    SilentLog log_;
    std::uint16_t port_ = 0;
    std::unique_ptr<server::Server> server_;
    std::unique_ptr<server::Listener> listener_;
    std::thread thread_;
};

class DeviceSyncTest : public testing::Test {
  protected:
    DeviceSyncTest() {
        folder_ = std::filesystem::temp_directory_path() /
                  ("skerry-device-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + "-" + std::to_string(getpid()));
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        serving_.emplace(folder_);
    }
    ~DeviceSyncTest() override {
        serving_.reset();
        std::filesystem::remove_all(folder_);
    }
    Device open(const std::string& name) {
        auto opened = Device::open({.path = (folder_ / name).string(), .server_url = serving_->url(), .token = serving_->token(), .name = name});
        EXPECT_TRUE(opened) << describe(opened.error());
        return std::move(*opened);
    }
    // Tells what runs do, as "full started", "full completed", "full failed offline".
    void listen(Device& device) {
        device.on_sync({.started = [this](std::uint64_t, const std::string& unit) { told_.push_back(unit + " started"); },
                        .completed = [this](const SyncReport& report) { told_.push_back(report.unit + " completed"); },
                        .failed = [this](const SyncReport& report, const Error& error) { told_.push_back(report.unit + " failed " + std::string(code_name(error.code))); }});
    }
    // Works with all of them until it is so.
    template <class Condition>
    static void until(const std::vector<Device*>& devices, Condition condition) {
        const auto end = std::chrono::steady_clock::now() + kPatience;
        while (!condition()) {
            ASSERT_LT(std::chrono::steady_clock::now(), end);
            for (Device* device : devices) device->run_for(std::chrono::milliseconds(5));
        }
    }
    static DeviceStatus status(Device& device) {
        auto status = device.status();
        EXPECT_TRUE(status) << describe(status.error());
        return status.value_or(DeviceStatus{});
    }
    static std::int64_t count(Device& device, std::string_view from) {
        const auto table = device.sql("SELECT count(*) FROM " + std::string(from));
        EXPECT_TRUE(table) << describe(table.error());
        return table ? std::get<std::int64_t>(table->rows[0][0]) : -1;
    }
    static void write(Device& device, const std::string& word) {
        const auto done = device.sql("INSERT INTO word VALUES(?1, 'm')", {word});
        ASSERT_TRUE(done) << describe(done.error());
    }

    std::filesystem::path folder_;
    std::optional<Serving> serving_;
    Lines told_;
};

TEST_F(DeviceSyncTest, O_7_on_sync_tells_of_each_run_once_in_order) {
    Device ann = open("ann.db");
    listen(ann);
    write(ann, "one");
    ASSERT_TRUE(ann.sync());
    EXPECT_EQ(told_, (Lines{"full started", "full completed"}));
    ASSERT_TRUE(ann.define_unit({.name = "words", .kind = SyncKind::kSelected, .entities = {"word"}}));
    ASSERT_TRUE(ann.run_unit("words"));
    serving_->stop();
    EXPECT_EQ(ann.sync().error().code, Code::kOffline);
    EXPECT_EQ(told_, (Lines{"full started", "full completed", "words started", "words completed", "full started", "full failed offline"}));
}

TEST_F(DeviceSyncTest, M_15_a_run_that_waits_or_runs_is_cancelled_by_its_number) {
    Device ann = open("ann.db");
    listen(ann);
    const auto first = ann.trigger("full");
    const auto second = ann.trigger("pending");
    ASSERT_TRUE(first && second);
    EXPECT_EQ(status(ann).running, "full");
    EXPECT_EQ(status(ann).queued, Lines{"pending"});
    EXPECT_TRUE(ann.cancel_sync(*second));
    EXPECT_FALSE(ann.cancel_sync(*second)) << "it has ended";
    EXPECT_TRUE(ann.cancel_sync(*first));
    until({&ann}, [&] { return told_.size() == 3; });
    EXPECT_EQ(told_, (Lines{"full started", "pending failed sync_discarded", "full failed sync_discarded"}));
    EXPECT_EQ(status(ann).phase, "idle");
    ASSERT_TRUE(ann.sync()) << "nothing is stuck";
}

TEST_F(DeviceSyncTest, on_status_tells_when_it_is_another_and_keeps_still_otherwise) {
    Device ann = open("ann.db");
    std::vector<DeviceStatus> seen;
    ann.on_status([&](const DeviceStatus& now) { seen.push_back(now); });
    ann.poll();
    ASSERT_EQ(seen.size(), 1u) << "how it is now";
    EXPECT_EQ(seen[0].phase, "idle");
    ann.poll();
    EXPECT_EQ(seen.size(), 1u);
    write(ann, "one");
    ASSERT_TRUE(ann.sync());
    ASSERT_GE(seen.size(), 3u);
    EXPECT_TRUE(std::ranges::any_of(seen, [](const DeviceStatus& one) { return one.phase == "syncing" && one.running == "full"; }));
    EXPECT_EQ(seen.back().phase, "idle");
    EXPECT_EQ(seen.back().waiting_to_settle, 0u);
    EXPECT_TRUE(seen.back().reachable);
    ann.pause();
    ann.poll();
    EXPECT_TRUE(seen.back().paused);
    ann.resume();
    ann.poll();
    EXPECT_FALSE(seen.back().paused);
}

TEST_F(DeviceSyncTest, without_a_network_nothing_is_tried_and_with_it_units_run_at_once) {
    Device ann = open("ann.db");
    ASSERT_TRUE(ann.sync());
    listen(ann);
    ASSERT_TRUE(ann.define_unit({.name = "back", .on_online = true}));
    ann.set_network(Network::kNone);
    EXPECT_EQ(status(ann).phase, "offline");
    EXPECT_EQ(status(ann).network, Network::kNone);
    const std::uint64_t sent = status(ann).bytes_sent;
    EXPECT_EQ(ann.sync().error().code, Code::kOffline);
    EXPECT_EQ(status(ann).bytes_sent, sent);
    ann.set_network(Network::kWifi);
    until({&ann}, [&] { return !told_.empty() && told_.back() == "back completed"; });
    EXPECT_EQ(told_, (Lines{"full started", "full failed offline", "back started", "back completed"}));
    EXPECT_FALSE(status(ann).offline_since_us);
}

TEST_F(DeviceSyncTest, in_front_of_a_person_what_waits_waits_no_longer) {
    Device ann = open("ann.db");
    serving_->stop();
    ann.set_live(true);
    until({&ann}, [&] { return status(ann).phase == "offline" && status(ann).retry_in; });
    const std::uint64_t sent = status(ann).bytes_sent;
    ann.set_foreground(true);
    EXPECT_GT(status(ann).bytes_sent, sent) << "tried in the same moment";
    serving_->start();
    until({&ann}, [&] { return status(ann).phase == "live"; });
    ann.suspended();
    EXPECT_TRUE(status(ann).paused);
    ann.resumed();
    until({&ann}, [&] { return status(ann).phase == "live"; });
}

TEST_F(DeviceSyncTest, P_39_freshness_says_how_far_a_list_can_be_relied_on) {
    Device ann = open("ann.db");
    const auto before = ann.freshness({"word"});
    ASSERT_TRUE(before);
    EXPECT_FALSE(before->complete);
    EXPECT_FALSE(before->as_of_us);
    write(ann, "one");
    ASSERT_TRUE(ann.sync());
    write(ann, "two");
    const auto words = ann.freshness_of_query("SELECT meaning FROM word WHERE word > 'a'");
    ASSERT_TRUE(words);
    EXPECT_TRUE(words->complete);
    ASSERT_TRUE(words->as_of_us);
    EXPECT_EQ(words->as_of_us, status(ann).fresh_as_of_us);
    EXPECT_EQ(words->pending, 1u);
    EXPECT_EQ(ann.freshness({"note"})->pending, 0u);
    EXPECT_EQ(ann.freshness({"weather"}).error().code, Code::kNotFound);
    ASSERT_TRUE(ann.sync());
    EXPECT_EQ(ann.freshness({"word"})->pending, 0u);
}

TEST_F(DeviceSyncTest, a_choice_brings_its_rows_while_live_without_another_call) {
    Device ann = open("ann.db");
    ASSERT_TRUE(ann.choose("opened", {"north", "south"}));
    for (const char* site : {"north", "south"}) {
        const auto done = ann.sql("INSERT INTO note VALUES(?1, ?2, 'body')", {ann.new_uuid(), std::string(site)});
        ASSERT_TRUE(done) << describe(done.error());
    }
    ASSERT_TRUE(ann.sync());
    Device ben = open("ben.db");
    ben.set_live(true);
    until({&ben}, [&] { return status(ben).phase == "live"; });
    EXPECT_EQ(count(ben, "note"), 0);
    ASSERT_TRUE(ben.choose("opened", {"north"}));
    until({&ben}, [&] { return count(ben, "note") == 1; });
    ASSERT_TRUE(ben.choose("opened", {"south"}));
    until({&ben}, [&] { return count(ben, "note WHERE site = 'south'") == 1; });
    EXPECT_EQ(count(ben, "note"), 1) << "what was chosen no longer went in the same checkpoint";
}

// A reader never waits: what is shown while a checkpoint is applied is the one before.
TEST_F(DeviceSyncTest, O_8_reads_go_on_while_another_connection_applies) {
    Device ui = open("ann.db");
    write(ui, "before");
    auto applying = sqlite::Database::open((folder_ / "ann.db").string());
    ASSERT_TRUE(applying) << describe(applying.error());
    ASSERT_TRUE(applying->exec("BEGIN IMMEDIATE; DELETE FROM word"));
    EXPECT_EQ(count(ui, "word"), 1) << "nothing of what is under way, and no wait for its end";
    ASSERT_TRUE(ui.status());
    ASSERT_TRUE(applying->exec("ROLLBACK"));
}

TEST_F(DeviceSyncTest, G_15_of_two_on_one_file_both_write_and_see_all_and_one_syncs) {
    std::optional<Device> one = open("ann.db");
    Device two = open("ann.db");
    Device ben = open("ben.db");
    one->set_live(true);
    two.set_live(true);
    ben.set_live(true);
    const auto all = [&](const std::string& word) {
        until({&*one, &two, &ben}, [&] { return count(ben, "word WHERE word = '" + word + "'") == 1; });
    };
    until({&*one, &two, &ben}, [&] { return status(*one).phase == "live" && status(ben).phase == "live"; });
    EXPECT_EQ(status(two).phase, "waiting");
    EXPECT_TRUE(status(two).synced_elsewhere);
    EXPECT_EQ(status(two).problem->code, Code::kSyncElsewhere);
    EXPECT_FALSE(status(*one).synced_elsewhere);
    write(*one, "by the first");
    write(two, "by the second");
    all("by the first");
    all("by the second");
    EXPECT_EQ(status(two).bytes_sent, 0u) << "the first one sent it";
    EXPECT_EQ(count(*one, "word"), 2);
    EXPECT_EQ(count(two, "word"), 2);
    write(ben, "by another device");
    until({&*one, &two, &ben}, [&] { return count(two, "word") == 3; });

    write(two, "left by both");
    one.reset();
    until({&two, &ben}, [&] { return status(two).phase == "live" && count(ben, "word") == 4; });
    EXPECT_FALSE(status(two).synced_elsewhere);
    EXPECT_FALSE(status(two).problem);
    EXPECT_EQ(status(two).waiting_to_send, 0u);
}

}  // namespace
}  // namespace skerry
