// Answers of a server that means harm, to a device that syncs: frames with good checksums and any content, torn at any place. What the
// device wrote and has no outcome for is still there afterwards, and the file is whole.
#include "store/journal.hpp"
#include "store/store.hpp"
#include "wire/continuing.hpp"
#include "wire/messages.hpp"
#include "world.hpp"

namespace {

using namespace skerry;

constexpr int kTurnsMax = 40;

// A checkpoint is dropped unless it continues the device's cursor, which no fuzzer would guess.
void put_frame(Bytes& body, wire::FrameType type, BytesView payload, store::Store& store) {
    if (type == wire::FrameType::kBegin)
        if (auto begin = wire::get_begin(payload)) {
            if (begin->from == 0) begin->from = wire::continues(*store.meta().device(), store.meta().bytes(store::key::kToken)->value_or(Bytes{}));
            return wire::put(body, *begin);
        }
    wire::put_frame(body, type, payload);
}

wire::Kind kind_of(std::string_view path) {
    if (path == wire::kPathEnroll) return wire::Kind::kEnrollResponse;
    if (path == wire::kPathPush) return wire::Kind::kPushResponse;
    return path == wire::kPathCheck ? wire::Kind::kCheckResponse : wire::Kind::kPullResponse;
}

void answer(host::Loopback& device, const fuzz::Line& line, const engine::SendRequest& request, fuzz::Choices& in, store::Store& store) {
    const std::uint8_t how = in.byte();
    if (how == 255) return device.request_failed(request.id, Error{Code::kOffline, "the line is cut", {}});
    constexpr int kStatus[] = {200, 200, 200, 200, 200, 401, 403, 404, 409, 413, 500, 502, 503};
    device.response_started(request.id, kStatus[how % std::size(kStatus)], wire::kContentType, Millis{0});
    Bytes body;
    wire::put_header(body, kind_of(request.path));
    for (std::uint32_t frames = in.byte() % 16u; frames > 0 && !in.empty(); --frames) {
        const auto type = static_cast<wire::FrameType>(in.byte());
        put_frame(body, type, in.piece(), store);
    }
    if (how % 3 != 0) wire::put_empty(body, wire::FrameType::kEnd);
    if (how >= 240) body.resize(in.below(1u << 16) % (body.size() + 1));
    if (!line.is_cancelled(request.id)) device.response_bytes(request.id, body);
    if (!line.is_cancelled(request.id)) device.response_ended(request.id);
}

// Numbers and drafts that a transaction may become, so that none is lost: unsettled, archived or a draft.
std::int64_t kept(store::Store& store) {
    return store.db().integer("SELECT (SELECT count(*) FROM skerry_txn) + (SELECT count(*) FROM skerry_archive)").value_or(-1);
}

void check_file(kit::CrashDisk& disk) {
    auto db = sqlite::Database::open(fuzz::kDeviceFile, {.vfs = disk.vfs_name(), .busy_timeout_ms = 0});
    SKERRY_ASSERT(db && db->integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'").value_or(1) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Choices in(fuzz::view(data, size));
    kit::CrashDisk& disk = fuzz::disk_with(fuzz::kDeviceFile, fuzz::made().device);
    fuzz::FuzzClock clock;
    SeededRandom random(6);
    const store::StoreOptions options{.path = fuzz::kDeviceFile, .vfs = disk.vfs_name(), .device_name = "", .model = {}, .busy_timeout_ms = 0};
    {
        const auto store = store::Store::open(options, clock, random);
        SKERRY_ASSERT(store);
        const std::int64_t before = kept(**store);
        fuzz::Line line;
        host::Loopback device(**store, clock, random, line);
        device.sync();
        for (int turn = 0; turn < kTurnsMax && !in.empty(); ++turn) {
            if (line.asked.empty()) {
                if (!line.wait(device, clock)) break;
                continue;
            }
            const engine::SendRequest request = line.asked.front();
            line.asked.pop_front();
            answer(device, line, request, in, **store);
        }
        if (const auto& problem = device.status().problem) fuzz::check_error(*problem);
        SKERRY_ASSERT(kept(**store) >= before);
    }
    {
        const auto again = store::Store::open(options, clock, random);
        SKERRY_ASSERT(again && (*again)->has_model());
        SKERRY_ASSERT((*again)->sql("SELECT * FROM house") && store::Journal(**again).counts());
    }
    check_file(disk);
    return 0;
}
