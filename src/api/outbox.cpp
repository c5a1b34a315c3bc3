// "SKRYBOX" u8 version | u8 mode | kPlain: XXH3-128 of the content, content | kSealed: salt 16, nonce 24, secretbox(content)
#include <skerry/outbox.hpp>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "base/random.hpp"
#include "store/outbox.hpp"

namespace skerry {

namespace {

constexpr std::string_view kMagic = "SKRYBOX";
constexpr std::uint8_t kVersion = 1;
// Written: do not change.
enum class Mode : std::uint8_t { kPlain = 1, kSealed = 2 };

const unsigned char* octets(BytesView v) { return reinterpret_cast<const unsigned char*>(v.data()); }
unsigned char* octets(Bytes& v) { return reinterpret_cast<unsigned char*>(v.data()); }

// 256 MiB and about half a second: the file lies where others may find it.
Result<Bytes> key_of(std::string_view passphrase, BytesView salt) {
    Bytes key(crypto_secretbox_KEYBYTES, '\0');
    if (crypto_pwhash(octets(key), key.size(), passphrase.data(), passphrase.size(), octets(salt), crypto_pwhash_OPSLIMIT_MODERATE,
                      crypto_pwhash_MEMLIMIT_MODERATE, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return fail(Code::kIo, "there is not enough memory to make a key from the passphrase");
    return key;
}

Result<Bytes> sealed(BytesView content, std::string_view passphrase) {
    Bytes salt(crypto_pwhash_SALTBYTES, '\0');
    Bytes nonce(crypto_secretbox_NONCEBYTES, '\0');
    randombytes_buf(salt.data(), salt.size());
    randombytes_buf(nonce.data(), nonce.size());
    SKERRY_ASSIGN(Bytes key, key_of(passphrase, salt));
    Bytes box(content.size() + crypto_secretbox_MACBYTES, '\0');
    const int failed = crypto_secretbox_easy(octets(box), octets(content), content.size(), octets(nonce), octets(key));
    sodium_memzero(key.data(), key.size());
    if (failed != 0) return fail(Code::kInternal, "the outbox could not be sealed");
    return salt + nonce + box;
}

Result<Bytes> unsealed(Reader& in, std::string_view passphrase) {
    const BytesView salt = in.raw(crypto_pwhash_SALTBYTES);
    const BytesView nonce = in.raw(crypto_secretbox_NONCEBYTES);
    const BytesView box = in.rest();
    if (!in.ok() || box.size() < crypto_secretbox_MACBYTES) return fail(Code::kCorruptStore, "the outbox is cut off");
    SKERRY_ASSIGN(Bytes key, key_of(passphrase, salt));
    Bytes content(box.size() - crypto_secretbox_MACBYTES, '\0');
    const int failed = crypto_secretbox_open_easy(octets(content), octets(box), box.size(), octets(nonce), octets(key));
    sodium_memzero(key.data(), key.size());
    if (failed != 0) return fail(Code::kInvalidArgument, "the passphrase is wrong, or the outbox is damaged");
    return content;
}

Result<Bytes> opened(std::string_view outbox, std::string_view passphrase) {
    Reader in(outbox);
    if (in.raw(kMagic.size()) != kMagic) return fail(Code::kCorruptStore, "this is not a Skerry outbox");
    if (const std::uint8_t version = in.u8(); in.ok() && version > kVersion)
        return fail(Code::kFormatTooNew, "the outbox has version " + std::to_string(version) + "; this program knows " + std::to_string(kVersion));
    switch (static_cast<Mode>(in.u8())) {
        case Mode::kPlain: {
            const BytesView sum = in.raw(16);
            if (!in.ok() || view_of(hash128(in.rest())) != sum) return fail(Code::kCorruptStore, "the outbox is damaged");
            return Bytes(in.rest());
        }
        case Mode::kSealed:
            if (passphrase.empty()) return fail(Code::kInvalidArgument, "the outbox is sealed: it needs its passphrase");
            return unsealed(in, passphrase);
    }
    return fail(Code::kCorruptStore, "the outbox is damaged");
}

Result<void> fill(BytesView content, const std::string& store_path) {
    const SystemClock clock;
    SystemRandom random;
    SKERRY_ASSIGN(Bytes model, store::model_of_outbox(content));
    SKERRY_ASSIGN(const auto made, store::Store::open({.path = store_path, .vfs = "", .device_name = "", .model = std::move(model)}, clock, random));
    return store::unpack_outbox(content, *made);
}

// Opening a store makes what is not there.
Result<void> need_store(const std::string& path) {
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return fail(Code::kNotFound, "there is no store at " + path);
        return fail(Code::kIo, path + ": " + std::generic_category().message(errno));
    }
    if (file.st_size == 0) return fail(Code::kModelMissing, "the file " + path + " is empty: there is nothing to export");
    return {};
}

}  // namespace

Result<std::string> export_outbox(const std::string& store_path, std::string_view passphrase) {
    SKERRY_TRY(need_store(store_path));
    if (sodium_init() < 0) return fail(Code::kInternal, "libsodium could not be initialised");
    const SystemClock clock;
    SystemRandom random;
    SKERRY_ASSIGN(const auto from, store::Store::open({.path = store_path, .vfs = "", .device_name = "", .model = {}}, clock, random));
    const bool seal = !passphrase.empty();
    SKERRY_ASSIGN(const Bytes content, store::pack_outbox(*from, seal ? store::WithToken::kYes : store::WithToken::kNo));
    Bytes out(kMagic);
    Writer head(out);
    head.u8(kVersion);
    head.u8(static_cast<std::uint8_t>(seal ? Mode::kSealed : Mode::kPlain));
    if (!seal) return out + Bytes(view_of(hash128(content))) + content;
    SKERRY_ASSIGN(const Bytes box, sealed(content, passphrase));
    return out + box;
}

Result<void> rebuild_store(std::string_view outbox, std::string_view passphrase, const std::string& store_path) {
    if (sodium_init() < 0) return fail(Code::kInternal, "libsodium could not be initialised");
    if (::access(store_path.c_str(), F_OK) == 0) return fail(Code::kAlreadyExists, "there is a file at " + store_path + " already");
    SKERRY_ASSIGN(const Bytes content, opened(outbox, passphrase));
    auto filled = fill(content, store_path);
    if (filled) return {};
    // Half a store would look like one that is ready.
    for (const char* ending : {"", "-wal", "-shm", "-journal"}) ::unlink((store_path + ending).c_str());
    return fail(std::move(filled.error()), "making the store " + store_path);
}

}  // namespace skerry
