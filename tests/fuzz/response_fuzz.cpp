// Bytes of a connection to one HTTP response, as a device reads what answers at an address. The first byte says how they are
// cut, the second whether the connection ends then.
#include "fuzz.hpp"
#include "host/native/response_reader.hpp"

namespace {

using namespace skerry;
using host::ResponseReader;
using State = ResponseReader::State;

constexpr std::size_t kHeadMax = 2048;

struct Seen {
    State state = State::kHead;
    Bytes body;
    bool reusable = false;
    std::uint64_t transferred = 0;
    int status = 0;
    std::string type;
};

Seen look(ResponseReader& reader, Bytes body, bool ends) {
    if (ends) reader.end();
    Seen seen{reader.state(), std::move(body), false, 0, 0, {}};
    if (seen.state == State::kRefused) {
        SKERRY_ASSERT(!reader.error().message.empty());
        return seen;
    }
    if (ends) SKERRY_ASSERT(seen.state == State::kWhole);
    seen.transferred = reader.transferred();
    if (seen.state == State::kHead) return seen;
    seen.reusable = reader.reusable();
    seen.status = reader.info().status;
    seen.type = reader.info().content_type;
    SKERRY_ASSERT(reader.info().retry_after >= Millis{0} && reader.info().retry_after <= std::chrono::hours(24));
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const BytesView input = fuzz::view(data + 2, size - 2);
    const bool ends = data[1] % 2 != 0;
    ResponseReader reader(kHeadMax);
    Bytes body;
    reader.feed(input, body);
    const Seen whole = look(reader, std::move(body), ends);
    ResponseReader other(kHeadMax);
    Bytes pieces;
    fuzz::in_pieces(input, data[0], [&](BytesView piece) { return other.feed(piece, pieces) != State::kRefused; });
    const Seen cut = look(other, std::move(pieces), ends);
    if (whole.body.size() > coding::kFreeBytes) return 0;  // what comes early is measured by itself
    SKERRY_ASSERT(whole.state == cut.state);
    if (whole.state == State::kRefused) return 0;
    SKERRY_ASSERT(whole.body == cut.body && whole.reusable == cut.reusable && whole.transferred == cut.transferred);
    SKERRY_ASSERT(whole.status == cut.status && whole.type == cut.type);
    return 0;
}
