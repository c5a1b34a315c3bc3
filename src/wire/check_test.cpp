#include "wire/check.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.hpp"

namespace skerry::wire {
namespace {

model::Model one_entity() {
    model::Model model{"digests", 1, {}};
    model.entities.push_back({"place", {"id", model::Type::kText}, {{"name", model::Type::kText}, {"people", model::Type::kInt}}});
    return model;
}

model::Row row(std::string name, std::int64_t people) { return {Value{std::move(name)}, Value{people}}; }

BytesView payload_of(const Bytes& frame) { return BytesView(frame).substr(5, frame.size() - kFrameOverhead); }

Check sample() {
    Check check;
    check.device = SeededRandom(1).id<DeviceId>();
    check.model_hash = 7;
    check.token = "token";
    check.chosen = {{"opened", {"a", "b"}}};
    check.ranges = {{{{0}, "", "m"}, {3, 1, 2}}, {{{0}, "m", std::nullopt}, {0, 0, 0}}, {{{2}, "", std::nullopt}, {1, 9, 9}}};
    return check;
}

Code refused(const Check& check) {
    Bytes out;
    put(out, check);
    const auto got = get_check(payload_of(out));
    return got ? Code::kInternal : got.error().code;
}

TEST(Digest, does_not_depend_on_the_order_and_notices_every_change) {
    const model::Model model = one_entity();
    const model::Entity& place = model.entities[0];
    SeededRandom random(20261);
    std::vector<Hash128> hashes;
    for (int i = 0; i < 500; ++i) hashes.push_back(held_hash(place, "k" + std::to_string(i), row("n" + std::to_string(random.u64()), i), {}));
    RangeDigest forwards;
    for (const Hash128& hash : hashes) forwards.add(hash);
    for (std::size_t i = hashes.size(); i > 1; --i) std::swap(hashes[i - 1], hashes[random.u64() % i]);
    RangeDigest halves[2];
    for (std::size_t i = 0; i < hashes.size(); ++i) halves[i % 2].add(hashes[i]);
    RangeDigest shuffled = halves[0];
    shuffled.add(halves[1]);
    EXPECT_EQ(forwards, shuffled);
    RangeDigest other = shuffled;
    other.add(hashes[0]);
    EXPECT_NE(other, shuffled);

    const Hash128 base = held_hash(place, "k", row("a", 1), {ScopeId{70'000}});
    EXPECT_NE(base, held_hash(place, "l", row("a", 1), {ScopeId{70'000}}));
    EXPECT_NE(base, held_hash(place, "k", row("a", 2), {ScopeId{70'000}}));
    EXPECT_NE(base, held_hash(place, "k", row("a", 1), {ScopeId{70'001}}));
    EXPECT_NE(base, held_hash(place, "k", row("a", 1), {}));
}

TEST(Digest, carries_from_the_low_half_to_the_high_one) {
    RangeDigest sum{1, UINT64_MAX, 0};
    sum.add(RangeDigest{1, 1, 0});
    EXPECT_EQ(sum, (RangeDigest{2, 0, 1}));
}

TEST(CheckMessage, comes_back_as_it_was) {
    Bytes out;
    put(out, sample());
    const auto got = get_check(payload_of(out));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->device, sample().device);
    EXPECT_EQ(got->token, "token");
    EXPECT_EQ(got->chosen, sample().chosen);
    EXPECT_EQ(got->ranges, sample().ranges);
    for (std::size_t cut = 0; cut < payload_of(out).size(); ++cut) EXPECT_FALSE(get_check(payload_of(out).substr(0, cut))) << cut;
}

// Ranges that overlap would make the server read the same rows again and again.
TEST(CheckMessage, with_ranges_that_overlap_or_turn_back_is_refused) {
    Check check = sample();
    check.ranges[1].range.after = "l";
    EXPECT_EQ(refused(check), Code::kDamagedFrame);
    check = sample();
    std::swap(check.ranges[0], check.ranges[2]);
    EXPECT_EQ(refused(check), Code::kDamagedFrame);
    check = sample();
    check.ranges[0].range.upto = std::nullopt;
    EXPECT_EQ(refused(check), Code::kDamagedFrame);
    check = sample();
    check.ranges[0].range = {{0}, "m", "m"};
    EXPECT_EQ(refused(check), Code::kDamagedFrame);
}

TEST(CheckMessage, with_too_many_ranges_or_values_is_refused) {
    Check check = sample();
    check.ranges.clear();
    for (std::uint32_t i = 0; i <= kCheckRangesMax; ++i) check.ranges.push_back({{{i}, "", std::nullopt}, {}});
    EXPECT_EQ(refused(check), Code::kLimitExceeded);
    check.ranges.pop_back();
    EXPECT_EQ(refused(check), Code::kInternal);  // taken
    check.chosen[0].values.assign(kChosenMax + 1, "v");
    EXPECT_EQ(refused(check), Code::kDamagedFrame);
}

TEST(DiffersMessage, comes_back_as_it_was_and_is_refused_out_of_order) {
    Differs rows{3, {{"a", hash128("a")}, {"b", hash128("b")}}, {}};
    Differs parts{4, {}, {{"m", {2, 3, 4}}, {std::nullopt, {1, 1, 1}}}};
    for (const Differs& differs : {rows, parts}) {
        Bytes out;
        put(out, differs);
        const auto got = get_differs(payload_of(out));
        ASSERT_TRUE(got);
        EXPECT_EQ(got->index, differs.index);
        EXPECT_EQ(got->rows, differs.rows);
        EXPECT_EQ(got->parts, differs.parts);
    }
    std::swap(rows.rows[0], rows.rows[1]);
    parts.parts[0].upto.reset();
    for (const Differs& differs : {rows, parts}) {
        Bytes out;
        put(out, differs);
        EXPECT_FALSE(get_differs(payload_of(out)));
    }
}

TEST(RangeSummary, lists_few_rows_and_divides_many_into_parts_that_add_up) {
    for (const std::size_t n : {0u, 1u, 256u, 257u, 1'024u, 1'025u, 40'000u}) {
        RangeSummary summary;
        RangeDigest all;
        std::vector<std::string> keys;
        for (std::size_t i = 0; i < n; ++i) keys.push_back(std::to_string(1'000'000 + i));
        for (const std::string& key : keys) {
            summary.add(key, hash128(key));
            all.add(hash128(key));
        }
        EXPECT_EQ(summary.digest(), all);
        const Differs answer = summary.differs(9);
        EXPECT_EQ(answer.index, 9u);
        if (n <= kCheckRowsMax) {
            ASSERT_EQ(answer.rows.size(), n);
            EXPECT_TRUE(answer.parts.empty());
            for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(answer.rows[i], (HeldRow{keys[i], hash128(keys[i])}));
            continue;
        }
        EXPECT_TRUE(answer.rows.empty());
        ASSERT_GE(answer.parts.size(), 16u);
        ASSERT_LE(answer.parts.size(), kCheckPartsMax);
        std::size_t at = 0;
        for (const DigestPart& part : answer.parts) {
            RangeDigest expected;
            for (; at < n && (!part.upto || keys[at] <= *part.upto); ++at) expected.add(hash128(keys[at]));
            EXPECT_EQ(part.digest, expected) << n;
            EXPECT_GT(expected.count, 0u);
        }
        EXPECT_EQ(at, n);
        Bytes out;
        put(out, answer);
        EXPECT_TRUE(get_differs(payload_of(out)));
    }
}

}  // namespace
}  // namespace skerry::wire
