#include "coding/zstd.hpp"

#include <zstd.h>

#include <algorithm>

#include "base/assert.hpp"

namespace skerry::coding {

namespace {

// Measured on rows in columns: level 1 makes 0.8 of what level 3 makes of the same rows as text (bench/run), in half the time of level 3.
constexpr int kLevel = 1;

// Not worth the compressor's time: a change that goes to a thousand open answers is such a piece.
constexpr std::size_t kStoredBelow = 512;

// A frame of one raw block (RFC 8878, 3.1.1): magic number, descriptor with "single segment", size, block header, the bytes.
void store(BytesView piece, Bytes& out) {
    Writer w(out);
    w.u32(0xfd2fb528);
    const bool two_bytes = piece.size() >= 256;
    w.u8(two_bytes ? 0x60 : 0x20);
    if (two_bytes) {
        w.u16(static_cast<std::uint16_t>(piece.size() - 256));
    } else {
        w.u8(static_cast<std::uint8_t>(piece.size()));
    }
    const auto header = static_cast<std::uint32_t>(1 | piece.size() << 3);
    for (unsigned shift = 0; shift < 24; shift += 8) w.u8(static_cast<std::uint8_t>(header >> shift));
    w.raw(piece);
}

std::string_view trimmed(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

bool same_word(std::string_view a, std::string_view lower) {
    return a.size() == lower.size() &&
           std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + ('a' - 'A') : x) == y; });
}

// "q=0", "q=0.000": not acceptable.
bool weighs_nothing(std::string_view parameter) {
    if (parameter.size() < 3 || (parameter[0] != 'q' && parameter[0] != 'Q') || parameter[1] != '=') return false;
    return parameter.substr(2).find_first_not_of("0.") == std::string_view::npos;
}

// Up to the separator; `text` is what follows it.
std::string_view next_part(std::string_view& text, char separator) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

}  // namespace

struct Packer::Context {
    ZSTD_CCtx* handle = ZSTD_createCCtx();
    ~Context() { ZSTD_freeCCtx(handle); }
};

Packer::Packer() : context_(std::make_unique<Context>()) {
    SKERRY_ASSERT(context_->handle != nullptr);
    ZSTD_CCtx_setParameter(context_->handle, ZSTD_c_compressionLevel, kLevel);
}
Packer::~Packer() = default;

void Packer::pack(BytesView piece, Bytes& out) {
    if (piece.size() < kStoredBelow) return store(piece, out);
    const std::size_t start = out.size();
    out.resize(start + ZSTD_compressBound(piece.size()));
    const std::size_t bytes = ZSTD_compress2(context_->handle, out.data() + start, out.size() - start, piece.data(), piece.size());
    SKERRY_ASSERT(!ZSTD_isError(bytes));  // the room is enough and the parameters are ours: only memory could be lacking
    out.resize(start + bytes);
}

struct Unpacker::Context {
    ZSTD_DCtx* handle = ZSTD_createDCtx();
    std::uint64_t in = 0;
    std::uint64_t out = 0;
    bool open = false;
    bool held_back = false;  // there may be output that had no room
    bool failed = false;
    ~Context() { ZSTD_freeDCtx(handle); }
};

Unpacker::Unpacker() : context_(std::make_unique<Context>()) {
    SKERRY_ASSERT(context_->handle != nullptr);
    ZSTD_DCtx_setParameter(context_->handle, ZSTD_d_windowLogMax, kWindowLogMax);
}
Unpacker::~Unpacker() = default;

bool Unpacker::at_boundary() const { return !context_->open && !context_->failed; }

bool Unpacker::has_more(BytesView bytes) const { return !context_->failed && (!bytes.empty() || context_->held_back); }

Result<void> Unpacker::feed(BytesView& bytes, Bytes& out, std::size_t most) {
    Context& c = *context_;
    const auto refuse = [&](std::string_view why) {
        c.failed = true;
        return fail(Code::kForeignAnswer, "the answer's zstd coding " + std::string(why));
    };
    if (c.failed) return refuse("was damaged before");
    const std::size_t room = ZSTD_DStreamOutSize();
    for (std::size_t given = 0; has_more(bytes) && given < most;) {
        const std::size_t start = out.size();
        out.resize(start + room);
        ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
        ZSTD_outBuffer into{out.data() + start, room, 0};
        const std::size_t left = ZSTD_decompressStream(c.handle, &into, &in);
        out.resize(start + into.pos);
        if (ZSTD_isError(left)) return refuse(std::string("is damaged: ") + ZSTD_getErrorName(left));
        bytes.remove_prefix(in.pos);
        given += into.pos;
        c.open = left != 0;
        c.held_back = c.open && into.pos == room;
        c.in += in.pos;
        c.out += into.pos;
        if (c.out > kFreeBytes + kRatioMax * c.in) return refuse("grows beyond all measure");
    }
    return {};
}

bool accepts_zstd(std::string_view accept_encoding) {
    while (!accept_encoding.empty()) {
        std::string_view item = next_part(accept_encoding, ',');
        if (!same_word(next_part(item, ';'), kZstd)) continue;
        while (!item.empty())
            if (weighs_nothing(next_part(item, ';'))) return false;
        return true;
    }
    return false;
}

}  // namespace skerry::coding
