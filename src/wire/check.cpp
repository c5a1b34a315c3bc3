#include "wire/check.hpp"

#include "wire/parts.hpp"

namespace skerry::wire {

namespace {

void put_digest(Writer& w, const RangeDigest& digest) {
    w.varint(digest.count);
    w.u64(digest.low);
    w.u64(digest.high);
}

RangeDigest get_digest(Reader& in) {
    RangeDigest digest;
    digest.count = in.varint();
    digest.low = in.u64();
    digest.high = in.u64();
    return digest;
}

// Begins where or after `before` ends.
bool follows(const KeyRange& before, const KeyRange& range) {
    if (before.entity != range.entity) return before.entity < range.entity;
    return before.upto && *before.upto <= range.after;
}

}  // namespace

void RangeDigest::add(const RangeDigest& other) {
    count += other.count;
    low += other.low;
    high += other.high + (low < other.low ? 1 : 0);
}

void RangeDigest::add(const Hash128& row) {
    Reader in(view_of(row));
    RangeDigest one;
    one.count = 1;
    one.low = in.u64();
    one.high = in.u64();
    add(one);
}

Hash128 held_hash(const model::Entity& entity, std::string_view key, const model::Row& row, const std::vector<ScopeId>& lines) {
    Bytes bytes;
    Writer w(bytes);
    w.bytes(key);
    w.raw(view_of(model::row_hash(entity, row)));
    for (const ScopeId scope : lines) w.varint(scope.value);
    return hash128(bytes);
}

void RangeSummary::add(std::string key, const Hash128& hash) {
    total_.add(hash);
    if (total_.count <= kCheckRowsMax) {
        rows_.push_back({key, hash});
    } else {
        rows_.clear();
    }
    if (parts_.empty() || parts_.back().digest.count == rows_per_part_) {
        if (parts_.size() == kCheckPartsMax) {
            for (std::size_t i = 0; i < kCheckPartsMax / 2; ++i) {
                DigestPart both = std::move(parts_[2 * i + 1]);
                both.digest.add(parts_[2 * i].digest);
                parts_[i] = std::move(both);
            }
            parts_.resize(kCheckPartsMax / 2);
            rows_per_part_ *= 2;
        }
        parts_.emplace_back();
    }
    parts_.back().upto = std::move(key);
    parts_.back().digest.add(hash);
}

Differs RangeSummary::differs(std::uint32_t index) {
    Differs answer;
    answer.index = index;
    if (total_.count <= kCheckRowsMax) {
        answer.rows = std::move(rows_);
    } else {
        answer.parts = std::move(parts_);
        answer.parts.back().upto.reset();
    }
    return answer;
}

void put(Bytes& out, const Check& m) {
    put_with(out, FrameType::kCheck, [&](Writer& w) {
        w.raw(m.device.view());
        w.u64(m.model_hash);
        w.bytes(m.token);
        put_chosen(w, m.chosen);
        w.varint(m.ranges.size());
        for (const CheckRange& one : m.ranges) {
            put_range(w, one.range);
            put_digest(w, one.digest);
        }
    });
}

Result<Check> get_check(BytesView payload) {
    Reader in(payload);
    Check m;
    m.device = get_device(in);
    m.model_hash = in.u64();
    m.token = in.bytes();
    m.chosen = get_chosen(in);
    const std::size_t n = in.count(20);
    if (n > kCheckRangesMax) return fail(Code::kLimitExceeded, "a check names more than " + std::to_string(kCheckRangesMax) + " ranges");
    for (std::size_t i = 0; i < n && in.ok(); ++i) {
        CheckRange one{get_range(in), get_digest(in)};
        if (one.range.upto && *one.range.upto <= one.range.after) in.fail();
        if (!m.ranges.empty() && !follows(m.ranges.back().range, one.range)) in.fail();
        m.ranges.push_back(std::move(one));
    }
    if (!in.at_end() || m.device.empty() || m.token.size() > kTokenBytesMax) return damaged("a check");
    return m;
}

void put(Bytes& out, const Differs& m) {
    put_with(out, FrameType::kDiffers, [&](Writer& w) {
        w.varint(m.index);
        w.varint(m.rows.size());
        for (const HeldRow& row : m.rows) {
            w.bytes(row.key);
            w.raw(view_of(row.hash));
        }
        w.varint(m.parts.size());
        for (const DigestPart& part : m.parts) {
            w.u8(part.upto ? 1 : 0);
            if (part.upto) w.bytes(*part.upto);
            put_digest(w, part.digest);
        }
    });
}

Result<Differs> get_differs(BytesView payload) {
    Reader in(payload);
    Differs m;
    const std::uint64_t index = in.varint();
    if (index >= kCheckRangesMax) in.fail();
    m.index = static_cast<std::uint32_t>(index);
    const std::size_t rows = in.count(17);
    if (rows > kCheckRowsMax) in.fail();
    for (std::size_t i = 0; i < rows && in.ok(); ++i) {
        HeldRow row;
        row.key = in.bytes();
        const BytesView hash = in.raw(row.hash.size());
        if (in.ok()) std::memcpy(row.hash.data(), hash.data(), hash.size());
        if (!m.rows.empty() && row.key <= m.rows.back().key) in.fail();
        m.rows.push_back(std::move(row));
    }
    const std::size_t parts = in.count(18);
    if (parts > kCheckPartsMax) in.fail();
    for (std::size_t i = 0; i < parts && in.ok(); ++i) {
        DigestPart part;
        if (get_bool(in)) part.upto = in.bytes();
        part.digest = get_digest(in);
        if (part.upto.has_value() == (i + 1 == parts) || parts == 1) in.fail();
        if (i > 0 && part.upto && *part.upto <= *m.parts.back().upto) in.fail();
        m.parts.push_back(std::move(part));
    }
    if (!in.at_end() || (!m.rows.empty() && !m.parts.empty())) return damaged("a difference");
    return m;
}

}  // namespace skerry::wire
