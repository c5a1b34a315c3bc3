// Saving what a device has that its server cannot give it again, and making a store from that: identity, unsent and
// unsettled changes, the archive of settled ones, drafts, and rows that never leave the device. Tables of the app's own
// are not in it. docs/rebuilding.md shows it.
//
// Never use the old store and the rebuilt one side by side: the server notices and gives one of them a new
// identity, but a change that both hold may then be asked about twice.
//
// Both calls work on files alone, without a Device and without the network, and may be made from any thread.
#pragma once

#include <skerry/error.hpp>
#include <string>
#include <string_view>

namespace skerry {

/// Gives the outbox of the store, as bytes for a file. The store may be in use meanwhile. With a passphrase the outbox is encrypted
/// (XSalsa20-Poly1305 under a key by Argon2id, which takes 256 MiB of memory and about half a second) and holds the device's token too. With an
/// empty one anybody who has it can read it; it has a checksum only, and no token.
/// Errors: not_found (there is no such file; none is made), model_missing (the store never had one: there is nothing to export), already_exists
/// (the file is the database of another program), busy (others write into it all the time), corrupt_store, format_too_new, io.
Result<std::string> export_outbox(const std::string& store_path, std::string_view passphrase);

/// Makes a store at `store_path` from the outbox. Its first sync brings the rows. On an error no file is left there.
/// Errors: already_exists (there is a file), invalid_argument (the passphrase is missing or wrong), corrupt_store (damaged, or no outbox),
/// format_too_new, not_supported, io.
Result<void> rebuild_store(std::string_view outbox, std::string_view passphrase, const std::string& store_path);

}  // namespace skerry
