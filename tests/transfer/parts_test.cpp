#include "transfer/torn_line.hpp"

namespace skerry::transfer {
namespace {

constexpr std::uint64_t kChunk = 256u << 10;
constexpr std::uint64_t kHeads = 8192;

// One transaction of 300 rows and about 600 KiB.
void make_large(TornLine& line, const std::string& prefix = "r") {
    line.sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
             "INSERT INTO place SELECT '" + prefix + "' || printf('%03d', i), hex(zeroblob(1000)) || i, i FROM n");
}

TEST(Parts, pitfall_61_case_A14_G_5_a_large_transaction_torn_anywhere_arrives_whole_and_less_than_a_chunk_is_sent_again) {
    std::uint64_t untorn = 0;
    constexpr std::uint64_t kSamples = 25;
    for (std::uint64_t sample = 0; sample <= kSamples; ++sample) {
        TornLine line;
        line.sync_until_done();
        make_large(line);
        line.sql("INSERT INTO place VALUES('after', 'small', 1)");
        line.passed = 0;
        if (sample > 0) line.tear_after(untorn * (sample - 1) / kSamples + sample * 37 % 101);
        line.on_tear = [&] {
            const std::int64_t rows = line.server_integer("SELECT count(*) FROM place WHERE id LIKE 'r%'");
            EXPECT_TRUE(rows == 0 || rows == 300) << rows;
        };
        line.sync_until_done();
        ASSERT_TRUE(line.in_step()) << sample;
        ASSERT_EQ(line.server_integer("SELECT count(*) FROM skerry_log"), 2);
        if (sample == 0) untorn = line.passed;
        ASSERT_LT(line.passed, untorn + kChunk + kHeads) << sample;
    }
    EXPECT_GT(untorn, 600'000u);
}

TEST(Parts, pitfall_61_a_line_that_breaks_every_40_KB_gets_a_large_transaction_through_restarts_of_both_sides_included) {
    TornLine line;
    line.sync_until_done();
    make_large(line);
    line.passed = 0;
    line.tear_after(40'000, 40'000);
    int tear = 0;
    line.on_tear = [&] { ++tear; };
    for (int attempt = 0; attempt < 500 && line.sync(); ++attempt) {
        if (attempt % 5 == 4) line.restart_device();
        // (What a restarted server kept of its answers is gone: later it would have to stay up for the download.)
        if (attempt % 7 == 6 && line.server_integer("SELECT count(*) FROM skerry_log") == 0) line.restart_server();
    }
    line.mend();
    line.sync_until_done();
    EXPECT_TRUE(line.in_step());
    EXPECT_GT(tear, 15);
    EXPECT_LT(line.passed, 4 * 620'000u) << "most of what was sent was sent once";
    EXPECT_EQ(line.server_integer("SELECT count(*) FROM skerry_log"), 1);
}

TEST(Parts, numbers_stay_in_order_around_a_large_transaction) {
    TornLine line;
    line.sync_until_done();
    line.sql("INSERT INTO place VALUES('first', 'small', 1)");
    make_large(line, "a");
    line.sql("INSERT INTO place VALUES('between', 'small', 1)");
    make_large(line, "b");
    line.sql("UPDATE place SET people = 7 WHERE id = 'a001'");
    line.sync_until_done();
    EXPECT_TRUE(line.in_step());
    EXPECT_EQ(line.server_integer("SELECT count(*) FROM skerry_log"), 5);
    EXPECT_EQ(line.state().unsettled, 0u);
}

TEST(Parts, case_A7_M_24_a_queue_as_long_as_a_batch_or_one_more_or_less_is_sent_once_each) {
    for (const int n : {499, 500, 501, 1000}) {
        TornLine line;
        line.sync_until_done();
        for (int i = 0; i < n; ++i) line.sql("INSERT INTO place VALUES('q" + std::to_string(i) + "', '', 1)");
        line.sync_until_done();
        EXPECT_EQ(line.server_integer("SELECT count(*) FROM skerry_log"), n);
        EXPECT_EQ(line.state().unsettled, 0u);
        const std::uint64_t requests = line.requests;
        line.sync_until_done();
        EXPECT_EQ(line.requests, requests + 1) << "nothing is left to be sent: one pull";
    }
}

TEST(Parts, M_21_ten_thousand_dirty_rows_go_in_full_windows_and_are_applied_parents_first) {
    model::Model model = places();
    model.entities.push_back({"visit", {"id", model::Type::kText}, {{.name = "place_id", .references = EntityIx{0}}, {.name = "note"}}});
    model::complete(model);
    TornLine line(model);
    line.sync_until_done();
    const std::uint64_t before = line.pushes;
    // Each transaction writes children, and then the parent that the app's trigger makes for them.
    line.sql("CREATE TRIGGER parent AFTER INSERT ON visit BEGIN INSERT OR IGNORE INTO place VALUES(NEW.place_id, 'a place', 1); END");
    for (int i = 0; i < 1000; ++i) {
        const std::string n = std::to_string(i);
        line.sql("INSERT INTO visit WITH RECURSIVE k(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM k WHERE i < 8) "
                 "SELECT 'v" + n + "-' || i, 'p" + n + "', 'looked at what is there' FROM k");
    }
    line.sync_until_done();
    EXPECT_EQ(line.server_integer("SELECT count(*) FROM visit v JOIN place p ON p.id = v.place_id"), 9000);
    EXPECT_EQ(line.server_integer("SELECT count(*) FROM skerry_draft"), 0);
    EXPECT_TRUE(line.in_step());
    const std::uint64_t window = engine::kChunkFirst;
    EXPECT_LE(line.pushes - before, (line.push_bytes + window - 1) / window);
}

}  // namespace
}  // namespace skerry::transfer
