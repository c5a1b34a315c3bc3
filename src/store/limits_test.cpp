// What one transaction may hold, seen by an app.
#include "store/testing.hpp"

namespace skerry::store {
namespace {

class Limits : public StoreTest {
  protected:
    // The store works on: a small change is written, numbered and sent like any other.
    void expect_at_work(int already) {
        sql("INSERT INTO site VALUES('s" + std::to_string(already) + "', 'x')");
        EXPECT_EQ(Journal(*store_).next_batch({}, 100, 1 << 20)->payloads.size(), static_cast<std::size_t>(already) + 1);
    }
};

TEST_F(Limits, case_M2_60000_rows_are_refused_when_they_are_written_and_all_other_work_goes_on) {
    expect_at_work(0);
    ASSERT_TRUE(store_->begin());
    const auto refused = store_->sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) "
                                     "INSERT INTO house SELECT 'k' || i, 'x', i FROM n");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kTxnTooBig);
    EXPECT_NE(refused.error().message.find("commit in smaller ones"), std::string::npos) << refused.error().message;
    store_->rollback();
    EXPECT_EQ(std::get<std::int64_t>(store_->sql("SELECT count(*) FROM house")->rows[0][0]), 0);
    expect_at_work(1);
}

TEST_F(Limits, case_M2_100_megabytes_are_refused_when_they_are_written_and_all_other_work_goes_on) {
    expect_at_work(0);
    ASSERT_TRUE(store_->begin());
    const Value megabyte{std::string(1'000'000, 'x')};
    int written = 0;
    std::optional<Error> refused;
    while (written < 100 && !refused) {
        auto done = store_->sql("INSERT INTO house VALUES(?1, ?2, 1)", {Value{"k" + std::to_string(written)}, megabyte});
        if (done) ++written;
        else refused = done.error();
    }
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, Code::kTxnTooBig);
    EXPECT_NE(refused->message.find("commit in smaller ones"), std::string::npos) << refused->message;
    EXPECT_LT(written, 17);
    // What was written before it is the app's to keep.
    ASSERT_TRUE(store_->commit());
    const auto batch = Journal(*store_).next_batch({}, 100, 1 << 20);
    ASSERT_EQ(batch->payloads.size(), 1u) << "the large one does not fit beside the small one";
    EXPECT_EQ(Journal(*store_).next_batch(TxnNo{2}, 100, 1 << 20)->payloads.size(), 1u) << "alone it is given, however large";
    sql("INSERT INTO site VALUES('later', 'x')");
    EXPECT_EQ(Journal(*store_).next_batch(TxnNo{3}, 100, 1 << 20)->payloads.size(), 1u);
}

}  // namespace
}  // namespace skerry::store
