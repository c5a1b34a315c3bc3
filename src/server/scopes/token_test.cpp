#include "server/scopes/token.hpp"

#include <gtest/gtest.h>

#include <set>

namespace skerry::server::scopes {
namespace {

struct Sealed : testing::Test {
    SeededRandom random{7};
    Sealer sealer{Bytes(32, 'k'), random};
    Holder anna{random.id<DeviceId>(), "anna"};
    Cursor cursor{Epoch{5}, storage::Mark{Seq{9}, 77}, 3, {{EntityIx{1}, {wire::ScopeId{2}, wire::ScopeId{70'000}}, "key", 12}}};
};

TEST_F(Sealed, a_cursor_comes_back_as_it_went) {
    EXPECT_EQ(sealer.open(sealer.seal(cursor, anna), anna), cursor);
    cursor.at.reset();
    cursor.downloads.clear();
    EXPECT_EQ(sealer.open(sealer.seal(cursor, anna), anna), cursor);
}

TEST_F(Sealed, any_cursor_comes_back_as_it_went) {
    const std::uint64_t seed = SystemRandom().u64();
    SCOPED_TRACE(seed);
    SeededRandom draw(seed);
    for (int i = 0; i < 300; ++i) {
        Cursor any{Epoch{draw.u64()}, std::nullopt, draw.u64(), {}};
        if (draw.below(2) == 0) any.at = storage::Mark{Seq{draw.u64()}, draw.u64()};
        for (std::uint64_t d = draw.below(6); d > 0; --d) {
            Download& download = any.downloads.emplace_back(Download{EntityIx{static_cast<std::uint32_t>(draw.below(500))}, {}, {}, draw.u64()});
            std::set<wire::ScopeId> scopes;
            for (std::uint64_t s = draw.below(40); s > 0; --s) scopes.insert(wire::ScopeId{static_cast<std::uint32_t>(draw.u64())});
            download.scopes.assign(scopes.begin(), scopes.end());
            download.after = Bytes(draw.below(100), static_cast<char>(draw.below(256)));
        }
        EXPECT_EQ(sealer.open(sealer.seal(any, anna), anna), any);
    }
}

TEST_F(Sealed, what_a_pull_cannot_carry_loses_positions_from_the_end_and_no_scope) {
    cursor.downloads.clear();
    cursor.downloads.resize(200);
    for (std::uint32_t d = 0; d < 200; ++d) {
        cursor.downloads[d].entity = EntityIx{d};
        cursor.downloads[d].scopes = {wire::ScopeId{70'000 + d}};
        cursor.downloads[d].after.resize(512, 'k');
    }
    const Bytes token = sealer.seal(cursor, anna);
    EXPECT_LE(token.size(), wire::kTokenBytesMax);
    const auto opened = sealer.open(token, anna);
    ASSERT_TRUE(opened);
    ASSERT_EQ(opened->downloads.size(), 200u);
    EXPECT_EQ(opened->downloads.front(), cursor.downloads.front());
    EXPECT_TRUE(opened->downloads.back().after.empty()) << "begins anew";
    EXPECT_EQ(opened->downloads.back().scopes, cursor.downloads.back().scopes);
}

TEST_F(Sealed, a_token_of_another_version_opens_nothing) {
    Bytes token = sealer.seal(cursor, anna);
    token[0] = static_cast<char>(token[0] - 1);
    EXPECT_FALSE(sealer.open(token, anna));
}

TEST_F(Sealed, another_device_user_or_server_opens_nothing) {
    const Bytes token = sealer.seal(cursor, anna);
    EXPECT_FALSE(sealer.open(token, {anna.device, "bert"}));
    EXPECT_FALSE(sealer.open(token, {random.id<DeviceId>(), "anna"}));
    EXPECT_FALSE(Sealer(Bytes(32, 'x'), random).open(token, anna));
}

TEST_F(Sealed, every_cut_and_every_flipped_bit_opens_nothing) {
    const Bytes token = sealer.seal(cursor, anna);
    for (std::size_t n = 0; n < token.size(); ++n) {
        EXPECT_FALSE(sealer.open(BytesView(token).substr(0, n), anna)) << n;
        Bytes flipped = token;
        flipped[n] = static_cast<char>(flipped[n] ^ 1);
        EXPECT_FALSE(sealer.open(flipped, anna)) << n;
    }
}

TEST_F(Sealed, pitfall_49_the_bytes_tell_nothing_and_never_repeat) {
    EXPECT_NE(sealer.seal(cursor, anna), sealer.seal(cursor, anna));
}

}  // namespace
}  // namespace skerry::server::scopes
