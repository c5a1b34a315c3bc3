// Bytes out and bytes in: the only place where integers become bytes and back.
//
// Writer appends to a std::string (its growth is amortised and its small form costs nothing). Reader never
// reads past its view: after the first failure ok() is false and every further read gives zero or empty,
// so a decoder checks once at its end instead of at every field. Lengths are checked against what is left
// before anything is allocated, so that a hostile length costs nothing.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace skerry {

using Bytes = std::string;          // owned octets
using BytesView = std::string_view;  // borrowed octets

class Writer {
  public:
    explicit Writer(Bytes& out) : out_(out) {}

    void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
    void u16(std::uint16_t v) { fixed(v); }
    void u32(std::uint32_t v) { fixed(v); }
    void u64(std::uint64_t v) { fixed(v); }
    void varint(std::uint64_t v) {
        while (v >= 0x80) {
            u8(static_cast<std::uint8_t>(v | 0x80));
            v >>= 7;
        }
        u8(static_cast<std::uint8_t>(v));
    }
    void zigzag(std::int64_t v) {
        varint((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
    }
    void raw(BytesView v) { out_.append(v); }
    void bytes(BytesView v) {
        varint(v.size());
        raw(v);
    }
    std::size_t size() const { return out_.size(); }
    Bytes& out() { return out_; }

  private:
    template <class T>
    void fixed(T v) {  // little endian, whatever the machine
        char b[sizeof(T)];
        for (std::size_t i = 0; i < sizeof(T); ++i) b[i] = static_cast<char>(v >> (8 * i));
        out_.append(b, sizeof(T));
    }
    Bytes& out_;
};

class Reader {
  public:
    explicit Reader(BytesView in) : in_(in) {}

    std::uint8_t u8() { return fixed<std::uint8_t>(); }
    std::uint16_t u16() { return fixed<std::uint16_t>(); }
    std::uint32_t u32() { return fixed<std::uint32_t>(); }
    std::uint64_t u64() { return fixed<std::uint64_t>(); }
    // At most ten bytes, in the shortest form only: two encodings of one number would be two
    // transactions to a hash.
    std::uint64_t varint() {
        std::uint64_t v = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::uint8_t b = u8();
            if (!ok_) return 0;
            if (shift == 63 && b > 1) return bad();
            v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
            if (b < 0x80) return (b == 0 && shift != 0) ? bad() : v;
        }
        return bad();
    }
    std::int64_t zigzag() {
        const std::uint64_t v = varint();
        return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
    }
    BytesView raw(std::size_t n) {
        if (!ok_ || n > in_.size()) {
            ok_ = false;
            return {};
        }
        BytesView v = in_.substr(0, n);
        in_.remove_prefix(n);
        return v;
    }
    BytesView bytes() {
        const std::uint64_t n = varint();
        if (n > in_.size()) {
            ok_ = false;
            return {};
        }
        return raw(static_cast<std::size_t>(n));
    }
    // A count of things that take at least `least` bytes each.
    std::size_t count(std::size_t least = 1) {
        const std::uint64_t n = varint();
        if (n > in_.size() / (least == 0 ? 1 : least)) {
            ok_ = false;
            return 0;
        }
        return static_cast<std::size_t>(n);
    }
    void fail() { ok_ = false; }
    bool ok() const { return ok_; }
    bool at_end() const { return ok_ && in_.empty(); }
    std::size_t left() const { return in_.size(); }
    BytesView rest() const { return in_; }

  private:
    std::uint64_t bad() {
        ok_ = false;
        return 0;
    }
    template <class T>
    T fixed() {
        if (!ok_ || in_.size() < sizeof(T)) {
            ok_ = false;
            return 0;
        }
        std::uint64_t v = 0;
        for (std::size_t i = 0; i < sizeof(T); ++i)
            v |= static_cast<std::uint64_t>(static_cast<unsigned char>(in_[i])) << (8 * i);
        in_.remove_prefix(sizeof(T));
        return static_cast<T>(v);
    }
    BytesView in_;
    bool ok_ = true;
};

inline BytesView view_of(std::span<const std::uint8_t> v) {
    return {reinterpret_cast<const char*>(v.data()), v.size()};
}

}  // namespace skerry
