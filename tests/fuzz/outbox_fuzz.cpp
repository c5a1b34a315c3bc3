// An exported outbox that somebody else had in his hands: with its head through the public call, without it as the content alone, whose
// hash then is no obstacle. A store is made from it, or it fails with a name.
#include <skerry/outbox.hpp>
#include <unistd.h>

#include <filesystem>

#include "store/drafts.hpp"
#include "store/journal.hpp"
#include "store/outbox.hpp"
#include "world.hpp"

namespace {

using namespace skerry;
using fuzz::fine;

void rebuild(BytesView outbox) {
    static const std::string path = (std::filesystem::temp_directory_path() / ("skerry-fuzz-outbox-" + std::to_string(::getpid()) + ".db")).string();
    fine(rebuild_store(outbox, "", path));
    for (const char* ending : {"", "-wal", "-shm"}) std::filesystem::remove(path + ending);
}

// The small model instead of that in the bytes, whose compiled form has a fuzzer of its own.
Bytes with_small_model(BytesView rest) {
    Bytes bytes;
    Writer out(bytes);
    out.zigzag(store::kStoreFormat);
    out.bytes(fuzz::small_model().compile());
    out.raw(rest);
    return bytes;
}

void unpack(BytesView content) {
    kit::CrashDisk& disk = fuzz::disk_with("unused", "");
    fuzz::FuzzClock clock;
    SeededRandom random(8);
    const auto model = store::model_of_outbox(content);
    if (!fine(model)) return;
    const auto opened = store::Store::open({.path = "made.db", .vfs = disk.vfs_name(), .device_name = "", .model = *model, .busy_timeout_ms = 0}, clock, random);
    if (!fine(opened) || !(*opened)->has_model() || !fine(store::unpack_outbox(content, **opened))) return;
    // Content of tables that was taken as it came is read now.
    fine((*opened)->number_open());
    fine(store::Journal(**opened).next_batch({}, wire::kPushTxnsMax, wire::kPushBytesTarget));
    fine(store::Drafts(**opened).list());
    fine(store::pack_outbox(**opened, store::WithToken::kYes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const BytesView input = fuzz::view(data + 1, size - 1);
    if (data[0] % 4 == 0) rebuild(input);
    else if (data[0] % 4 == 1) unpack(input);
    else unpack(with_small_model(input));
    return 0;
}
