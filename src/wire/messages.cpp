#include "wire/messages.hpp"

#include "base/error_table.hpp"
#include "wire/columns.hpp"
#include "wire/parts.hpp"

namespace skerry::wire {

namespace {

void put_keys(Writer& w, EntityIx entity, ScopeId scope, const std::vector<std::string>& keys) {
    w.varint(entity.value);
    w.varint(scope.value);
    w.varint(keys.size());
    for (const std::string& key : keys) w.bytes(key);
}

template <class Message>
Result<Message> get_keys(BytesView payload) {
    Reader in(payload);
    Message m;
    m.entity = get_entity(in);
    m.scope = get_scope(in);
    const std::size_t n = in.count(1);
    for (std::size_t i = 0; i < n && in.ok(); ++i) m.keys.emplace_back(in.bytes());
    if constexpr (std::is_same_v<Message, Leaves>) {
        const std::uint8_t why = in.u8();
        if (why != static_cast<std::uint8_t>(Left::kDeleted) && why != static_cast<std::uint8_t>(Left::kMoved)) in.fail();
        m.why = static_cast<Left>(why);
    }
    if (!in.at_end()) return damaged("a list of keys");
    return m;
}

void put_spooled(Writer& w, const Spooled& spooled) {
    w.raw(spooled.id);
    w.varint(spooled.offset);
}

Spooled get_spooled_at(Reader& in) {
    Spooled spooled;
    spooled.id = in.raw(kSpoolIdBytes);
    spooled.offset = in.varint();
    return spooled;
}

}  // namespace

void put(Bytes& out, const Enroll& m) {
    put_with(out, FrameType::kEnroll, [&](Writer& w) {
        w.raw(m.device.view());
        w.bytes(m.name);
        w.u64(m.model_hash);
    });
}

Result<Enroll> get_enroll(BytesView payload) {
    Reader in(payload);
    Enroll m;
    m.device = get_device(in);
    m.name = in.bytes();
    m.model_hash = in.u64();
    if (!in.at_end() || m.device.empty() || m.name.size() > kDeviceNameMax) return damaged("an enrolment");
    return m;
}

void put(Bytes& out, const Enrolled& m) {
    put_with(out, FrameType::kEnrolled, [&](Writer& w) {
        w.bytes(m.model);
        w.bytes(m.user);
    });
}

Result<Enrolled> get_enrolled(BytesView payload) {
    Reader in(payload);
    Enrolled m;
    m.model = in.bytes();
    m.user = in.bytes();
    if (!in.at_end()) return damaged("the answer to an enrolment");
    return m;
}

void put(Bytes& out, const PushHello& m) {
    put_with(out, FrameType::kPushHello, [&](Writer& w) {
        w.raw(m.device.view());
        w.u64(m.model_hash);
        w.varint(m.keep_from.value);
    });
}

Result<PushHello> get_push_hello(BytesView payload) {
    Reader in(payload);
    PushHello m;
    m.device = get_device(in);
    m.model_hash = in.u64();
    m.keep_from.value = in.varint();
    if (!in.at_end() || m.device.empty()) return damaged("the head of a push");
    return m;
}

void put(Bytes& out, const Transaction& m) {
    put_with(out, FrameType::kTransaction, [&](Writer& w) { put_transaction(w, m); });
}

void put(Bytes& out, const Part& m) {
    put_with(out, FrameType::kPart, [&](Writer& w) {
        w.varint(m.no.value);
        w.u64(m.id8);
        w.u64(m.content);
        w.varint(m.total);
        w.varint(m.offset);
        w.bytes(m.bytes);
    });
}

Result<Part> get_part(BytesView payload) {
    Reader in(payload);
    Part m;
    m.no.value = in.varint();
    m.id8 = in.u64();
    m.content = in.u64();
    m.total = in.varint();
    m.offset = in.varint();
    m.bytes = in.bytes();
    if (!in.at_end() || !m.no || m.total == 0 || m.total > kFrameBytesMax || m.offset > m.total || m.bytes.size() > kPartBytesMax ||
        m.bytes.size() > m.total - m.offset)
        return damaged("a part of a transaction");
    return m;
}

void put(Bytes& out, const Have& m) {
    put_with(out, FrameType::kHave, [&](Writer& w) {
        w.varint(m.no.value);
        w.u64(m.content);
        w.varint(m.bytes);
    });
}

Result<Have> get_have(BytesView payload) {
    Reader in(payload);
    Have m;
    m.no.value = in.varint();
    m.content = in.u64();
    m.bytes = in.varint();
    if (!in.at_end()) return damaged("what the server has of a transaction");
    return m;
}

void put(Bytes& out, const Spooled& m) {
    put_with(out, FrameType::kSpool, [&](Writer& w) { put_spooled(w, m); });
}

Result<Spooled> get_spooled(BytesView payload) {
    Reader in(payload);
    Spooled m = get_spooled_at(in);
    if (!in.at_end()) return damaged("a spool's name");
    return m;
}

void put(Bytes& out, const Pull& m) {
    put_with(out, FrameType::kPull, [&](Writer& w) {
        w.raw(m.device.view());
        w.u64(m.model_hash);
        w.varint(m.keep_from.value);
        w.u8(static_cast<std::uint8_t>((m.live ? 1 : 0) | (m.verify ? 2 : 0) | (m.only_first ? 4 : 0)));
        w.varint(m.slice_rows);
        w.varint(m.slice_rows_max);
        w.bytes(m.token);
        w.varint(m.first.size());
        for (const EntityIx entity : m.first) w.varint(entity.value);
        put_chosen(w, m.chosen);
        w.varint(m.repair.size());
        for (const KeyRange& range : m.repair) put_range(w, range);
        w.u8(m.resume ? 1 : 0);
        if (m.resume) put_spooled(w, *m.resume);
    });
}

Result<Pull> get_pull(BytesView payload) {
    Reader in(payload);
    Pull m;
    m.device = get_device(in);
    m.model_hash = in.u64();
    m.keep_from.value = in.varint();
    const std::uint8_t flags = in.u8();
    m.live = (flags & 1) != 0;
    m.verify = (flags & 2) != 0;
    const std::uint64_t slice_rows = in.varint();
    m.slice_rows = static_cast<std::uint32_t>(std::min<std::uint64_t>(slice_rows, kSliceRowsMax));
    const std::uint64_t slice_rows_max = in.varint();
    m.slice_rows_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(slice_rows_max, kSliceRowsMax));
    m.only_first = (flags & 4) != 0;
    const BytesView token = in.bytes();
    const std::size_t first = in.count(1);
    for (std::size_t i = 0; i < first && in.ok(); ++i) m.first.push_back(get_entity(in));
    m.chosen = get_chosen(in);
    const std::size_t ranges = in.count(3);
    for (std::size_t i = 0; i < ranges && in.ok(); ++i) m.repair.push_back(get_range(in));
    if (get_bool(in)) m.resume = get_spooled_at(in);
    if (!in.at_end() || flags > 7 || m.device.empty() || token.size() > kTokenBytesMax || first > model::kEntitiesMax ||
        ranges > kRepairRangesMax)
        return damaged("a pull");
    m.token = token;
    return m;
}

void put(Bytes& out, const Begin& m) {
    put_with(out, FrameType::kBegin, [&](Writer& w) {
        w.u64(m.from);
        w.u8(static_cast<std::uint8_t>((m.verify ? 1 : 0) | (m.caught_up ? 2 : 0)));
        w.varint(m.seen.value);
        w.varint(m.rows_left);
        w.bytes(m.profile);
        w.varint(m.scopes.size());
        for (const ScopeInfo& scope : m.scopes) {
            w.varint(scope.id.value);
            w.bytes(scope.name);
            w.varint(scope.entity.value);
            w.u8(scope.whole ? 1 : 0);
        }
    });
}

Result<Begin> get_begin(BytesView payload) {
    Reader in(payload);
    Begin m;
    m.from = in.u64();
    const std::uint8_t flags = in.u8();
    m.verify = (flags & 1) != 0;
    m.caught_up = (flags & 2) != 0;
    m.seen.value = in.varint();
    m.rows_left = in.varint();
    m.profile = in.bytes();
    const std::size_t n = in.count(4);
    for (std::size_t i = 0; i < n && in.ok(); ++i) {
        ScopeInfo& scope = m.scopes.emplace_back();
        scope.id = get_scope(in);
        scope.name = in.bytes();
        scope.entity = get_entity(in);
        scope.whole = get_bool(in);
    }
    if (!in.at_end() || flags > 3) return damaged("the begin of a checkpoint");
    return m;
}

void put(Bytes& out, const Lines& m) {
    put_with(out, FrameType::kLines, [&](Writer& w) { put_keys(w, m.entity, m.scope, m.keys); });
}
Result<Lines> get_lines(BytesView payload) { return get_keys<Lines>(payload); }

void put(Bytes& out, const Leaves& m) {
    put_with(out, FrameType::kLeaves, [&](Writer& w) {
        put_keys(w, m.entity, m.scope, m.keys);
        w.u8(static_cast<std::uint8_t>(m.why));
    });
}
Result<Leaves> get_leaves(BytesView payload) { return get_keys<Leaves>(payload); }

void put(Bytes& out, const Rows& m) {
    put_with(out, FrameType::kRows, [&](Writer& w) {
        w.varint(m.entity.value);
        put_rows(w, m.rows);
    });
}

Result<Rows> get_rows(BytesView payload, const model::Model& model) {
    Reader in(payload);
    Rows m;
    m.entity = get_entity(in);
    if (!in.ok() || !model.has(m.entity)) return damaged("a frame of rows");
    SKERRY_ASSIGN(m.rows, get_row_entries(in, model.entity(m.entity)));
    if (!in.at_end()) return damaged("a frame of rows");
    return m;
}

void put(Bytes& out, const Slice& m) {
    put_with(out, FrameType::kSlice, [&](Writer& w) {
        w.varint(m.entity.value);
        w.varint(m.scopes.size());
        for (const ScopeId scope : m.scopes) w.varint(scope.value);
        w.bytes(m.after);
        w.u8(m.upto ? 1 : 0);
        if (m.upto) w.bytes(*m.upto);
        put_rows(w, m.rows);
    });
}

Result<Slice> get_slice(BytesView payload, const model::Model& model) {
    Reader in(payload);
    Slice m;
    m.entity = get_entity(in);
    if (!in.ok() || !model.has(m.entity)) return damaged("a slice");
    const std::size_t scopes = in.count(1);
    for (std::size_t i = 0; i < scopes; ++i) m.scopes.push_back(get_scope(in));
    m.after = in.bytes();
    if (get_bool(in)) m.upto = std::string(in.bytes());
    if (!in.ok()) return damaged("a slice");
    SKERRY_ASSIGN(m.rows, get_row_entries(in, model.entity(m.entity)));
    if (!in.at_end()) return damaged("a slice");
    std::string_view last = m.after;
    for (const RowEntry& entry : m.rows) {
        if (entry.key <= last || (m.upto && entry.key > *m.upto)) return damaged("a slice");
        last = entry.key;
    }
    return m;
}

void put(Bytes& out, const Checkpoint& m) {
    put_with(out, FrameType::kCheckpoint, [&](Writer& w) {
        w.bytes(m.token);
        w.u8(m.more ? 1 : 0);
    });
}

Result<Checkpoint> get_checkpoint(BytesView payload) {
    Reader in(payload);
    Checkpoint m;
    m.token = in.bytes();
    m.more = get_bool(in);
    if (!in.at_end() || m.token.empty() || m.token.size() > kTokenBytesMax) return damaged("a checkpoint");
    return m;
}

void put(Bytes& out, const Failure& m) {
    put_with(out, FrameType::kError, [&](Writer& w) {
        w.u16(static_cast<std::uint16_t>(m.code));
        w.bytes(m.message);
        w.varint(m.retry_after_ms);
    });
}

Result<Failure> get_failure(BytesView payload) {
    Reader in(payload);
    Failure m;
    m.code = code_from_number(in.u16());
    m.message = in.bytes();
    m.retry_after_ms = static_cast<std::uint32_t>(std::min<std::uint64_t>(in.varint(), 3'600'000));
    if (!in.at_end()) return damaged("an error");
    return m;
}

void put_verdict(Bytes& out, const Outcome& m) {
    put_with(out, FrameType::kVerdict, [&](Writer& w) { put_outcome(w, m); });
}

Result<Outcome> get_verdict(BytesView payload) {
    Reader in(payload);
    Outcome m = get_outcome(in);
    if (!in.at_end()) return damaged("a verdict");
    return m;
}

void put_outcomes(Bytes& out, const std::vector<Outcome>& m) {
    put_with(out, FrameType::kOutcomes, [&](Writer& w) {
        w.varint(m.size());
        for (const Outcome& outcome : m) put_outcome(w, outcome);
    });
}

Result<std::vector<Outcome>> get_outcomes(BytesView payload) {
    Reader in(payload);
    const std::size_t n = in.count(2);
    std::vector<Outcome> m;
    for (std::size_t i = 0; i < n && in.ok(); ++i) m.push_back(get_outcome(in));
    if (!in.at_end()) return damaged("a list of outcomes");
    return m;
}

void put_number(Bytes& out, FrameType type, std::uint64_t number) {
    put_with(out, type, [&](Writer& w) { w.varint(number); });
}

Result<std::uint64_t> get_number(BytesView payload) {
    Reader in(payload);
    const std::uint64_t number = in.varint();
    if (!in.at_end()) return damaged("a number");
    return number;
}

void put_empty(Bytes& out, FrameType type) { put_frame(out, type, {}); }

Error to_error(const Failure& failure) { return Error{failure.code, failure.message, {}}; }

}  // namespace skerry::wire
