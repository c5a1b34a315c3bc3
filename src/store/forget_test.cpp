#include "store/forget.hpp"

#include "store/testing.hpp"

namespace skerry::store {
namespace {

class ForgetTest : public StoreTest {
  protected:
    void settle(std::uint64_t no, wire::Verdict verdict = wire::Verdict::kApplied) {
        const bool first = rows("SELECT count(*) FROM skerry_scope") == "0";
        apply({.outcomes = {{TxnNo{no}, verdict, Code::kKeyTaken, TxnNo{no}, verdict == wire::Verdict::kRejected ? "no" : "", 0}},
               .scopes = first ? whole_scopes() : std::vector<wire::ScopeInfo>{}},
              {house("h", "n", static_cast<std::int64_t>(no))});
    }
    std::int64_t archived() { return *store_->db().integer("SELECT count(*) FROM skerry_archive"); }
    std::int64_t pages() { return *store_->db().integer("SELECT page_count FROM pragma_page_count"); }
    void archive_directly(int n, std::int64_t at_us, std::size_t bytes) {
        ASSERT_TRUE(store_->db().exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(n) +
                                      ") INSERT INTO skerry_archive SELECT x'00', (SELECT ifnull(max(no), 0) FROM skerry_archive) + i, 1, 0, 0, '', " +
                                      std::to_string(at_us) + ", zeroblob(" + std::to_string(bytes) + ") FROM n"));
    }
};

TEST_F(ForgetTest, F_12_the_archive_keeps_the_newest_and_the_young_within_its_bounds) {
    const std::int64_t now = clock_.now.count();
    archive_directly(1'500, now - 2 * kArchiveAge.count(), 10);
    ASSERT_TRUE(forget_old(*store_));
    EXPECT_EQ(archived(), kArchiveAlways);
    archive_directly(12'000, now - 1, 10);
    ASSERT_TRUE(forget_old(*store_));
    EXPECT_EQ(archived(), kArchiveAlways + 12'000) << "once a day";
    clock_.now += kForgetEvery;
    ASSERT_TRUE(forget_old(*store_));
    EXPECT_EQ(archived(), kArchiveMax);
    archive_directly(3, clock_.now.count(), 20 << 20);
    clock_.now += kForgetEvery;
    ASSERT_TRUE(forget_old(*store_));
    EXPECT_LE(*store_->db().integer("SELECT sum(length(payload)) FROM skerry_archive"), kArchiveBytesMax);
    EXPECT_EQ(*store_->db().integer("SELECT count(*) FROM skerry_archive WHERE length(payload) > 1000"), 1);
}

TEST_F(ForgetTest, F_12_open_drafts_stay_and_mended_ones_go) {
    sql("INSERT INTO house(id) VALUES('a')");
    sql("INSERT INTO house(id) VALUES('b')");
    settle(1, wire::Verdict::kRejected);
    settle(2, wire::Verdict::kRejected);
    ASSERT_TRUE(store_->db().exec("UPDATE skerry_draft SET state = 3 WHERE number = 1"));
    clock_.now += kClosedDraftAge + kForgetEvery;
    ASSERT_TRUE(forget_old(*store_));
    EXPECT_EQ(rows("SELECT number, state FROM skerry_draft"), "2,1");
}

// Ten years of edits of one row, five a day, each settled: the file does not grow with them.
TEST_F(ForgetTest, F_12_case_B15_ten_years_of_edits_of_few_rows_stay_within_bounds) {
    ASSERT_TRUE(store_->db().exec("PRAGMA synchronous = OFF"));  // the size is asked for, not the disk
    sql("INSERT INTO house(id, name) VALUES('h', 'a name of some length')");
    settle(1);
    std::int64_t after_a_year = 0;
    for (std::uint64_t no = 2; no <= 18'251; ++no) {
        sql("UPDATE house SET people = " + std::to_string(no) + " WHERE id = 'h'");
        settle(no);
        if (no % 5 != 0) continue;
        clock_.now += std::chrono::hours(24);
        ASSERT_TRUE(forget_old(*store_));
        if (no == 1'825) after_a_year = pages();
    }
    EXPECT_LE(archived(), kArchiveAlways + 5) << "those of the last day wait for the next";
    EXPECT_LE(pages(), after_a_year + 8);
    EXPECT_LT(pages() * 4096, 2 << 20);
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_op"), "0");
}

// A device that idles and asks again and again.
TEST_F(ForgetTest, case_B15_empty_checkpoints_leave_nothing_behind) {
    sql("INSERT INTO house(id) VALUES('h')");
    settle(1);
    std::string tables;
    const auto count = [&] {
        std::int64_t sum = 0;
        auto get = *store_->db().prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'skerry_*'");
        std::vector<std::string> names;
        while (*get.step()) names.emplace_back(get.text(0));
        get.reset();
        for (const std::string& name : names) sum += *store_->db().integer("SELECT count(*) FROM " + sqlite::quote_name(name));
        return sum;
    };
    apply({.token = "t0"});
    ASSERT_TRUE(forget_old(*store_));
    const std::int64_t before = count();
    for (int i = 0; i < 200; ++i) {
        apply({.token = "t" + std::to_string(i + 1)});
        clock_.now += std::chrono::hours(12);
        ASSERT_TRUE(forget_old(*store_));
    }
    EXPECT_EQ(count(), before);
}

}  // namespace
}  // namespace skerry::store
