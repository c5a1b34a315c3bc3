// What a device has that its server cannot give it again, as bytes: identity, journal, archive, drafts, what left, and rows
// that stay on the device (modes none_preserve and never). With them and a sync a store is as it was. Neither sealed nor
// checked: that is for whoever writes it to a file.
#pragma once

#include "base/result.hpp"
#include "store/store.hpp"

namespace skerry::store {

enum class WithToken { kNo, kYes };  // the bearer token, with which whoever reads the bytes acts for the user

// busy: other programs write all the time. model_missing: the store has nothing yet.
Result<Bytes> pack_outbox(Store& store, WithToken with_token);
// The compiled model that the bytes were made under; a store is made with it, and then filled.
// corrupt_store: they do not decode. format_too_new, not_supported: made by another version.
Result<Bytes> model_of_outbox(BytesView outbox);
// Into a store that was just made.
Result<void> unpack_outbox(BytesView outbox, Store& store);

}  // namespace skerry::store
