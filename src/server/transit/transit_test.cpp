#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/hash.hpp"
#include "server/transit/parts.hpp"
#include "server/transit/spool.hpp"

namespace skerry::server::transit {
namespace {

constexpr Micros kNow = std::chrono::hours(24 * 365 * 50);

class Transit : public testing::Test {
  protected:
    Transit() {
        std::string name = (std::filesystem::temp_directory_path() / "skerry_transit_XXXXXX").string();
        dir = mkdtemp(name.data());
        path = dir + "/transit.db";
        open();
    }
    ~Transit() override {
        file.reset();
        std::filesystem::remove_all(dir);
    }
    void open() { file.emplace(path, ""); }

    std::string dir;
    std::string path;
    std::optional<File> file;
    SeededRandom random{7};
    const DeviceId ann = DeviceId::from("aaaaaaaaaaaaaaaa");
    const DeviceId bob = DeviceId::from("bbbbbbbbbbbbbbbb");
};

wire::Part part_of(const Bytes& whole, std::uint64_t from, std::size_t n, std::uint64_t no = 1) {
    return {TxnNo{no}, 9, hash64(whole), whole.size(), from, whole.substr(from, n)};
}

TEST_F(Transit, parts_are_put_together_in_any_pieces_and_survive_a_restart) {
    const Bytes whole = "0123456789";
    {
        Parts parts(*file);
        EXPECT_EQ(*parts.put(ann, part_of(whole, 0, 0), kNow), 0u) << "asking adds nothing";
        EXPECT_EQ(*parts.put(ann, part_of(whole, 0, 4), kNow), 4u);
        EXPECT_EQ(*parts.put(ann, part_of(whole, 0, 4), kNow), 4u) << "a proxy that repeats a request";
        EXPECT_EQ(*parts.put(ann, part_of(whole, 6, 4), kNow), 4u) << "what would leave a gap is not taken";
        EXPECT_EQ(*parts.put(ann, part_of(whole, 2, 4), kNow), 6u) << "what overlaps is taken from where it is new";
    }
    open();
    Parts parts(*file);
    EXPECT_EQ(*parts.put(ann, part_of(whole, 10, 0), kNow), 6u);
    EXPECT_EQ(*parts.put(ann, part_of(whole, 6, 4), kNow), 10u);
    EXPECT_EQ(**parts.whole(ann, part_of(whole, 0, 0)), whole);
    ASSERT_TRUE(parts.forget(ann));
    EXPECT_EQ(*parts.put(ann, part_of(whole, 0, 0), kNow), 0u);
}

TEST_F(Transit, another_form_or_another_transaction_begins_anew_and_nobody_else_is_touched) {
    Parts parts(*file);
    const Bytes whole = "0123456789";
    const Bytes other = "abcdefghij";
    EXPECT_EQ(*parts.put(ann, part_of(whole, 0, 5), kNow), 5u);
    EXPECT_EQ(*parts.put(bob, part_of(whole, 0, 3), kNow), 3u);
    EXPECT_EQ(*parts.put(ann, part_of(other, 5, 5), kNow), 0u) << "the same number, another content";
    EXPECT_EQ(*parts.put(ann, part_of(other, 0, 5, 2), kNow), 5u);
    EXPECT_EQ(*parts.put(bob, part_of(whole, 3, 7), kNow), 10u);
    EXPECT_EQ(**parts.whole(bob, part_of(whole, 0, 0)), whole);
}

TEST_F(Transit, what_is_not_what_it_was_said_to_be_is_forgotten) {
    Parts parts(*file);
    wire::Part lie = part_of("0123456789", 0, 10);
    lie.content += 1;
    EXPECT_EQ(*parts.put(ann, lie, kNow), 10u);
    EXPECT_FALSE(*parts.whole(ann, lie));
    lie.bytes.clear();
    EXPECT_EQ(*parts.put(ann, lie, kNow), 0u);
}

TEST_F(Transit, parts_of_devices_that_stay_away_are_forgotten) {
    Parts parts(*file);
    const Bytes whole = "0123456789";
    EXPECT_EQ(*parts.put(ann, part_of(whole, 0, 5), kNow), 5u);
    EXPECT_EQ(*parts.put(bob, part_of(whole, 0, 5), kNow + kPartsAgeMax + Micros{1}), 5u);
    EXPECT_EQ(*parts.put(ann, part_of(whole, 0, 0), kNow + kPartsAgeMax + Micros{1}), 0u);
}

TEST_F(Transit, parts_of_all_devices_are_bounded_and_those_in_use_are_not_given_up) {
    Parts parts(*file);
    const Bytes whole = "0123456789";
    EXPECT_EQ(*parts.put(ann, part_of(whole, 0, 5), kNow), 5u);
    // (A gigabyte is not written for this: the sum that the bound is held against is.)
    ASSERT_TRUE((*file->db())->exec("UPDATE part SET have = " + std::to_string(kPartsBytesMax)));
    const auto refused = parts.put(bob, part_of(whole, 0, 5), kNow);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kServerBusy);
    EXPECT_EQ(*parts.put(bob, part_of(whole, 0, 5), kNow + kPartsInUse), 5u);
    EXPECT_EQ(*parts.put(ann, part_of(whole, 0, 0), kNow), 0u);
}

TEST_F(Transit, a_spool_is_read_from_anywhere_while_it_grows) {
    Spool spool(*file, random);
    const SpoolOwner owner{ann, "ann", 5, 6};
    const Bytes id = *spool.begin(owner, kNow);
    Bytes all;
    for (int i = 0; i < 30'000; ++i) all += std::to_string(i) + ",";
    ASSERT_TRUE(spool.append(id, BytesView(all).substr(0, 100'000), false));
    EXPECT_FALSE((*spool.find(id))->whole);
    ASSERT_TRUE(spool.append(id, BytesView(all).substr(100'000), true));
    EXPECT_EQ((*spool.find(id))->owner, owner);
    EXPECT_EQ((*spool.find(id))->bytes, all.size());
    for (std::uint64_t from : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{65'535}, std::uint64_t{65'536}, std::uint64_t{99'999},
                               std::uint64_t{100'000}, std::uint64_t{all.size() - 1}, std::uint64_t{all.size()}}) {
        Bytes rest;
        for (std::uint64_t at = from; at < all.size();) {
            Bytes piece;
            ASSERT_TRUE(spool.read(id, at, 10'000, piece, kNow));
            ASSERT_FALSE(piece.empty());
            ASSERT_LE(piece.size(), 10'000u);
            at += piece.size();
            rest += piece;
        }
        EXPECT_EQ(rest, all.substr(from)) << from;
    }
}

TEST_F(Transit, a_device_has_one_spool_and_a_restart_forgets_all) {
    Bytes second;
    {
        Spool spool(*file, random);
        const Bytes first = *spool.begin({ann, "ann", 1, 1}, kNow);
        ASSERT_TRUE(spool.append(first, "abc", true));
        second = *spool.begin({ann, "ann", 1, 2}, kNow);
        EXPECT_FALSE(*spool.find(first));
        EXPECT_EQ(spool.append(first, "d", true).error().code, Code::kNotFound);
        Bytes out;
        EXPECT_EQ(spool.read(first, 0, 10, out, kNow).error().code, Code::kNotFound);
        ASSERT_TRUE(spool.append(second, "abc", true));
    }
    open();
    EXPECT_FALSE(*Spool(*file, random).find(second));
}

TEST_F(Transit, spools_that_nobody_reads_go_and_their_place_is_given_back) {
    Spool spool(*file, random);
    const Bytes old = *spool.begin({ann, "ann", 1, 1}, kNow);
    ASSERT_TRUE(spool.append(old, Bytes(1 << 20, 'x'), true));
    const std::int64_t before = *(*file->db())->integer("PRAGMA page_count");
    static_cast<void>(*spool.begin({bob, "bob", 1, 1}, kNow + kSpoolAgeMax + Micros{1}));
    EXPECT_FALSE(*spool.find(old));
    EXPECT_LT(*(*file->db())->integer("PRAGMA page_count"), before / 2);
}

TEST_F(Transit, a_damaged_file_is_made_anew) {
    {
        std::ofstream broken(path);
        broken << std::string(8192, 'x');
    }
    Spool spool(*file, random);
    const auto id = spool.begin({ann, "ann", 1, 1}, kNow);
    ASSERT_TRUE(id) << id.error().message;
    EXPECT_TRUE(*spool.find(*id));
}

}  // namespace
}  // namespace skerry::server::transit
