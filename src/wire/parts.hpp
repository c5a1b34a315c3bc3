// What several messages are made of, written and read. For this room's .cpp files.
#pragma once

#include <string_view>
#include <vector>

#include "wire/messages.hpp"

namespace skerry::wire {

inline tl::unexpected<Error> damaged(std::string_view what) {
    return fail(Code::kDamagedFrame, std::string(what) + " does not decode");
}

template <class Fill>
void put_with(Bytes& out, FrameType type, Fill fill) {
    Bytes payload;
    Writer w(payload);
    fill(w);
    put_frame(out, type, payload);
}

inline bool get_bool(Reader& in) {
    const std::uint8_t v = in.u8();
    if (v > 1) in.fail();
    return v == 1;
}

inline DeviceId get_device(Reader& in) {
    const BytesView v = in.raw(16);
    return in.ok() ? DeviceId::from(v) : DeviceId{};
}

inline EntityIx get_entity(Reader& in) {
    const std::uint64_t v = in.varint();
    if (v > UINT32_MAX) in.fail();
    return EntityIx{static_cast<std::uint32_t>(v)};
}

inline ScopeId get_scope(Reader& in) {
    const std::uint64_t v = in.varint();
    if (v > UINT32_MAX) in.fail();
    return ScopeId{static_cast<std::uint32_t>(v)};
}

inline void put_range(Writer& w, const KeyRange& range) {
    w.varint(range.entity.value);
    w.bytes(range.after);
    w.u8(range.upto ? 1 : 0);
    if (range.upto) w.bytes(*range.upto);
}

inline KeyRange get_range(Reader& in) {
    KeyRange range;
    range.entity = get_entity(in);
    range.after = in.bytes();
    if (get_bool(in)) range.upto = in.bytes();
    return range;
}

inline void put_chosen(Writer& w, const std::vector<Chosen>& all) {
    w.varint(all.size());
    for (const Chosen& chosen : all) {
        w.bytes(chosen.name);
        w.varint(chosen.values.size());
        for (const std::string& value : chosen.values) w.bytes(value);
    }
}

// Fails beyond kChosenMax values.
inline std::vector<Chosen> get_chosen(Reader& in) {
    std::vector<Chosen> all;
    const std::size_t names = in.count(2);
    if (names > model::kPrincipalValuesMax) in.fail();
    std::size_t values = 0;
    for (std::size_t i = 0; i < names && in.ok(); ++i) {
        Chosen& chosen = all.emplace_back();
        chosen.name = in.bytes();
        const std::size_t n = in.count(1);
        values += n;
        if (values > kChosenMax) in.fail();
        for (std::size_t k = 0; k < n && in.ok(); ++k) chosen.values.emplace_back(in.bytes());
    }
    return all;
}

}  // namespace skerry::wire
