// Cursors as devices bring them: what this server did not seal does not open, what it sealed opens as it was.
#include <algorithm>

#include "fuzz.hpp"
#include "server/scopes/token.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace skerry;
    using namespace skerry::server;
    static SeededRandom random(1);
    static const scopes::Sealer sealer(Bytes(32, 's'), random);
    const BytesView input = fuzz::view(data, size);
    const scopes::Holder holder{.device = DeviceId{}, .user = "me"};
    SKERRY_ASSERT(!sealer.open(input, holder));

    fuzz::Choices in(input);
    scopes::Cursor cursor;
    cursor.epoch.value = in.byte();
    if (in.byte() % 2 != 0) cursor.at = storage::Mark{{in.below(1u << 16)}, in.byte()};
    cursor.grants = in.byte();
    for (std::uint32_t n = in.byte() % 5u; n > 0; --n) {
        scopes::Download& download = cursor.downloads.emplace_back();
        download.entity.value = in.byte();
        std::uint32_t scope = 0;
        for (std::uint32_t s = in.byte() % 9u; s > 0; --s) download.scopes.push_back(wire::ScopeId{scope += 1 + in.below(1u << 16)});
        download.after = in.piece();
        download.rows_left = in.byte();
    }
    Bytes token = sealer.seal(cursor, holder);
    SKERRY_ASSERT(token.size() <= wire::kTokenBytesMax);
    const auto opened = sealer.open(token, holder);
    SKERRY_ASSERT(opened && opened->epoch == cursor.epoch && opened->at == cursor.at && opened->downloads.size() == cursor.downloads.size());
    if (size < 1000) SKERRY_ASSERT(*opened == cursor);
    SKERRY_ASSERT(!sealer.open(token, {.device = DeviceId{}, .user = "you"}));
    // One bit anywhere, and it is no token of ours.
    const std::size_t at = in.below(1u << 16) % token.size();
    token[at] = static_cast<char>(token[at] ^ 1 << (in.byte() % 8));
    SKERRY_ASSERT(!sealer.open(token, holder));
    return 0;
}
