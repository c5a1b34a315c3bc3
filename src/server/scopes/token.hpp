// The cursor of a device, sealed. To the device it is opaque bytes; only this server, for this device and this
// user, can open it, so nothing in it needs to be believed or kept in a table.
//
//   version u8 | nonce 24 | XChaCha20-Poly1305(content), bound to version, device and user
//   content: epoch, C (seq and mark, or none), hash of the grants, downloads still to do
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/random.hpp"
#include "server/storage/storage.hpp"

namespace skerry::server::scopes {

// An entity that is being sent by slices: everything up to `after` was.
struct Download {
    storage::WholeScope scope;
    std::string after;            // empty = nothing yet
    std::uint64_t rows_left = 0;  // counted when it began, less what was sent: an estimate
    friend bool operator==(const Download& a, const Download& b) {
        return a.scope.scope == b.scope.scope && a.scope.entity == b.scope.entity && a.after == b.after &&
               a.rows_left == b.rows_left;
    }
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
    Bytes seal(const Cursor& cursor, const Holder& holder) const;
    // Empty for whatever does not open or decode: the device is then served in verify mode, never refused.
    std::optional<Cursor> open(BytesView token, const Holder& holder) const;

  private:
    Bytes secret_;
    Random& random_;
};

}  // namespace skerry::server::scopes
