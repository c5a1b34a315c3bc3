#include "transfer/torn_line.hpp"

namespace skerry::transfer {
namespace {

// What a tear may cost besides what was on its way: the heads of requests that are made again.
constexpr std::uint64_t kHeads = 4096;

TEST(EveryByte, G_5_G_4_a_small_sync_torn_after_every_byte_finishes_and_applies_everything_once) {
    TornLine line;
    line.server_sql("INSERT INTO place VALUES('theirs', 'n', 0)");
    line.sync_until_done();
    line.sql("INSERT INTO place VALUES('mine', 'n', 0)");
    line.sync_until_done();
    const auto change = [&](std::uint64_t k) {
        line.sql("UPDATE place SET people = " + std::to_string(k) + " WHERE id = 'mine'");
        line.server_sql("UPDATE place SET people = " + std::to_string(k) + " WHERE id = 'theirs'");
    };
    change(1'000'000);
    line.passed = 0;
    line.sync_until_done();
    const std::uint64_t untorn = line.passed;
    ASSERT_GT(untorn, 300u);
    for (std::uint64_t k = 0; k < untorn; ++k) {
        change(k);
        line.passed = 0;
        line.tears = 0;
        line.tear_after(k);
        line.sync_until_done(5);
        line.mend();
        ASSERT_EQ(line.tears, 1u) << k;
        ASSERT_TRUE(line.in_step()) << k;
        ASSERT_EQ(line.integer("SELECT people FROM place WHERE id = 'mine'"), static_cast<std::int64_t>(k));
        ASSERT_EQ(line.server_integer("SELECT count(*) FROM skerry_log"), static_cast<std::int64_t>(k) + 3) << "a transaction was judged twice";
        ASSERT_LT(line.passed, untorn + k + kHeads);
    }
}

TEST(EveryByte, G_5_twenty_transactions_and_a_first_sync_torn_anywhere_send_less_than_a_chunk_again) {
    std::uint64_t untorn = 0;
    constexpr std::uint64_t kSamples = 60;
    for (std::uint64_t sample = 0; sample <= kSamples; ++sample) {
        TornLine line;
        line.server_sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) "
                        "INSERT INTO place SELECT printf('s%04d', i), 'a name of a place', i FROM n");
        line.sync_until_done();
        for (int i = 0; i < 20; ++i) line.sql("INSERT INTO place VALUES('d" + std::to_string(i) + "', 'made here', 1)");
        line.server_sql("UPDATE place SET people = people + 1");
        line.passed = 0;
        if (sample > 0) line.tear_after(untorn * (sample - 1) / kSamples + sample % 7);
        line.sync_until_done();
        ASSERT_TRUE(line.in_step()) << sample;
        ASSERT_EQ(line.server_integer("SELECT count(*) FROM skerry_log"), 20);
        if (sample == 0) untorn = line.passed;
        ASSERT_LT(line.passed, untorn + (256u << 10) + kHeads) << sample;
    }
}

TEST(EveryByte, P_20_a_first_sync_that_breaks_again_and_again_goes_on_and_never_begins_anew) {
    TornLine line;
    line.server_sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
                    "INSERT INTO place SELECT printf('s%06d', i), 'a name of a place that is long enough', i FROM n");
    line.tear_after(30'000, 30'000);  // a slice of 2,000 rows is more than twice that
    std::int64_t here = 0;
    line.on_tear = [&] {
        const std::int64_t now = line.device().has_model() ? line.integer("SELECT count(*) FROM place") : 0;
        EXPECT_GE(now, here) << "rows went";
        here = now;
        line.restart_device();
    };
    for (int i = 0; i < 2000 && line.sync(); ++i) {
    }
    line.on_tear = {};
    line.mend();
    line.sync_until_done();
    EXPECT_TRUE(line.in_step());
    EXPECT_GT(line.tears, 20u);
    // About 1.3 MB of rows: at worst half of what came through was a slice that was torn.
    EXPECT_LT(line.passed, 4'000'000u);
}

}  // namespace
}  // namespace skerry::transfer
