// Requests in lines of JSON, and answers in frames on their way to lines: whatever comes in, what comes out is whole.
#include "base/assert.hpp"
#include "model/json.hpp"
#include "wire/json/answers.hpp"
#include "wire/json/requests.hpp"

namespace {

using namespace skerry;

const model::Model& fuzz_model() {
    static const model::Model model = [] {
        model::Model m{"fuzz", 1, {}};
        m.entities.push_back({"house", {"id", model::Type::kText}, {{"name", model::Type::kText}, {"people", model::Type::kInt}, {"photo", model::Type::kBlob}}});
        m.entities.push_back({"tag", {"code", model::Type::kText}, {{"house_id", model::Type::kText}, {"words", model::Type::kSet}}});
        return m;
    }();
    return model;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const BytesView input(reinterpret_cast<const char*>(data) + 2, size - 2);
    const auto kind = static_cast<wire::Kind>(data[0] % 8 + 1);
    if (const auto request = wire::json::read_request(input, kind, {fuzz_model(), fuzz_model().hash(), 1u << 20}))
        SKERRY_ASSERT(wire::read_body(request->body, kind));
    // A frame with a good checksum and any content. Whether it decodes is no matter: the lines are whole either way.
    Bytes body;
    wire::put_header(body, kind);
    wire::put_frame(body, static_cast<wire::FrameType>(data[1]), input);
    Bytes out;
    static_cast<void>(wire::json::AnswerLines(kind, fuzz_model(), {}).feed(body, out));
    SKERRY_ASSERT(out.empty() || out.back() == '\n');
    for (std::size_t at = 0; at < out.size();) {
        const std::size_t end = out.find('\n', at);
        SKERRY_ASSERT(model::json_members(BytesView(out).substr(at, end - at)));
        at = end + 1;
    }
    return 0;
}
