// Live queries that fail: what becomes of the others, of the status, and of them when what ailed them is mended.
#include "store/live.hpp"

#include <gtest/gtest.h>

#include "model/model.hpp"

namespace skerry::store {
namespace {

using Lines = std::vector<std::string>;

struct TestClock final : Clock {
    Micros now{1'000'000};
    Micros wall() const override { return now; }
    Micros mono() const override { return now; }
};

class LiveTest : public testing::Test {
  protected:
    LiveTest() {
        model::Model m{"test", 1, {}};
        m.entities.push_back({.name = "item", .key = {.name = "id"}, .attributes = {{.name = "name"}}});
        m.entities.push_back({.name = "other", .key = {.name = "id"}, .attributes = {{.name = "name"}}});
        model::complete(m);
        auto opened = Store::open({.path = ":memory:", .vfs = "", .device_name = "", .model = m.compile()}, clock_, random_);
        EXPECT_TRUE(opened) << describe(opened.error());
        store_ = std::move(*opened);
        live_.emplace(*store_);
    }
    void sql(std::string_view text) {
        const auto done = store_->sql(text);
        ASSERT_TRUE(done) << text << ": " << describe(done.error());
    }
    std::uint64_t watch(const std::string& name, const std::string& query) {
        const auto made = live_->add(query, [this, name](const Table& rows) { told_.push_back(name + " " + std::to_string(rows.rows.size())); });
        EXPECT_TRUE(made) << describe(made.error());
        return made.value_or(0);
    }
    // What is told by the next poll(), and then the code of the problem, if there is one.
    Lines poll() {
        told_.clear();
        EXPECT_TRUE(live_->poll());
        if (const Error* problem = live_->problem(); problem != nullptr) told_.push_back(std::string(code_name(problem->code)));
        return told_;
    }

    TestClock clock_;
    SeededRandom random_{1};
    std::unique_ptr<Store> store_;
    std::optional<LiveQueries> live_;
    Lines told_;
};

constexpr const char* kFragile = "SELECT json_extract(name, '$.a') FROM item";

TEST_F(LiveTest, one_that_fails_says_so_until_it_succeeds_and_holds_no_other_up) {
    watch("fragile", kFragile);
    watch("all", "SELECT id FROM item");
    EXPECT_EQ(told_, (Lines{"fragile 0", "all 0"}));
    sql("INSERT INTO item VALUES('a', 'no json')");
    EXPECT_EQ(poll(), (Lines{"all 1", "sql"}));
    EXPECT_EQ(poll(), Lines{"sql"});
    sql("INSERT INTO other VALUES('a', 'elsewhere')");
    EXPECT_EQ(poll(), Lines{"sql"}) << "it was tried again, and fails still";
    sql("UPDATE item SET name = '{}'");
    EXPECT_EQ(poll(), Lines{"fragile 1"});
    EXPECT_EQ(poll(), Lines{});
    sql("INSERT INTO item VALUES('b', '{}')");
    EXPECT_EQ(poll(), (Lines{"fragile 2", "all 2"}));
}

TEST_F(LiveTest, a_problem_goes_with_the_query_that_has_it) {
    const std::uint64_t fragile = watch("fragile", kFragile);
    sql("INSERT INTO item VALUES('a', 'no json')");
    EXPECT_EQ(poll(), Lines{"sql"});
    live_->remove(fragile);
    EXPECT_EQ(live_->problem(), nullptr);
    live_->remove(4711);
}

TEST_F(LiveTest, what_fails_is_tried_again_each_second_also_where_no_row_has_changed) {
    sql("CREATE TABLE own (x)");
    watch("own", "SELECT x FROM own");
    sql("ALTER TABLE own RENAME TO mine");
    sql("INSERT INTO other VALUES('a', 'so that it is looked at')");
    EXPECT_EQ(poll(), Lines{"sql"});
    EXPECT_EQ(poll(), Lines{"sql"});
    sql("ALTER TABLE mine RENAME TO own");
    poll();
    clock_.now += std::chrono::seconds(2);
    poll();
    EXPECT_EQ(live_->problem(), nullptr);
}

TEST_F(LiveTest, a_callback_may_end_its_own_query_and_begin_another) {
    std::uint64_t id = 0;
    const auto made = live_->add("SELECT id FROM item", [&](const Table& rows) {
        if (rows.rows.empty()) return;
        live_->remove(id);
        watch("next", "SELECT id FROM item");
    });
    ASSERT_TRUE(made);
    id = *made;
    sql("INSERT INTO item VALUES('a', 'x')");
    EXPECT_EQ(poll(), Lines{"next 1"});
    sql("INSERT INTO item VALUES('b', 'x')");
    EXPECT_EQ(poll(), Lines{"next 2"});
}

TEST_F(LiveTest, what_begins_again_may_end_itself_and_poll) {
    std::uint64_t id = 0;
    int told = 0;
    const auto made = live_->add(kFragile, [&](const Table& rows) {
        if (rows.rows.empty()) return;
        ++told;
        EXPECT_TRUE(live_->poll());
        live_->remove(id);
    });
    ASSERT_TRUE(made);
    id = *made;
    sql("INSERT INTO item VALUES('a', 'no json')");
    EXPECT_EQ(poll(), Lines{"sql"});
    sql("UPDATE item SET name = '{}'");
    poll();
    EXPECT_EQ(told, 1);
    EXPECT_EQ(live_->problem(), nullptr);
}

TEST_F(LiveTest, what_is_no_query_is_refused_and_not_kept) {
    EXPECT_EQ(live_->add("DELETE FROM item", [](const Table&) {}).error().code, Code::kInvalidArgument);
    EXPECT_EQ(live_->add("SELECT nothing FROM nowhere", [](const Table&) {}).error().code, Code::kSql);
    sql("INSERT INTO item VALUES('a', 'x')");
    EXPECT_EQ(poll(), Lines{});
}

}  // namespace
}  // namespace skerry::store
