#include "coding/zstd.hpp"

#include <gtest/gtest.h>
#include <zstd.h>

#include <cstdint>
#include <string>
#include <utility>

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

// All of it, however much it gives.
Result<void> feed_all(Unpacker& unpacker, BytesView bytes, Bytes& out) { return unpacker.feed(bytes, out, SIZE_MAX); }

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
        for (std::size_t at = 0; at < coded.size(); at += step) ASSERT_TRUE(feed_all(unpacker, BytesView(coded).substr(at, step), out));
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
        ASSERT_TRUE(feed_all(unpacker, coded, out)) << n;
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
        ASSERT_TRUE(feed_all(unpacker, coded, out));
        EXPECT_EQ(out, piece);
    }
}

TEST(Zstd, a_cut_body_is_not_at_its_end_and_damage_is_refused_for_good) {
    const Bytes coded = packed(sample(5'000));
    for (std::size_t n = 1; n < coded.size(); ++n) {
        Unpacker unpacker;
        Bytes out;
        const auto fed = feed_all(unpacker, BytesView(coded).substr(0, n), out);
        EXPECT_FALSE(fed && unpacker.at_boundary()) << n;
    }
    Unpacker unpacker;
    Bytes out;
    EXPECT_EQ(feed_all(unpacker, "<html>sign in</html>", out).error().code, Code::kForeignAnswer);
    EXPECT_EQ(feed_all(unpacker, coded, out).error().code, Code::kForeignAnswer);
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
        refused = !feed_all(unpacker, coded, out);
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
    EXPECT_FALSE(feed_all(unpacker, BytesView(coded).substr(0, into.pos), out));
}

// What a compressor makes of zeros with that window, without ever holding them.
Bytes packed_zeros(std::uint64_t bytes, int window_log) {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
    const Bytes zeros(1u << 20, '\0');
    Bytes coded;
    for (std::uint64_t at = 0; at < bytes; at += zeros.size()) {
        ZSTD_inBuffer in{zeros.data(), zeros.size(), 0};
        const auto end = at + zeros.size() >= bytes ? ZSTD_e_end : ZSTD_e_continue;
        for (std::size_t left = 1; left != 0 && (end == ZSTD_e_end || in.pos < in.size);) {
            Bytes piece(64u << 10, '\0');
            ZSTD_outBuffer into{piece.data(), piece.size(), 0};
            left = ZSTD_compressStream2(context, &into, &in, end);
            EXPECT_FALSE(ZSTD_isError(left));
            coded.append(piece, 0, into.pos);
        }
    }
    ZSTD_freeCCtx(context);
    return coded;
}

struct Eaten {
    std::size_t most_at_once = 0;
    std::uint64_t in_all = 0;
    bool refused = false;
};

// As a reader does it that takes a piece at a time.
Eaten eat(BytesView coded) {
    constexpr std::size_t kPiece = 1u << 20;
    Unpacker unpacker;
    Eaten eaten;
    do {
        Bytes out;
        eaten.refused = !unpacker.feed(coded, out, kPiece);
        eaten.most_at_once = std::max(eaten.most_at_once, out.capacity());
        eaten.in_all += out.size();
    } while (!eaten.refused && unpacker.has_more(coded));
    return eaten;
}

TEST(Zstd, security_T10_a_bomb_of_a_gigabyte_goes_off_nowhere) {
    constexpr std::uint64_t kGigabyte = 1ull << 30;
    const Bytes one = packed_zeros(kGigabyte, kWindowLogMax);
    ASSERT_LT(one.size(), 200'000u);
    Bytes frames;
    const Bytes frame = packed_zeros(8u << 20, kWindowLogMax);
    while (frames.size() < one.size()) frames += frame;
    Packer packer;
    Bytes nested;
    packer.pack(one, nested);
    for (const auto& [name, bomb] : {std::pair<std::string_view, BytesView>{"one frame", one}, {"many frames", frames}}) {
        const Eaten eaten = eat(bomb);
        EXPECT_TRUE(eaten.refused) << name;
        EXPECT_LE(eaten.in_all, kFreeBytes + kRatioMax * bomb.size() + (1u << 20)) << name;
        EXPECT_LT(eaten.in_all, kGigabyte / 4) << name;
        EXPECT_LT(eaten.most_at_once, 4u << 20) << name << ": memory stays flat";
    }
    const Eaten wide = eat(packed_zeros(kGigabyte, 27));
    EXPECT_TRUE(wide.refused) << "a window of 128 MiB";
    EXPECT_EQ(wide.in_all, 0u);
    const Eaten inner = eat(nested);
    EXPECT_FALSE(inner.refused);
    EXPECT_EQ(inner.in_all, one.size()) << "one layer is undone, never two";
}

TEST(Zstd, security_T10_frames_of_nothing_cost_nothing) {
    Packer packer;
    Bytes empty;
    packer.pack("", empty);
    Bytes many;
    while (many.size() < (4u << 20)) many += empty;
    many.append("\x50\x2a\x4d\x18\xff\xff\xff\x00", 8);  // a frame that is to be skipped
    many.append(0xffffff, 's');
    const Eaten eaten = eat(many);
    EXPECT_FALSE(eaten.refused);
    EXPECT_EQ(eaten.in_all, 0u);
    EXPECT_LT(eaten.most_at_once, 4u << 20);
}

TEST(Zstd, growth_is_allowed_up_to_its_measure) {
    const Bytes coded = packed_zeros(kFreeBytes, kWindowLogMax);
    EXPECT_FALSE(eat(coded).refused) << "the first part is free";
    const Eaten beyond = eat(packed_zeros(kFreeBytes * 8, kWindowLogMax));
    EXPECT_TRUE(beyond.refused);
}

TEST(Zstd, who_takes_it) {
    for (const std::string_view header : {"zstd", "gzip, zstd", "gzip;q=1.0,ZSTD;q=0.5", " zstd ; q=1", "zstd;q=0.001"}) EXPECT_TRUE(accepts_zstd(header)) << header;
    for (const std::string_view header : {"", "gzip", "zstd;q=0", "gzip, zstd; q=0.000", "xzstd", "zstdx", "*", ",,;"}) EXPECT_FALSE(accepts_zstd(header)) << header;
}

}  // namespace
}  // namespace skerry::coding
