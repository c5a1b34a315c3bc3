#include "transfer/torn_line.hpp"

namespace skerry::transfer {
namespace {

constexpr std::uint64_t kChunk = 256u << 10;
constexpr std::uint64_t kHeads = 8192;
constexpr int kRows = 30'000;

// A device in step with kRows rows, all of which then change on the server in one transaction.
void fall_behind(TornLine& line) {
    line.server_sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(kRows) + ") "
                    "INSERT INTO place SELECT printf('s%06d', i), 'a name of a place', i FROM n");
    line.sync_until_done();
    line.server_sql("UPDATE place SET name = name || ' that has another one now', people = people + 1");
    line.passed = 0;
    line.tears = 0;
}

std::int64_t changed(TornLine& line) { return line.integer("SELECT count(*) FROM place WHERE name LIKE '%now'"); }

TEST(Spool, pitfall_31_G_5_case_B5_a_delta_of_30000_rows_torn_anywhere_is_gone_on_with_and_applied_whole) {
    std::uint64_t untorn = 0;
    constexpr std::uint64_t kSamples = 8;
    for (std::uint64_t sample = 0; sample <= kSamples; ++sample) {
        TornLine line;
        fall_behind(line);
        if (sample > 0) line.tear_after(untorn * (2 * sample - 1) / (2 * kSamples) + sample * 37 % 101);
        line.on_tear = [&] { EXPECT_EQ(changed(line), 0) << "part of a transaction is visible"; };
        line.sync_until_done();
        ASSERT_EQ(changed(line), kRows) << sample;
        ASSERT_TRUE(line.in_step()) << sample;
        if (sample == 0) untorn = line.passed;
        ASSERT_LT(line.passed, untorn + kChunk + kHeads) << sample;
    }
    EXPECT_GT(untorn, 1'500'000u);
}

TEST(Spool, pitfall_32_P_20_P_22_X_6_a_device_that_is_killed_again_and_again_goes_on_from_what_is_staged) {
    TornLine line;
    fall_behind(line);
    // More than is kept in memory between two savings to the file.
    line.tear_after(400'000, 400'000);
    std::uint64_t staged = 0;
    bool grew = true;
    line.on_tear = [&] {
        line.restart_device();
        if (const auto resume = line.state().resume) {
            grew = grew && resume->offset > staged;
            staged = resume->offset;
        }
    };
    for (int i = 0; i < 100 && line.sync(); ++i) {
    }
    line.on_tear = {};
    line.mend();
    EXPECT_GT(staged, 1'000'000u);
    EXPECT_TRUE(grew) << "a restart lost what was staged";
    line.sync_until_done();
    EXPECT_EQ(changed(line), kRows);
    EXPECT_TRUE(line.in_step());
}

// The first tear leaves a large part of the delta staged; then something makes the rest useless.
void leave_half_staged(TornLine& line) {
    fall_behind(line);
    line.tear_after(700'000);
    EXPECT_TRUE(line.sync());
    ASSERT_TRUE(line.state().resume);
    ASSERT_GT(line.state().resume->offset, 300'000u);
}

TEST(Spool, a_server_that_restarted_knows_no_spool_and_the_delta_begins_anew) {
    TornLine line;
    leave_half_staged(line);
    line.restart_server();
    line.sync_until_done();
    EXPECT_EQ(changed(line), kRows);
    EXPECT_TRUE(line.in_step());
    EXPECT_FALSE(line.state().resume);
    EXPECT_EQ(line.integer("SELECT count(*) FROM skerry_stage"), 0);
}

TEST(Spool, what_changed_after_the_spool_was_made_comes_in_the_same_sync) {
    TornLine line;
    leave_half_staged(line);
    line.server_sql("UPDATE place SET people = 0 WHERE id = 's000001'");
    line.sql("INSERT INTO place VALUES('made', 'meanwhile', 1)");
    line.sync_until_done();
    EXPECT_EQ(line.integer("SELECT people FROM place WHERE id = 's000001'"), 0);
    EXPECT_TRUE(line.in_step());
    EXPECT_EQ(line.state().unsettled, 0u);
}

TEST(Spool, case_B6_what_is_staged_for_an_older_cursor_is_not_gone_on_with) {
    TornLine line;
    leave_half_staged(line);
    // Another process, or a repair, moved the cursor.
    ASSERT_TRUE(line.device().meta().set_bytes(store::key::kToken, "another cursor"));
    EXPECT_FALSE(line.state().resume);
    line.sync_until_done();  // the server reads everything anew for a cursor that it does not know
    EXPECT_EQ(changed(line), kRows);
    EXPECT_TRUE(line.in_step());
    EXPECT_EQ(line.integer("SELECT count(*) FROM skerry_stage"), 0);
}

TEST(Spool, case_B7_a_staged_frame_that_is_damaged_costs_a_transfer_not_the_store) {
    TornLine line;
    leave_half_staged(line);
    ASSERT_TRUE(line.device().db().exec("UPDATE skerry_stage SET payload = zeroblob(length(payload)) WHERE n = (SELECT max(n) FROM skerry_stage)"));
    line.sync_until_done(5);
    EXPECT_EQ(changed(line), kRows);
    EXPECT_TRUE(line.in_step());
}

}  // namespace
}  // namespace skerry::transfer
