// A device belongs to one user for ever. Its id is no credential: every request checks the device against the
// token's user, or B could push under A's numbers and block A (pitfall 53).
#pragma once

#include "server/access/principal.hpp"
#include "wire/messages.hpp"

namespace skerry::server::access {

// Stores the device, or finds it again. model_mismatch, device_of_other_user.
Result<wire::Enrolled> enroll(storage::Backend& backend, const Principal& principal, const wire::Enroll& request,
                              Micros now);

// not_enrolled when the server does not know it, device_of_other_user when it is not the principal's.
Result<storage::DeviceRow> own_device(storage::Reads& reads, const Principal& principal, const DeviceId& id);

// model_mismatch unless the device has the server's model.
Result<void> same_model(const storage::Backend& backend, std::uint64_t model_hash);

}  // namespace skerry::server::access
