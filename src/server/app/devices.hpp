// The devices that a server knows, for those who run it. Works beside a running server, in any process.
#pragma once

#include <string>
#include <vector>

#include "server/app/server.hpp"

namespace skerry::server {

struct KnownDevice {
    std::string id;    // 32 hexadecimal digits
    std::string name;
    std::string user;
    std::int64_t enrolled_us = 0;
    std::int64_t heard_us = 0;     // when it last asked for changes, to the hour
    std::uint64_t behind = 0;      // batches since the cursor that it last presented
    std::uint64_t scopes = 0;      // that it holds
    std::uint64_t transactions = 0;  // that it has sent
    bool forgotten = false;
};

// By name. Errors: not_found (no server there), io, busy.
Result<std::vector<KnownDevice>> list_devices(const Place& place);

// The device holds nothing back any more: what was deleted is forgotten without it, and so are the verdicts that it has not
// fetched. Comes it back, it enrols anew and verifies what it missed; what it sent already stays known for ever, so that nothing
// is applied twice. `id`: the first digits are enough where they name one. Gives the device as it was. Errors: not_found,
// invalid_argument (they name several), and those of list_devices().
Result<KnownDevice> forget_device(const Place& place, std::string_view id);

}  // namespace skerry::server
