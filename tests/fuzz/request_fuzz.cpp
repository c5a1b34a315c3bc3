// Bytes of a connection to HTTP requests. However they are cut, the same requests come out and the same is refused.
#include "fuzz.hpp"
#include "server/listener/request_reader.hpp"

namespace {

using namespace skerry;
using server::RequestReader;
using State = RequestReader::State;

constexpr server::HeadLimits kHead{.bytes = 2048, .request_line_bytes = 300, .line_bytes = 1000, .lines = 12};

std::size_t body_max(std::string_view target) { return target == "/v1/push" ? 5000 : target.starts_with("/v1/") ? 100 : 0; }
// Wanted whatever it is: whether a body is looked at that came with its head depends on how the bytes were cut.
server::Admission admit(const server::http::Request& head, std::optional<std::size_t>) { return {body_max(head.target), true}; }

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
    RequestReader reader(kHead, admit);
    reader.feed(input);
    take_all(reader, whole);
    Seen cut;
    RequestReader other(kHead, admit);
    fuzz::in_pieces(input, data[0], [&](BytesView piece) {
        other.feed(piece);
        return take_all(other, cut);
    });
    SKERRY_ASSERT(whole == cut);
    return 0;
}
