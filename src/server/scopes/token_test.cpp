#include "server/scopes/token.hpp"

#include <gtest/gtest.h>

namespace skerry::server::scopes {
namespace {

struct Sealed : testing::Test {
    SeededRandom random{7};
    Sealer sealer{Bytes(32, 'k'), random};
    Holder anna{random.id<DeviceId>(), "anna"};
    Cursor cursor{Epoch{5}, storage::Mark{Seq{9}, 77}, 3, {{{wire::ScopeId{2}, EntityIx{1}}, "key", 12}}};
};

TEST_F(Sealed, a_cursor_comes_back_as_it_went) {
    EXPECT_EQ(sealer.open(sealer.seal(cursor, anna), anna), cursor);
    cursor.at.reset();
    cursor.downloads.clear();
    EXPECT_EQ(sealer.open(sealer.seal(cursor, anna), anna), cursor);
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
