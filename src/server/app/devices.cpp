#include "server/app/devices.hpp"

#include <limits>

#include "base/text.hpp"
#include "server/app/files.hpp"
#include "server/storage/sqlite/backend.hpp"

namespace skerry::server {

namespace {

Result<KnownDevice> shown(storage::Snapshot& view, const storage::DeviceRow& device, Seq last) {
    KnownDevice known;
    known.id = hex(device.id.view());
    known.name = device.name;
    known.user = device.user;
    known.enrolled_us = device.enrolled_us;
    known.heard_us = device.heard_us;
    known.behind = last.value - std::min(device.acked.value, last.value);
    known.transactions = device.seen.value;
    known.forgotten = device.forgotten;
    SKERRY_ASSIGN(const auto scopes, view.grant_set(device.held));
    if (scopes) known.scopes = scopes->size();
    return known;
}

}  // namespace

Result<std::vector<KnownDevice>> list_devices(const Place& place) {
    SKERRY_ASSIGN(const auto backend, storage::SqliteBackend::open(database_path(place), place.vfs));
    SKERRY_ASSIGN(const auto view, backend->snapshot());
    SKERRY_ASSIGN(const storage::Mark last, view->last());
    SKERRY_ASSIGN(const auto devices, view->devices());
    std::vector<KnownDevice> known;
    for (const storage::DeviceRow& device : devices) {
        SKERRY_ASSIGN(known.emplace_back(), shown(*view, device, last.seq));
    }
    return known;
}

Result<KnownDevice> forget_device(const Place& place, std::string_view id) {
    SKERRY_ASSIGN(const auto backend, storage::SqliteBackend::open(database_path(place), place.vfs));
    SKERRY_ASSIGN(auto view, backend->snapshot());
    SKERRY_ASSIGN(const storage::Mark last, view->last());
    SKERRY_ASSIGN(const auto devices, view->devices());
    const storage::DeviceRow* found = nullptr;
    for (const storage::DeviceRow& device : devices) {
        if (id.empty() || !hex(device.id.view()).starts_with(id)) continue;
        if (found != nullptr) return fail(Code::kInvalidArgument, "more than one device's id begins with '" + std::string(id) + "'");
        found = &device;
    }
    if (found == nullptr) return fail(Code::kNotFound, "there is no device '" + std::string(id) + "'");
    SKERRY_ASSIGN(KnownDevice known, shown(*view, *found, last.seq));
    view.reset();
    SKERRY_ASSIGN(const auto txn, backend->begin_write());
    SKERRY_ASSIGN(auto device, txn->device(found->id));
    if (!device) return fail(Code::kNotFound, "there is no device '" + std::string(id) + "'");
    device->forgotten = true;
    device->acked = {};
    device->held = 0;
    // Of verdicts it learns that they were given when it sends again.
    SKERRY_TRY(txn->purge_below(device->ix, TxnNo{std::numeric_limits<std::int64_t>::max()}));
    SKERRY_TRY(txn->put_device(*device));
    SKERRY_TRY(txn->commit());
    return known;
}

}  // namespace skerry::server
