// live_batch FILE URL TOKEN SERVER_DB ROWS TIMES: ROWS rows are changed on the server in one transaction of SQL; how long from its
// commit until a live query of one live device shows all of them. Prints the time of each.
#include "kit.hpp"
#include "light.hpp"

using namespace skerry::bench;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

int main(int argc, char** argv) {
    if (argc != 7) die("usage: live_batch FILE URL TOKEN SERVER_DB ROWS TIMES");
    const std::int64_t rows = std::stoll(argv[5]);
    const int times = std::stoi(argv[6]);
    Plain server(argv[4]);
    if (server.integer("SELECT count(*) FROM thing") < rows) die("the server has fewer rows");
    auto device = must(skerry::Device::open({.path = argv[1], .server_url = argv[2], .token = argv[3], .name = "batch", .model = {}}));
    must(device.sync());
    device.set_live(true);
    while (must(device.status()).phase != "live") device.run_for(milliseconds(20));
    std::printf("{\"ms\": [");
    for (int i = 0; i < times; ++i) {
        const std::string mark = "batch " + std::to_string(i);
        bool shown = false;
        Moment when;
        const auto watch = must(device.watch("SELECT count(*) FROM thing WHERE note = '" + mark + "'", [&](const skerry::Table& table) {
            when = steady_clock::now();
            shown = std::get<std::int64_t>(table.rows[0][0]) == rows;
        }));
        device.run_for(milliseconds(200 + 13 * i));
        server.exec("BEGIN IMMEDIATE; UPDATE thing SET note = '" + mark + "' WHERE id IN (SELECT id FROM thing ORDER BY id LIMIT " + std::to_string(rows) + ")");
        server.exec("COMMIT");
        const Moment since = steady_clock::now();
        while (!shown) {
            device.run_for(milliseconds(10));
            if (milliseconds(60'000) < steady_clock::now() - since) die("the rows did not arrive");
        }
        device.unwatch(watch);
        std::printf("%s%.3f", i == 0 ? "" : ", ", ms_between(since, when));
    }
    std::printf("]}\n");
}
