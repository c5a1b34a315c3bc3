// The content coding, from bytes as a network gives them: whole, and in pieces. The first byte says how they are cut.
#include <zstd.h>

#include "coding/zstd.hpp"
#include "fuzz.hpp"

namespace {

using namespace skerry;

struct Unpacked {
    Bytes out;
    bool good = true;
    bool ended = false;
};

// All that `bytes` give, a megabyte at a time.
bool unpack(coding::Unpacker& unpacker, BytesView bytes, Bytes& out) {
    do {
        if (!unpacker.feed(bytes, out, 1u << 20)) return false;
    } while (unpacker.has_more(bytes));
    return true;
}

// Nothing may ever come out beyond what the header of the room promises.
void check_measure(const Bytes& out, std::size_t in) {
    SKERRY_ASSERT(out.size() <= coding::kFreeBytes + coding::kRatioMax * in + ZSTD_DStreamOutSize());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const BytesView input = fuzz::view(data + 1, size - 1);
    static_cast<void>(coding::accepts_zstd(input));
    Unpacked whole;
    {
        coding::Unpacker unpacker;
        whole.good = unpack(unpacker, input, whole.out);
        whole.ended = unpacker.at_boundary();
        check_measure(whole.out, input.size());
        if (!whole.good) SKERRY_ASSERT(!unpack(unpacker, "x", whole.out) && !unpacker.at_boundary());
    }
    Unpacked cut;
    {
        coding::Unpacker unpacker;
        std::size_t fed = 0;
        fuzz::in_pieces(input, data[0], [&](BytesView piece) {
            fed += piece.size();
            cut.good = unpack(unpacker, piece, cut.out);
            check_measure(cut.out, fed);
            return cut.good;
        });
        cut.ended = unpacker.at_boundary();
    }
    // A part that came early is measured by itself, so only what is small has to be taken both ways.
    if (cut.good) SKERRY_ASSERT(whole.good);
    if (whole.good && whole.out.size() <= coding::kFreeBytes) SKERRY_ASSERT(cut.good);
    if (whole.good && cut.good) SKERRY_ASSERT(whole.out == cut.out && whole.ended == cut.ended);

    static coding::Packer packer;
    Bytes packed;
    packer.pack(input, packed);
    Bytes back;
    coding::Unpacker unpacker;
    SKERRY_ASSERT(unpack(unpacker, packed, back) && unpacker.at_boundary() && back == input);
    return 0;
}
