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

template <class Get>
void check_same(const wire::Transaction& txn, Get get) {
    Bytes bytes;
    Writer out(bytes);
    wire::put_transaction(out, txn);
    const auto again = get(bytes);
    SKERRY_ASSERT(again && *again == txn);
}

Bytes payload_of(const Bytes& frame) { return frame.substr(5, frame.size() - wire::kFrameOverhead); }

// What a message says is the same after it was encoded and decoded: its second encoding is its first.
template <class Get, class Put>
void round_trip(BytesView payload, Get get, Put put) {
    const auto message = get(payload);
    if (!message) return;
    Bytes once;
    put(once, *message);
    const auto again = get(payload_of(once));
    SKERRY_ASSERT(again);
    Bytes twice;
    put(twice, *again);
    SKERRY_ASSERT(twice == once);
}

template <class Message>
void round_trip(BytesView payload, Result<Message> (*get)(BytesView)) {
    round_trip(payload, get, [](Bytes& out, const Message& message) { wire::put(out, message); });
}

void decode(const wire::Frame& frame) {
    const BytesView p = frame.payload;
    round_trip(p, wire::get_enroll);
    round_trip(p, wire::get_enrolled);
    round_trip(p, wire::get_push_hello);
    round_trip(p, wire::get_part);
    round_trip(p, wire::get_have);
    round_trip(p, wire::get_pull);
    round_trip(p, wire::get_spooled);
    round_trip(p, wire::get_begin);
    round_trip(p, wire::get_lines);
    round_trip(p, wire::get_leaves);
    round_trip(p, wire::get_checkpoint);
    round_trip(p, wire::get_failure);
    round_trip(p, wire::get_check);
    round_trip(p, wire::get_differs);
    round_trip(p, wire::get_verdict, wire::put_verdict);
    round_trip(p, wire::get_outcomes, wire::put_outcomes);
    round_trip(p, wire::get_number, [](Bytes& out, std::uint64_t number) { wire::put_number(out, wire::FrameType::kExpect, number); });
    const auto in_model = [](auto get) { return [get](BytesView payload) { return get(payload, fuzz_model()); }; };
    round_trip(p, in_model(wire::get_rows), [](Bytes& out, const wire::Rows& m) { wire::put(out, m); });
    round_trip(p, in_model(wire::get_slice), [](Bytes& out, const wire::Slice& m) { wire::put(out, m); });
    if (const auto kept = wire::get_kept_transaction(p, fuzz_model())) check_same(*kept, [](BytesView bytes) { return wire::get_kept_transaction(bytes, fuzz_model()); });
    wire::TxnHeader header;
    if (const auto txn = wire::get_transaction(p, fuzz_model(), &header)) {
        SKERRY_ASSERT(header.no == txn->no && header.id == txn->id);
        check_same(*txn, [](BytesView bytes) { return wire::get_transaction(bytes, fuzz_model(), nullptr); });
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
