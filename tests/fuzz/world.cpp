#include "world.hpp"

#include "server/app/files.hpp"
#include "store/store.hpp"

namespace skerry::fuzz {

namespace {

std::unique_ptr<kit::CrashDisk> new_disk(const std::string& name) {
    return std::make_unique<kit::CrashDisk>(name, 1, [] { return std::int64_t{1'800'000'000'000}; });
}

std::unique_ptr<store::Store> open_device(const kit::CrashDisk& disk, const std::string& file, const Clock& clock, Random& random) {
    auto store = store::Store::open({.path = file, .vfs = disk.vfs_name(), .device_name = "fuzz", .model = small_model().compile(), .busy_timeout_ms = 0}, clock, random);
    SKERRY_ASSERT(store);
    return std::move(*store);
}

void write(store::Store& store, const std::vector<std::string>& statements, bool strict = false) {
    store::Terms terms;
    terms.strict = strict;
    SKERRY_ASSERT(store.begin(std::move(terms)));
    for (const std::string& statement : statements) SKERRY_ASSERT(store.sql(statement));
    SKERRY_ASSERT(store.commit());
}

// Two devices of one user: one leaves the other a conflict record and a rejected transaction.
void live_together(kit::CrashDisk& disk, server::Server& server, const std::string& bearer, FuzzClock& clock, SeededRandom& random, Made& made) {
    const auto mine = open_device(disk, kDeviceFile, clock, random);
    const auto other = open_device(disk, "other.db", clock, random);
    const auto both = [&] {
        for (store::Store* store : {mine.get(), other.get(), mine.get()}) {
            SKERRY_ASSERT(sync(*store, server, bearer, clock, random, 100));
            clock.now += std::chrono::seconds(10);
        }
    };
    write(*mine, {"INSERT INTO house(id, name, people, words, note, photo, state) VALUES('a', 'Alpha', 3, '[\"x\",\"y\"]', 'one two three', x'0102', 'open')",
                  "INSERT INTO house(id, name, people) VALUES('b', 'Beta', 0)",
                  "INSERT INTO visit(id, house_id, cost, \"on\", at, done, size, extra) VALUES('00000000-0000-4000-8000-000000000001', 'a', 1250, '2026-01-02', "
                  "'2026-01-02T03:04:05.000000Z', 1, 2.5, '{\"k\":[1,2]}')",
                  "INSERT INTO tag(code) VALUES('t1'), ('t2')"});
    both();
    write(*other, {"UPDATE house SET state = 'closed', note = 'one 2 three', people = 5 WHERE id = 'a'"});
    write(*other, {"INSERT INTO house(id, name) VALUES('k', 'theirs')"});
    write(*mine, {"UPDATE house SET state = NULL, note = 'one two three four', people = 4 WHERE id = 'a'"});
    write(*mine, {"INSERT INTO house(id, name) VALUES('k', 'mine')"});
    write(*mine, {"UPDATE house SET people = 9 WHERE id = 'k'"});
    SKERRY_ASSERT(sync(*other, server, bearer, clock, random, 100));
    both();
    write(*mine, {"UPDATE house SET name = 'Beta 2', words = '[\"z\"]' WHERE id = 'b'", "DELETE FROM tag WHERE code = 't2'"});
    write(*mine, {"INSERT INTO visit(id, house_id, cost) VALUES('00000000-0000-4000-8000-000000000002', 'b', 5)"}, true);
    made.id = *mine->meta().device();
    made.token = mine->meta().bytes(store::key::kToken)->value_or("");
    made.next = *mine->meta().next_no();
    SKERRY_ASSERT(mine->db().integer("SELECT count(*) FROM skerry_draft").value_or(0) > 0);
    SKERRY_ASSERT(mine->db().integer("SELECT count(*) FROM skerry_conflict").value_or(0) > 0);
}

Made make() {
    Made made;
    FuzzClock clock;
    SeededRandom random(7);
    SilentLog log;
    const auto disk = new_disk("fuzz-made");
    disk->seed_sqlite_randomness();
    const server::Place place = server_place(*disk);
    SKERRY_ASSERT(server::init_server(place, small_model(), clock, random));
    made.bearer = "Bearer " + server::make_token(place, {"me", "fuzz", std::nullopt, {}}, clock, random).value_or("");
    {
        auto server = server::Server::open({.place = place, .model = std::nullopt}, clock, random, log);
        SKERRY_ASSERT(server);
        live_together(*disk, **server, made.bearer, clock, random, made);
    }
    made.server = disk->bytes(kServerFile);
    made.device = disk->bytes(kDeviceFile);
    return made;
}

}  // namespace

const Made& made() {
    static const Made all = make();
    return all;
}

kit::CrashDisk& disk_with(const std::string& file, BytesView bytes) {
    static const auto empty = new_disk("fuzz-empty");
    static const auto disk = new_disk("fuzz-disk");
    disk->clone_from(*empty);
    disk->seed_sqlite_randomness();
    disk->import_file(file, bytes);
    return *disk;
}

Bytes whole_answer(server::http::Response& response, int* status) {
    if (status != nullptr) *status = response.status;
    Bytes bytes;
    if (response.body)
        while (response.body->next(bytes) == server::http::Step::kMore) {}
    return bytes;
}

Exchanged exchange(Line& line, host::Loopback& device, server::Server& server, const std::string& bearer) {
    Exchanged done{line.asked.front(), {}};
    line.asked.pop_front();
    const engine::RequestId id = done.request.id;
    auto response = server.handler().handle({"POST", done.request.path, bearer, std::string(wire::kContentType), done.request.body});
    device.response_started(id, response.status, response.content_type, Millis{0});
    done.answer = whole_answer(response);
    if (!line.is_cancelled(id)) device.response_bytes(id, done.answer);
    if (!line.is_cancelled(id)) device.response_ended(id);
    return done;
}

bool sync(store::Store& store, server::Server& server, const std::string& bearer, FuzzClock& clock, Random& random, int turns) {
    Line line;
    host::Loopback device(store, clock, random, line);
    device.sync();
    for (; turns > 0; --turns) {
        std::optional<Error> problem;
        if (device.take_finished(&problem)) return true;
        if (line.asked.empty()) {
            server.handler().tick();
            if (!line.wait(device, clock)) return true;
            continue;
        }
        exchange(line, device, server, bearer);
    }
    return false;
}

void check_error(const Error& error) {
    SKERRY_ASSERT(!error.message.empty());
    SKERRY_ASSERT(error.code != Code::kInternal);
}

}  // namespace skerry::fuzz
