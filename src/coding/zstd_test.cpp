#include "coding/zstd.hpp"

#include <gtest/gtest.h>
#include <zstd.h>

#include <string>

#include "base/random.hpp"

namespace skerry::coding {
namespace {

Bytes packed(BytesView piece) {
    Packer packer;
    Bytes out;
    packer.pack(piece, out);
    return out;
}

Bytes sample(std::size_t n) {
    SeededRandom random(5);
    Bytes bytes;
    while (bytes.size() < n) bytes += "row " + std::to_string(random.below(1000)) + ";";
    bytes.resize(n);
    return bytes;
}

TEST(Zstd, pieces_come_back_however_they_are_cut) {
    Packer packer;
    Bytes coded, all;
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{300}, std::size_t{300'000}}) {
        const Bytes piece = sample(n);
        packer.pack(piece, coded);
        all += piece;
    }
    EXPECT_LT(coded.size(), all.size() / 2);
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, coded.size()}) {
        Unpacker unpacker;
        Bytes out;
        for (std::size_t at = 0; at < coded.size(); at += step) ASSERT_TRUE(unpacker.feed(BytesView(coded).substr(at, step), out));
        EXPECT_EQ(out, all);
        EXPECT_TRUE(unpacker.at_boundary());
    }
}

TEST(Zstd, pieces_of_every_small_size_come_back) {
    const Bytes all = sample(600);
    for (std::size_t n = 0; n <= all.size(); ++n) {
        const BytesView piece = BytesView(all).substr(0, n);
        const Bytes coded = packed(piece);
        EXPECT_LE(coded.size(), n + 12);
        Unpacker unpacker;
        Bytes out;
        ASSERT_TRUE(unpacker.feed(coded, out)) << n;
        EXPECT_EQ(out, piece);
        EXPECT_TRUE(unpacker.at_boundary());
    }
}

TEST(Zstd, what_a_piece_holds_is_there_when_its_frame_is) {
    Packer packer;
    Unpacker unpacker;
    for (int i = 0; i < 5; ++i) {
        const Bytes piece = sample(100 + static_cast<std::size_t>(i));
        Bytes coded, out;
        packer.pack(piece, coded);
        ASSERT_TRUE(unpacker.feed(coded, out));
        EXPECT_EQ(out, piece);
    }
}

TEST(Zstd, a_cut_body_is_not_at_its_end_and_damage_is_refused_for_good) {
    const Bytes coded = packed(sample(5'000));
    for (std::size_t n = 1; n < coded.size(); ++n) {
        Unpacker unpacker;
        Bytes out;
        const auto fed = unpacker.feed(BytesView(coded).substr(0, n), out);
        EXPECT_FALSE(fed && unpacker.at_boundary()) << n;
    }
    Unpacker unpacker;
    Bytes out;
    EXPECT_EQ(unpacker.feed("<html>sign in</html>", out).error().code, Code::kForeignAnswer);
    EXPECT_EQ(unpacker.feed(coded, out).error().code, Code::kForeignAnswer);
    EXPECT_FALSE(unpacker.at_boundary());
}

TEST(Zstd, what_grows_beyond_all_measure_is_refused) {
    const Bytes zeros(8u << 20, '\0');
    const Bytes coded = packed(zeros);
    Unpacker unpacker;
    Bytes out;
    bool refused = false;
    std::size_t most = 0;
    for (int i = 0; i < 100 && !refused; ++i) {
        out.clear();
        refused = !unpacker.feed(coded, out);
        most = std::max(most, out.size());
    }
    EXPECT_TRUE(refused);
    EXPECT_LE(most, zeros.size() + (1u << 20));
}

TEST(Zstd, a_window_beyond_the_limit_is_refused) {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, kWindowLogMax + 1);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
    const Bytes piece = sample(100'000);
    Bytes coded(ZSTD_compressBound(piece.size()), '\0');
    ZSTD_inBuffer in{piece.data(), piece.size(), 0};
    ZSTD_outBuffer into{coded.data(), coded.size(), 0};
    // In two steps: one call would be told the size and take a smaller window.
    ASSERT_FALSE(ZSTD_isError(ZSTD_compressStream2(context, &into, &in, ZSTD_e_flush)));
    ASSERT_EQ(ZSTD_compressStream2(context, &into, &in, ZSTD_e_end), 0u);
    ZSTD_freeCCtx(context);
    Unpacker unpacker;
    Bytes out;
    EXPECT_FALSE(unpacker.feed(BytesView(coded).substr(0, into.pos), out));
}

TEST(Zstd, who_takes_it) {
    for (const std::string_view header : {"zstd", "gzip, zstd", "gzip;q=1.0,ZSTD;q=0.5", " zstd ; q=1", "zstd;q=0.001"}) EXPECT_TRUE(accepts_zstd(header)) << header;
    for (const std::string_view header : {"", "gzip", "zstd;q=0", "gzip, zstd; q=0.000", "xzstd", "zstdx", "*", ",,;"}) EXPECT_FALSE(accepts_zstd(header)) << header;
}

}  // namespace
}  // namespace skerry::coding
