// first_sync FILE URL TOKEN: a new device takes everything. Told is the sync alone: the store, its tables and its identity are
// there before. The file is measured when the program has closed it.
#include "kit.hpp"

using namespace skerry::bench;

int main(int argc, char** argv) {
    if (argc != 4) die("usage: first_sync FILE URL TOKEN");
    double seconds = 0;
    skerry::DeviceStatus status;
    std::string count;
    {
        auto device = open_device(argv[1], argv[2], argv[3]);
        const Stopwatch watch;
        status = must(device.sync());
        seconds = watch.seconds();
        if (!status.incomplete.empty()) die("not everything is there");
    }
    Plain db(argv[1]);
    std::printf("{\"seconds\": %.6f, \"rows\": %lld, \"bytes_received\": %llu, \"peak_kib\": %llu, \"file_bytes\": %llu}\n", seconds,
                static_cast<long long>(db.integer("SELECT count(*) FROM thing")), static_cast<unsigned long long>(status.bytes_received),
                static_cast<unsigned long long>(peak_kib()), static_cast<unsigned long long>(file_bytes(argv[1])));
}
