// Two devices of two people, edited without a network, brought together by a server. A whole program:
//
//   skerry init places --model examples/two_devices.yaml
//   skerry token places --user ann --out ann.token
//   skerry token places --user ben --out ben.token
//   skerry serve places &
//   two_devices http://127.0.0.1:8737 ann.token ben.token
//
// It makes the stores ann.db and ben.db in the current folder. Exit code 0: both ended up equal.
#include <skerry/device.hpp>

#include <cstdio>
#include <fstream>
#include <string>

using skerry::Device;
using skerry::Result;
using skerry::Table;

namespace {

// Every call that can fail gives a Result; this small program ends at the first failure.
template <class T>
T need(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "%s\n", skerry::describe(result.error()).c_str());
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

Device open_device(const std::string& path, const std::string& server, const std::string& token_file) {
    std::string token;
    std::ifstream(token_file) >> token;
    // The first open asks the server for the model; afterwards the device needs no network.
    return need(Device::open({.path = path, .server_url = server, .token = token, .name = path, .model = ""}));
}

// All notes as one text, for comparing and showing.
std::string notes(Device& device) {
    std::string out;
    const Table table = need(device.sql("SELECT author, body FROM note ORDER BY author, id"));
    const auto text = [](const auto& value) { return std::holds_alternative<std::string>(value) ? std::get<std::string>(value) : "nobody"; };
    for (const auto& row : table.rows) out += "  " + text(row[0]) + ": " + text(row[1]) + "\n";
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: two_devices SERVER_URL TOKEN_FILE TOKEN_FILE\n");
        return 2;
    }
    Device ann = open_device("ann.db", argv[1], argv[2]);
    Device ben = open_device("ben.db", argv[1], argv[3]);

    // Ann writes a place and a note about it: one transaction, seen whole or not at all everywhere.
    const std::string place = ann.new_uuid();
    need(ann.transaction([&](Device& device) -> Result<void> {
        if (auto r = device.sql("INSERT INTO place (id, name, population) VALUES (?1, 'Skerryvore', 3)", {place}); !r)
            return skerry::fail(r.error());
        if (auto r = device.sql("INSERT INTO note (id, place_id, body, author) VALUES (?1, ?2, 'a light on the rocks', 'ann')",
                                {device.new_uuid(), place}); !r)
            return skerry::fail(r.error());
        return {};
    }));

    // Ben writes at the same time, on his own device. No network is used until sync().
    need(ben.sql("INSERT INTO note (id, body, author) VALUES (?1, 'gone fishing', 'ben')", {ben.new_uuid()}));
    std::printf("before, ann has:\n%sben has:\n%s", notes(ann).c_str(), notes(ben).c_str());

    need(ann.sync());  // sends Ann's transaction
    need(ben.sync());  // sends Ben's, receives Ann's
    need(ann.sync());  // receives Ben's

    const std::string at_ann = notes(ann);
    std::printf("after, both have:\n%s", at_ann.c_str());
    return at_ann == notes(ben) && !at_ann.empty() ? 0 : 1;
}
