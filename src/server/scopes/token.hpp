// The cursor of a device, sealed. To the device it is opaque bytes; only this server, for this device and this
// user, can open it, so nothing in it needs to be believed or kept in a table.
//
//   version u8 | nonce 24 | XChaCha20-Poly1305(content), bound to version, device and user
//   content: epoch, C (seq and mark, or none), hash of the grants (the backend knows the set), downloads still to do
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/random.hpp"
#include "server/storage/storage.hpp"

namespace skerry::server::scopes {

// Scopes of one entity that are being sent by slices: everything up to `after` was.
struct Download {
    EntityIx entity;
    std::vector<wire::ScopeId> scopes;  // ascending
    std::string after;                  // empty = nothing yet
    std::uint64_t rows_left = 0;        // counted when it began, less what was sent: an estimate
    friend bool operator==(const Download&, const Download&) = default;
};

struct Cursor {
    Epoch epoch;
    std::optional<storage::Mark> at;  // none: nothing was ever whole
    std::uint64_t grants = 0;
    std::vector<Download> downloads;  // in priority order
    friend bool operator==(const Cursor&, const Cursor&) = default;
};

// Who the token is sealed to.
struct Holder {
    DeviceId device;
    std::string user;
};

class Sealer {
  public:
    // `secret` is 32 bytes.
    Sealer(BytesView secret, Random& random);
    // Never larger than what a pull may carry: beyond it, downloads begin anew, the last first.
    Bytes seal(Cursor cursor, const Holder& holder) const;
    // Empty for whatever does not open or decode: the device is then served in verify mode, never refused.
    std::optional<Cursor> open(BytesView token, const Holder& holder) const;

  private:
    Bytes secret_;
    Random& random_;
};

}  // namespace skerry::server::scopes
