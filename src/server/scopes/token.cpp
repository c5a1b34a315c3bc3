#include "server/scopes/token.hpp"

#include <sodium.h>

#include <utility>

#include "base/assert.hpp"

namespace skerry::server::scopes {

namespace {

constexpr std::uint8_t kTokenVersion = 2;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == 32);
constexpr std::size_t kContentBytesMax = wire::kTokenBytesMax - 1 - kNonceBytes - kTagBytes;

const unsigned char* octets(BytesView v) { return reinterpret_cast<const unsigned char*>(v.data()); }
unsigned char* octets(Bytes& v) { return reinterpret_cast<unsigned char*>(v.data()); }

// The user's name comes last and needs no length.
Bytes bound_to(const Holder& holder) {
    Bytes bytes;
    Writer out(bytes);
    out.u8(kTokenVersion);
    out.raw(holder.device.view());
    out.raw(holder.user);
    return bytes;
}

Bytes encode(const Cursor& cursor) {
    Bytes bytes;
    Writer out(bytes);
    out.u64(cursor.epoch.value);
    out.u8(cursor.at ? 1 : 0);
    if (cursor.at) {
        out.varint(cursor.at->seq.value);
        out.u64(cursor.at->mark);
    }
    out.u64(cursor.grants);
    out.varint(cursor.downloads.size());
    for (const Download& download : cursor.downloads) {
        out.varint(download.entity.value);
        out.varint(download.scopes.size());
        // Ascending: the steps are small numbers.
        std::uint32_t before = 0;
        for (const wire::ScopeId scope : download.scopes) out.varint(scope.value - std::exchange(before, scope.value));
        out.bytes(download.after);
        out.varint(download.rows_left);
    }
    return bytes;
}

std::optional<Cursor> decode(BytesView bytes) {
    Reader in(bytes);
    Cursor cursor;
    cursor.epoch.value = in.u64();
    if (in.u8() == 1) {
        cursor.at.emplace();
        cursor.at->seq.value = in.varint();
        cursor.at->mark = in.u64();
    }
    cursor.grants = in.u64();
    const std::size_t n = in.count(4);
    for (std::size_t i = 0; i < n && in.ok(); ++i) {
        Download& download = cursor.downloads.emplace_back();
        download.entity.value = static_cast<std::uint32_t>(in.varint());
        const std::size_t scopes = in.count(1);
        std::uint32_t before = 0;
        for (std::size_t s = 0; s < scopes && in.ok(); ++s) {
            before += static_cast<std::uint32_t>(in.varint());
            download.scopes.push_back(wire::ScopeId{before});
        }
        download.after = in.bytes();
        download.rows_left = in.varint();
    }
    if (!in.at_end()) return std::nullopt;
    return cursor;
}

}  // namespace

Sealer::Sealer(BytesView secret, Random& random) : secret_(secret), random_(random) {
    SKERRY_ASSERT(secret_.size() == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
    SKERRY_ASSERT(sodium_init() >= 0);
}

Bytes Sealer::seal(Cursor cursor, const Holder& holder) const {
    Bytes content = encode(cursor);
    for (std::size_t i = cursor.downloads.size(); i > 0 && content.size() > kContentBytesMax; --i) {
        cursor.downloads[i - 1].after.clear();
        content = encode(cursor);
    }
    const Bytes bound = bound_to(holder);
    Bytes nonce(kNonceBytes, '\0');
    random_.fill({octets(nonce), nonce.size()});
    Bytes sealed(content.size() + kTagBytes, '\0');
    unsigned long long size = 0;
    crypto_aead_xchacha20poly1305_ietf_encrypt(octets(sealed), &size, octets(content), content.size(),
                                               octets(bound), bound.size(), nullptr, octets(nonce),
                                               octets(secret_));
    sealed.resize(static_cast<std::size_t>(size));
    Bytes token(1, static_cast<char>(kTokenVersion));
    return token + nonce + sealed;
}

std::optional<Cursor> Sealer::open(BytesView token, const Holder& holder) const {
    if (token.size() < 1 + kNonceBytes + kTagBytes || static_cast<std::uint8_t>(token[0]) != kTokenVersion)
        return std::nullopt;
    const BytesView nonce = token.substr(1, kNonceBytes);
    const BytesView sealed = token.substr(1 + kNonceBytes);
    const Bytes bound = bound_to(holder);
    Bytes content(sealed.size() - kTagBytes, '\0');
    unsigned long long size = 0;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(octets(content), &size, nullptr, octets(sealed), sealed.size(),
                                                   octets(bound), bound.size(), octets(nonce),
                                                   octets(secret_)) != 0)
        return std::nullopt;
    content.resize(static_cast<std::size_t>(size));
    return decode(content);
}

}  // namespace skerry::server::scopes
