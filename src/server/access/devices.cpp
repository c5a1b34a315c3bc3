#include "server/access/devices.hpp"

#include "base/text.hpp"

namespace skerry::server::access {

Result<void> same_model(const storage::Backend& backend, std::uint64_t model_hash) {
    if (model_hash == backend.model_hash()) return {};
    return fail(Code::kModelMismatch, "the device has another model than the server");
}

Result<storage::DeviceRow> own_device(storage::Reads& reads, const Principal& principal, const DeviceId& id) {
    SKERRY_ASSIGN(auto device, reads.device(id));
    if (!device || device->forgotten) return fail(Code::kNotEnrolled, "the server does not know this device");
    if (device->user != principal.user)
        return fail(Code::kDeviceOfOtherUser, "the device belongs to another user than the token");
    return std::move(*device);
}

Result<wire::Enrolled> enroll(storage::Backend& backend, const Principal& principal, const wire::Enroll& request,
                              Micros now) {
    if (!is_clean_text(request.name)) return fail(Code::kInvalidArgument, "the device's name is not UTF-8 text");
    SKERRY_ASSIGN(const auto txn, backend.begin_write());
    SKERRY_ASSIGN(auto known, txn->device(request.device));
    if (known && known->user != principal.user)
        return fail(Code::kDeviceOfOtherUser, "the device belongs to another user than the token");
    storage::DeviceRow device = known.value_or(storage::DeviceRow{});
    if (!known) {
        device.id = request.device;
        device.user = principal.user;
        device.keep_from = TxnNo{1};
        device.enrolled_us = now.count();
    }
    if (!known || device.forgotten || device.name != request.name) {
        device.forgotten = false;
        device.heard_us = now.count();
        device.name = request.name;
        SKERRY_TRY(txn->put_device(device));
        SKERRY_TRY(txn->commit());
    }
    return wire::Enrolled{backend.model().compile(), principal.user};
}

}  // namespace skerry::server::access
