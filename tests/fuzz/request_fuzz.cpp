// Bytes of a connection to HTTP requests. However they are cut, the same requests come out and the same is refused.
#include "fuzz.hpp"
#include "server/listener/request_reader.hpp"

namespace {

using namespace skerry;
using server::RequestReader;
using State = RequestReader::State;

constexpr std::size_t kHeaderMax = 2048;

std::size_t body_max(std::string_view target) { return target == "/v1/push" ? 5000 : target.starts_with("/v1/") ? 100 : 0; }

struct Seen {
    std::vector<std::string> requests;
    int refused = 0;
    friend bool operator==(const Seen&, const Seen&) = default;
};

std::string one_line(const server::http::Request& request, const server::Manners& manners) {
    std::string line;
    for (const std::string& part : {request.method, request.target, request.authorization, request.content_type, request.accept_encoding, request.body})
        line += std::to_string(part.size()) + ":" + part + "|";
    return line + (manners.keep_alive ? "k" : "-") + (manners.chunks ? "c" : "-") + (manners.head ? "h" : "-");
}

// False: it is refused, or the client would have been told to close.
bool take_all(RequestReader& reader, Seen& seen) {
    while (reader.state() == State::kWhole) {
        const server::Manners manners = reader.manners();
        const server::http::Request request = reader.take();
        SKERRY_ASSERT(request.body.size() <= body_max(request.target) && request.target.starts_with('/'));
        seen.requests.push_back(one_line(request, manners));
        reader.feed({});
    }
    static_cast<void>(reader.take_wants_continue());
    if (reader.state() == State::kBody) SKERRY_ASSERT(reader.body_bytes() <= 5000);
    if (reader.state() == State::kRefused) seen.refused = reader.refusal().status;
    return seen.refused == 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const BytesView input = fuzz::view(data + 1, size - 1);
    Seen whole;
    RequestReader reader(kHeaderMax, body_max);
    reader.feed(input);
    take_all(reader, whole);
    Seen cut;
    RequestReader other(kHeaderMax, body_max);
    fuzz::in_pieces(input, data[0], [&](BytesView piece) {
        other.feed(piece);
        return take_all(other, cut);
    });
    SKERRY_ASSERT(whole == cut);
    return 0;
}
