#include "server/scopes/floor.hpp"

namespace skerry::server::scopes {

namespace {
constexpr Micros kFlushEvery = std::chrono::seconds(5);
}

void Floor::note(const storage::DeviceRow& device, Seq presented) {
    if (device.acked == presented) {
        noted_.erase(device.id);
    } else {
        noted_[device.id] = presented;
    }
}

Result<void> Floor::flush(storage::Backend& backend, Micros mono) {
    if (noted_.empty() || mono < next_flush_) return {};
    next_flush_ = mono + kFlushEvery;
    SKERRY_ASSIGN(const auto txn, backend.begin_write(storage::Patience::kNone));
    for (const auto& [id, seq] : noted_) {
        SKERRY_ASSIGN(auto device, txn->device(id));
        if (!device) continue;
        device->acked = seq;  // lower than before for a restored device: its floor is what it has, not what it had
        SKERRY_TRY(txn->put_device(*device));
    }
    SKERRY_TRY(txn->commit());
    noted_.clear();
    return {};
}

}  // namespace skerry::server::scopes
