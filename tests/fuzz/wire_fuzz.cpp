// Every decoder of the wire, from bytes as a network gives them: whole, and in two pieces.
#include "base/assert.hpp"
#include "wire/check.hpp"
#include "wire/messages.hpp"

namespace {

using namespace skerry;

const model::Model& fuzz_model() {
    static const model::Model model = [] {
        model::Model m{"fuzz", 1, {}};
        m.entities.push_back({"house", {"id", model::Type::kUuid}, {{"name", model::Type::kText}, {"people", model::Type::kInt}}});
        m.entities.push_back({"tag", {"code", model::Type::kText}, {{"house_id", model::Type::kUuid}}});
        return m;
    }();
    return model;
}

void decode(const wire::Frame& frame) {
    const BytesView p = frame.payload;
    static_cast<void>(wire::get_enroll(p));
    static_cast<void>(wire::get_enrolled(p));
    static_cast<void>(wire::get_push_hello(p));
    static_cast<void>(wire::get_part(p));
    static_cast<void>(wire::get_have(p));
    static_cast<void>(wire::get_pull(p));
    static_cast<void>(wire::get_spooled(p));
    static_cast<void>(wire::get_begin(p));
    static_cast<void>(wire::get_lines(p));
    static_cast<void>(wire::get_leaves(p));
    static_cast<void>(wire::get_checkpoint(p));
    static_cast<void>(wire::get_failure(p));
    static_cast<void>(wire::get_verdict(p));
    static_cast<void>(wire::get_outcomes(p));
    static_cast<void>(wire::get_number(p));
    static_cast<void>(wire::get_check(p));
    static_cast<void>(wire::get_differs(p));
    static_cast<void>(wire::get_rows(p, fuzz_model()));
    static_cast<void>(wire::get_slice(p, fuzz_model()));
    if (const auto txn = wire::get_transaction(p, fuzz_model(), nullptr)) {
        // What decodes has one encoding: a transaction is recognised by its bytes.
        Bytes again;
        Writer out(again);
        wire::put_transaction(out, *txn);
        SKERRY_ASSERT(again == p);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const BytesView input(reinterpret_cast<const char*>(data), size);
    const auto kind = static_cast<wire::Kind>(data[0] % 8 + 1);
    decode({wire::FrameType::kEnd, input.substr(1)});
    wire::FrameReader reader(kind);
    const std::size_t cut = data[1] % size;
    for (const BytesView part : {input.substr(0, cut), input.substr(cut)}) {
        reader.feed(part);
        for (auto frame = reader.next(); frame && *frame; frame = reader.next()) decode(**frame);
    }
    return 0;
}
