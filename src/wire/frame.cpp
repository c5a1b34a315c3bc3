#include "wire/frame.hpp"

#include "base/hash.hpp"

namespace skerry::wire {

namespace {

constexpr std::string_view kMagic = "SKRY";
constexpr std::size_t kFrameHead = 5;

// The type is folded in by its own hash, so that the payload is hashed where it lies.
std::uint32_t checksum(FrameType type, BytesView payload) {
    const char t = static_cast<char>(type);
    const std::uint64_t h = hash64(payload) ^ (hash64(BytesView(&t, 1)) * 0x9e3779b97f4a7c15ULL);
    return static_cast<std::uint32_t>(h ^ (h >> 32));
}

}  // namespace

void put_header(Bytes& out, Kind kind) {
    Writer w(out);
    w.raw(kMagic);
    w.u16(kProtocolVersion);
    w.u8(static_cast<std::uint8_t>(kind));
}

void put_frame(Bytes& out, FrameType type, BytesView payload) {
    Writer w(out);
    w.u8(static_cast<std::uint8_t>(type));
    w.u32(static_cast<std::uint32_t>(payload.size()));
    w.raw(payload);
    w.u32(checksum(type, payload));
}

void FrameReader::feed(BytesView chunk) {
    if (error_) return;
    if (at_ == buffer_.size()) {
        buffer_.clear();
        at_ = 0;
    } else if (at_ > (64u << 10) && at_ > buffer_.size() / 2) {
        buffer_.erase(0, at_);
        at_ = 0;
    }
    buffer_.append(chunk);
}

Result<std::optional<Frame>> FrameReader::refuse(Code code, std::string message) {
    error_ = Error{code, std::move(message), {}};
    return fail(*error_);
}

Result<std::optional<Frame>> FrameReader::next() {
    if (error_) return fail(*error_);
    const BytesView ready = BytesView(buffer_).substr(at_);
    if (!header_seen_) {
        const std::size_t n = std::min(ready.size(), kMagic.size());
        if (ready.substr(0, n) != kMagic.substr(0, n))
            return refuse(Code::kForeignAnswer, "the bytes do not begin as Skerry's do");
        if (ready.size() < kHeaderBytes) return std::nullopt;
        Reader in(ready.substr(kMagic.size()));
        const std::uint16_t version = in.u16();
        const std::uint8_t kind = in.u8();
        if (version > kProtocolVersion)
            return refuse(Code::kProtocolTooNew, "the other side speaks protocol " + std::to_string(version) +
                                                     "; this program speaks up to " +
                                                     std::to_string(kProtocolVersion));
        if (version == 0 || kind != static_cast<std::uint8_t>(expected_))
            return refuse(Code::kForeignAnswer, "the bytes are not the kind of message that belongs here");
        header_seen_ = true;
        at_ += kHeaderBytes;
        return next();
    }
    if (ready.size() < kFrameHead) return std::nullopt;
    Reader in(ready);
    const auto type = static_cast<FrameType>(in.u8());
    const std::uint32_t length = in.u32();
    if (length > frame_bytes_max_)
        return refuse(Code::kLimitExceeded, "a frame announces " + std::to_string(length) +
                                                " bytes; the limit is " + std::to_string(frame_bytes_max_));
    if (in.left() < length + sizeof(std::uint32_t)) return std::nullopt;
    const BytesView payload = in.raw(length);
    if (in.u32() != checksum(type, payload))
        return refuse(Code::kDamagedFrame, "a frame fails its checksum");
    at_ += length + kFrameOverhead;
    return Frame{type, payload};
}

Result<std::vector<Frame>> read_body(BytesView body, Kind expected) {
    // The reader copies into its own buffer, and the frames must outlive it: offsets carry over.
    FrameReader reader(expected);
    reader.feed(body);
    std::vector<Frame> frames;
    std::size_t at = kHeaderBytes;
    for (;;) {
        SKERRY_ASSIGN(const auto frame, reader.next());
        if (!frame) break;
        frames.push_back({frame->type, body.substr(at + kFrameHead, frame->payload.size())});
        at += frame->payload.size() + kFrameOverhead;
    }
    if (!reader.header_seen()) return fail(Code::kForeignAnswer, "the message is empty or too short");
    if (!reader.at_boundary() || frames.empty() ||
        (frames.back().type != FrameType::kEnd && frames.back().type != FrameType::kError))
        return fail(Code::kTruncated, "the message was cut before its end");
    return frames;
}

}  // namespace skerry::wire
