// How large the slices of a download are wished: what a device can apply in the time that its app may be kept waiting.
#include "engine/engine_testing.hpp"

namespace skerry::engine {
namespace {

TEST_F(EngineTest, O_22_slices_take_fifty_milliseconds_on_a_fast_and_on_a_slow_device) {
    for (const std::int64_t rows_per_second : {2'000'000, 40'000, 1'000}) {
        std::uint32_t wish = 0;
        for (int round = 0; round < 12; ++round) {
            engine_.sync();
            ASSERT_EQ(next_request(), wire::kPathPull);
            wish = pull_request().slice_rows;
            ASSERT_GT(wish, 0u);
            Bytes out;
            wire::put_header(out, wire::Kind::kPullResponse);
            wire::put(out, wire::Begin{.from = hash64(""), .caught_up = true});
            wire::put(out, wire::Slice{.entity = EntityIx{0}, .scopes = {wire::ScopeId{1}}, .after = "", .upto = "k", .rows = {}});
            wire::put(out, wire::Checkpoint{"token", false});
            wire::put_empty(out, wire::FrameType::kEnd);
            store_.applies.rows = wish;
            store_.applies.took = Micros(static_cast<std::int64_t>(wish) * 1'000'000 / rows_per_second);
            answer(out);
            finished();
        }
        engine_.sync();
        ASSERT_EQ(next_request(), wire::kPathPull);
        const std::int64_t milliseconds = static_cast<std::int64_t>(pull_request().slice_rows) * 1000 / rows_per_second;
        EXPECT_LE(milliseconds, rows_per_second == 40'000 ? kSliceTarget.count() : 200);
        EXPECT_GE(milliseconds, rows_per_second == 40'000 ? kSliceTarget.count() : 10) << pull_request().slice_rows << " rows at " << rows_per_second;
        EXPECT_LE(pull_request().slice_rows, wire::kSliceRowsMax);
        answer(pull_answer());
        finished();
    }
}

TEST_F(EngineTest, O_22_a_slow_device_asks_again_for_less_before_it_applies_what_is_too_much) {
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPull);
    EXPECT_EQ(pull_request().slice_rows, kSliceRowsFirst);
    EXPECT_EQ(pull_request().slice_rows_max, wire::kSliceRowsMax) << "nothing is known of this device yet";
    // Slices of twice as many rows each, 20 us a row: 51, 102, 205 ms at the end. One of them meets a busy disk.
    Bytes head;
    wire::put_header(head, wire::Kind::kPullResponse);
    engine_.response_started(last_.id, 200, wire::kContentType, Millis{0});
    engine_.response_bytes(last_.id, head);
    std::uint64_t rows = kSliceRowsFirst;
    for (; next_request() == "" && rows <= wire::kSliceRowsMax; rows *= 2) {
        Bytes out;
        wire::put(out, wire::Begin{.from = hash64(""), .caught_up = false});
        wire::Slice slice{.entity = EntityIx{0}, .scopes = {wire::ScopeId{1}}, .after = "", .upto = "z", .rows = {}};
        slice.upto = std::string(static_cast<std::size_t>(rows), 'z');  // stands for the rows' bytes
        wire::put(out, slice);
        wire::put(out, wire::Checkpoint{"token", true});
        store_.applies.rows = rows;
        store_.applies.took = Micros(rows == 400 ? 200'000 : 20 * static_cast<std::int64_t>(rows));
        engine_.response_bytes(last_.id, out);
    }
    EXPECT_EQ(rows, 12'800u) << "6,400 would have taken 128 ms: they were not applied";
    EXPECT_EQ(last_.path, wire::kPathPull);
    EXPECT_EQ(pull_request().slice_rows, 2'500u);
    EXPECT_EQ(pull_request().slice_rows_max, 0u) << "and they stay so";
    EXPECT_FALSE(engine_.status().problem);
}

}  // namespace
}  // namespace skerry::engine
