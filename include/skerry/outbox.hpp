// Saving what a device has that its server cannot give it again, and making a store from that: identity, unsent and
// unsettled changes, the archive of settled ones, drafts, and rows that never leave the device. Tables of the app's own
// are not in it. docs/rebuilding.md shows it.
//
// Never use the old store and the rebuilt one side by side: the server notices and gives one of them a new
// identity, but a change that both hold may then be asked about twice.
#pragma once

#include <skerry/error.hpp>
#include <string>
#include <string_view>

namespace skerry {

// With a passphrase the outbox is encrypted (XSalsa20-Poly1305 under a key by Argon2id) and holds the device's token too. With an
// empty one anybody who has it can read it; it has a checksum only, and no token.
// Errors: model_missing, busy, corrupt_store, io.
Result<std::string> export_outbox(const std::string& store_path, std::string_view passphrase);

// Makes the store. Its first sync brings the rows. Errors: already_exists, invalid_argument (the passphrase is missing or wrong),
// corrupt_store (damaged), format_too_new, not_supported, io.
Result<void> rebuild_store(std::string_view outbox, std::string_view passphrase, const std::string& store_path);

}  // namespace skerry
