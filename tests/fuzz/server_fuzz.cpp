// A server's file, or a backup of one, that somebody else had in his hands (hostile_file.hpp): it opens or not, devices are answered or
// refused, and an operator's questions fail with a name. The first byte says what is asked.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "hostile_file.hpp"
#include "server/app/backup.hpp"
#include "server/app/devices.hpp"
#include "server/app/inspect.hpp"
#include "store/store.hpp"
#include "world.hpp"

namespace {

using namespace skerry;
using fuzz::fine;

void be_a_server(const server::Place& place, std::uint8_t asks, fuzz::FuzzClock& clock, Random& random, kit::CrashDisk& disk) {
    SilentLog log;
    auto server = server::Server::open({.place = place, .model = std::nullopt}, clock, random, log);
    if (!fine(server)) return;
    server::http::Handler& handler = (*server)->handler();
    handler.tick();
    if ((asks & 1) != 0) {
        disk.import_file(fuzz::kDeviceFile, fuzz::made().device);
        const auto device = store::Store::open({.path = fuzz::kDeviceFile, .vfs = disk.vfs_name(), .device_name = "", .model = {}, .busy_timeout_ms = 0}, clock, random);
        SKERRY_ASSERT(device);
        static_cast<void>(fuzz::sync(**device, **server, fuzz::made().bearer, clock, random, 60));
    }
    if ((asks & 2) != 0) {
        const auto fresh = store::Store::open({.path = "fresh.db", .vfs = disk.vfs_name(), .device_name = "", .model = {}, .busy_timeout_ms = 0}, clock, random);
        SKERRY_ASSERT(fresh);
        static_cast<void>(fuzz::sync(**fresh, **server, fuzz::made().bearer, clock, random, 60));
    }
    if ((asks & 4) != 0) {
        // Everything that may be thrown away is old now.
        clock.now += std::chrono::hours(24 * 200);
        for (int i = 0; i < 5; ++i) handler.tick();
    }
    fine((*server)->tidy());
}

void ask_as_operator(const server::Place& place, const Clock& clock, Random& random) {
    fine(server::list_devices(place));
    fine(server::forget_device(place, "00"));
    fine(server::make_token(place, {"you", "", std::nullopt, {}}, clock, random));
    if (const auto inspector = server::Inspector::open(place); fine(inspector)) {
        fine(inspector->drafts(server::Drafts::kAll));
        fine(inspector->log());
        fine(inspector->log({.entity = "house", .key = "a"}));
        fine(inspector->lost_values());
        fine(inspector->quarantine());
    }
    if (auto sql = server::ServerSql::open(place); fine(sql)) fine(sql->run("UPDATE house SET people = 1 WHERE id = 'a'"));
    if (auto importer = server::Importer::open({place, "tag", {"code"}, {}}); fine(importer)) {
        fine(importer->add({Value{std::string("imported")}}));
        fine(importer->finish());
    }
}

// A backup goes through real files.
void restore(BytesView bytes, Random& random) {
    static const std::string folder = (std::filesystem::temp_directory_path() / ("skerry-fuzz-" + std::to_string(::getpid()))).string();
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    const std::string backup = folder + "/backup.db";
    std::ofstream(backup, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (fine(server::restore(backup, {folder + "/srv", ""}, random, [](const server::CopyProgress&) {}))) fine(server::read_model({folder + "/srv", ""}));
    std::filesystem::remove_all(folder);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Choices in(fuzz::view(data, size));
    const std::uint8_t asks = in.byte();
    kit::CrashDisk& disk = fuzz::disk_with(fuzz::kServerFile, fuzz::made().server);
    static_cast<void>(fuzz::change_file(disk, fuzz::kServerFile, in));
    fuzz::FuzzClock clock;
    SeededRandom random(4);
    const server::Place place = fuzz::server_place(disk);
    if (asks >= 240) restore(disk.bytes(fuzz::kServerFile), random);
    if ((asks & 8) != 0) ask_as_operator(place, clock, random);
    be_a_server(place, asks, clock, random, disk);
    return 0;
}
