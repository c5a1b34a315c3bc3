#include "server/scopes/floor.hpp"

namespace skerry::server::scopes {

namespace {
constexpr Micros kFlushEvery = std::chrono::seconds(5);
// That a device was heard is told to the hour: a device that asks again and again and has nothing new costs no write.
constexpr Micros kHeardEvery = std::chrono::hours(1);
}

void Floor::note(const storage::DeviceRow& device, Seq presented, std::uint64_t grants, Micros wall) {
    const Micros heard{device.heard_us};
    if (device.acked == presented && device.held == grants && heard <= wall && wall - heard < kHeardEvery) {
        noted_.erase(device.id);
    } else {
        noted_[device.id] = {presented, grants, wall};
    }
}

Result<void> Floor::flush(storage::Backend& backend, Micros mono) {
    if (noted_.empty() || mono < next_flush_) return {};
    next_flush_ = mono + kFlushEvery;
    SKERRY_ASSIGN(const auto txn, backend.begin_write(storage::Patience::kNone));
    for (const auto& [id, noted] : noted_) {
        SKERRY_ASSIGN(auto device, txn->device(id));
        if (!device || device->forgotten) continue;
        device->held = noted.grants;
        device->heard_us = noted.heard.count();
        device->acked = noted.seq;  // lower than before for a restored device: its floor is what it has, not what it had
        SKERRY_TRY(txn->put_device(*device));
    }
    SKERRY_TRY(txn->commit());
    noted_.clear();
    return {};
}

}  // namespace skerry::server::scopes
