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

// A store whose file may grow no more, as at the quota of an origin or of a user.
class Quota : public StoreTest {
  protected:
    static constexpr wire::ScopeId kPart{70'000};
    static constexpr int kRows = 200;

    // Sites whole, and a part of the houses that takes 2 MB.
    Quota() {
        std::vector<Piece> pieces;
        for (int i = 0; i < kRows; ++i) pieces.push_back(house("h" + std::to_string(1000 + i), std::string(10'000, 'x'), i, {kPart}));
        apply({.scopes = {{{1}, "entity/site", {0}, true}, {kPart, "house/part", {1}, false}}}, pieces);
    }
    void leave_pages(std::int64_t more) {
        const std::int64_t pages = *store_->db().integer("PRAGMA page_count");
        ASSERT_TRUE(store_->db().integer("PRAGMA max_page_count = " + std::to_string(pages + more)));
    }
    Result<Table> insert_site(const std::string& key, std::size_t bytes = 20'000) {
        return store_->sql("INSERT INTO site VALUES(?1, ?2)", {Value{key}, Value{std::string(bytes, 'y')}});
    }
    Result<ApplyReport> arrive(const std::vector<Piece>& pieces) {
        Staging staging(*store_);
        stage(staging, [&](Bytes& out) { wire::put(out, wire::Begin{.from = hash64(*token()), .caught_up = true}); });
        for (const Piece& piece : pieces) EXPECT_TRUE(staging.stage(piece.first, piece.second));
        stage(staging, [](Bytes& out) { wire::put(out, wire::Checkpoint{"full", false}); });
        return staging.apply();
    }
    std::optional<Bytes> token() { return *store_->meta().bytes(key::kToken); }
    std::size_t unsent() { return Journal(*store_).next_batch({}, 1000, 1 << 30)->payloads.size(); }
};

TEST_F(Quota, G_8_at_the_quota_writes_are_refused_by_name_and_nothing_that_is_pending_goes) {
    leave_pages(200);
    int written = 0;
    std::optional<Error> refused;
    while (written < 200 && !refused) {
        if (const auto done = insert_site("s" + std::to_string(written)); done) ++written;
        else refused = done.error();
    }
    ASSERT_TRUE(refused) << "the quota is one";
    ASSERT_GT(written, 1);
    EXPECT_EQ(refused->code, Code::kDiskFull);
    EXPECT_EQ(rows("SELECT count(*) FROM site"), std::to_string(written)) << "the refused one left nothing";
    EXPECT_EQ(transactions(), written);
    EXPECT_EQ(unsent(), static_cast<std::size_t>(written)) << "what is pending can be sent";

    // The same inside a transaction of several writes: it goes as a whole.
    ASSERT_TRUE(store_->begin());
    std::optional<Error> inside;
    for (int i = 0; i < 20 && !inside; ++i)
        if (const auto done = insert_site("t" + std::to_string(i)); !done) inside = done.error();
    ASSERT_TRUE(inside);
    EXPECT_EQ(inside->code, Code::kDiskFull);
    store_->rollback();
    EXPECT_EQ(rows("SELECT count(*) FROM site"), std::to_string(written));

    open();
    EXPECT_EQ(unsent(), static_cast<std::size_t>(written)) << "after a restart too";
}

TEST_F(Quota, G_8_a_download_that_does_not_fit_changes_nothing_and_comes_when_a_part_was_let_go) {
    ASSERT_TRUE(insert_site("mine", 10));
    sql("UPDATE house SET people = -1 WHERE id = 'h1000'");
    leave_pages(8);
    std::vector<Piece> large;
    for (int i = 0; i < 30; ++i) large.push_back(row("site", "from the server " + std::to_string(i), {Value{std::string(20'000, 'z')}}));
    const auto before = token();
    const auto refused = arrive(large);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kDiskFull);
    EXPECT_EQ(token(), before) << "it is asked for again";
    EXPECT_EQ(rows("SELECT count(*) FROM site"), "1");
    EXPECT_EQ(rows("SELECT count(*) FROM house"), std::to_string(kRows));
    EXPECT_EQ(unsent(), 2u);

    // The app has chosen less: the part goes, what is pending of it stays to be sent.
    const auto let_go = arrive({lost(kPart.value)});
    ASSERT_TRUE(let_go) << describe(let_go.error());
    EXPECT_EQ(rows("SELECT count(*) FROM house"), "0");
    EXPECT_EQ(unsent(), 2u);
    const auto fits = arrive(large);
    ASSERT_TRUE(fits) << describe(fits.error());
    EXPECT_EQ(rows("SELECT count(*) FROM site"), "31");
    EXPECT_TRUE(insert_site("again")) << "there is room for the app's own, too";
    EXPECT_EQ(unsent(), 3u);
}

TEST_F(Quota, G_8_what_another_program_wrote_waits_whole_until_there_is_room_to_number_it) {
    ASSERT_TRUE(foreign().exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) "
                               "INSERT INTO site SELECT 'f' || i, printf('%.20000c', 'f') FROM n"));
    leave_pages(0);
    const auto refused = store_->number_open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kDiskFull);
    EXPECT_EQ(transactions(), 0);
    EXPECT_EQ(*foreign().integer("SELECT count(*) FROM site"), 40);
    leave_pages(1000);
    EXPECT_EQ(store_->number_open().value_or(false), true);
    EXPECT_EQ(transactions(), 1);
    EXPECT_EQ(Journal(*store_).load(TxnNo{1})->ops.size(), 40u);
}

}  // namespace
}  // namespace skerry::store
