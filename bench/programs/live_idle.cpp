// live_idle URL DEVICES TOKEN...: so many light devices. Each line on the standard input is a step, answered by a line when it is done:
//   enrol          all have an identity and what the server holds, and no connection
//   live           all hold a pull open and are in step
//   change         another device has pushed a change, and all have it
//   idle SECONDS   they read their heartbeats
#include <iostream>

#include "kit.hpp"
#include "light.hpp"

using namespace skerry::bench;
using skerry::EntityIx;
using skerry::Value;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

void change(LightDevices& devices, const std::string& url, const std::string& token) {
    EntityIx thing;
    if (devices.model().find("thing", &thing) == nullptr) die("the model has no thing");
    const std::string key = "0190a000-0000-7000-8000-0000000000ff";
    Pusher pusher(url, token, devices.model());
    pusher.insert(thing, key, skerry::model::Row(devices.model().entity(thing).attributes.size(), Value{}));
    std::size_t missing = devices.size();
    while (missing > 0)
        devices.run_for(milliseconds(1000), [&](std::size_t, const LightDevice& device) {
            for (const skerry::wire::Rows& rows : device.rows)
                for (const skerry::wire::RowEntry& row : rows.rows)
                    if (row.key == key) --missing;
        });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) die("usage: live_idle URL DEVICES TOKEN...");
    const std::size_t count = std::stoul(argv[2]);
    const std::vector<std::string> tokens(argv + 3, argv + argc);
    allow_files(count + 100);
    LightDevices devices(argv[1], tokens);
    for (std::string line; std::getline(std::cin, line);) {
        if (line == "enrol") {
            devices.enrol(count);
        } else if (line == "live") {
            devices.go_live();
        } else if (line == "change") {
            change(devices, argv[1], tokens[0]);
        } else if (line.starts_with("idle ")) {
            const Moment until = steady_clock::now() + seconds(std::stoi(line.substr(5)));
            while (steady_clock::now() < until) devices.run_for(milliseconds(100), [](std::size_t, const LightDevice&) {});
        } else {
            die("no such step: " + line);
        }
        std::cout << "done " << line << std::endl;
    }
}
