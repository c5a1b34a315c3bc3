#include "kit/world/server_node.hpp"

#include <sqlite3.h>

#include "kit/events/seeds.hpp"
#include "kit/world/bad_disk.hpp"
#include "kit/world/looking.hpp"
#include "server/storage/sqlite/schema.hpp"

namespace skerry::kit {

ServerNode::ServerNode(Scene& scene, Millis tick, std::int64_t retention_days)
    : scene_(scene), tick_(tick), retention_days_(retention_days), clock_(scene.events.now_ref()), random_(sub_seed(scene.seed, "ids", 1'000'000)), log_(scene.trace) {
    disk_ = std::make_unique<CrashDisk>(unique_vfs_name("server"), sub_seed(scene.seed, "disk", 1'000'000), [this] { return clock_.wall().count() / 1000; });
    disk_->seed_sqlite_randomness();
    scene_.net.on_server_work([this] { return observe(); });
}

ServerNode::~ServerNode() {
    scene_.net.set_handler(nullptr);
    eyes_ = {};
    server_.reset();
    forks_.reset();
}

server::ServerOptions ServerNode::opening(const CrashDisk& disk) const {
    return {.place = {"srv", disk.vfs_name()}, .model = scene_.model, .retention = std::chrono::hours(24 * retention_days_)};
}

// What a crash would have left, opened as after a restart, and given the time to order what waits.
std::string ServerNode::wrong_with_copy(CrashDisk& copy) {
    SeededRandom ids = stream(scene_.seed, "fork-ids", 1'000'000);
    {
        auto opened = server::Server::open(opening(copy), clock_, ids, log_);
        if (!opened) return "the server does not open: " + describe(opened.error());
        (*opened)->handler().tick();
    }
    auto db = sqlite::Database::open(file(), {.vfs = copy.vfs_name(), .mode = sqlite::Open::kReadWrite, .busy_timeout_ms = 0});
    return db ? wrong_with(*db) : describe(db.error());
}

void ServerNode::start() {
    if (!made_) {
        auto made = server::init_server(place(), scene_.model, clock_, random_);
        made_ = true;
        if (!made && made.error().code != Code::kAlreadyExists) {
            if (!disk_->is_down()) fail("test", "init: " + describe(made.error()));
            made_ = false;
        }
    }
    auto opened = made_ ? server::Server::open(opening(*disk_), clock_, random_, log_)
                        : Result<std::unique_ptr<server::Server>>(skerry::fail(Code::kIo, "it died being made"));
    auto eyes = sqlite::Database::open(file(), {.vfs = std::string(disk_->vfs_name()), .mode = sqlite::Open::kReadWrite, .busy_timeout_ms = 0});
    if (!opened || !eyes) {
        const Error& error = opened ? eyes.error() : opened.error();
        if (!disk_->is_down() && !met_bad_disk(error)) fail("I1 integrity", "does not open: " + describe(error));
        opened = {};
        eyes = {};
        if (disk_->is_down()) die();
        return;
    }
    server_ = std::move(*opened);
    eyes_ = std::move(*eyes);
    ++life_;
    seen_calls_ = 0;
    scene_.trace.line("server", "up");
    // From here on: a folder that is being made is made again.
    if (scene_.crashes != nullptr && !forks_)
        forks_ = std::make_unique<CrashForks>(*disk_, file(), sub_seed(scene_.seed, "forks", 1'000'000), [this](CrashDisk& copy) { return wrong_with_copy(copy); },
                                              [this](std::string what) { fail("crash points", std::move(what)); }, *scene_.crashes);
    settle_doubt();
    if (!observe()) return;
    learn_forgotten();
    scene_.net.set_handler(&server_->handler());
    schedule_tick();
}

// Another program's commit was cut short: either its rows are there, all of them, or none is.
void ServerNode::settle_doubt() {
    if (!in_doubt_) return;
    const std::vector<Images> seen = std::move(*in_doubt_);
    in_doubt_.reset();
    const Images now = canonical(images(), scene_.model);
    if (now == seen.back()) {
        tell_oracle(seen);
    } else if (now != seen.front()) {
        fail("I4 atomicity", "another program's transaction is there in part");
    }
}

bool ServerNode::met_bad_disk(const Error& error) const { return kit::met_bad_disk(*disk_, error, scene_.trace, "server"); }

void ServerNode::die() {
    scene_.trace.line("server", "down");
    scene_.trace.mark("server.down");
    ++life_;
    scene_.net.set_handler(nullptr);
    eyes_ = {};
    server_.reset();
    if (forks_) forks_->forget();
    if (!disk_->is_down()) disk_->crash_now();
}

void ServerNode::crash(Loss loss) {
    loss_ = loss;
    if (is_up()) die();
}
void ServerNode::crash_at(std::uint64_t changing_call, Loss loss) {
    loss_ = loss;
    disk_->crash_at(changing_call);
}

void ServerNode::restart(Loss loss) {
    if (is_up()) return;
    disk_->restart(loss);
    scene_.trace.mark("server.restart." + std::string(to_string(loss)));
    start();
}

std::shared_ptr<const ServerNode::Backup> ServerNode::back_up() {
    auto disk = std::make_shared<CrashDisk>(unique_vfs_name("backup"), 0, [] { return std::int64_t{0}; });
    disk->clone_from(*disk_);
    return std::make_shared<const Backup>(Backup{std::move(disk), scene_.oracle.remember(), judged_});
}

// As server::restore does it for folders: the database alone, with an epoch of its own.
void ServerNode::restore(const Backup& backup) {
    disk_->crash_at(0);
    crash(Loss::kKill);
    disk_->restart(Loss::kKill);
    disk_->set_capacity(UINT64_MAX);
    disk_->clear_faults();
    disk_->clone_from(*backup.disk);
    if (forks_) forks_->forget();
    if (sqlite3_vfs* vfs = sqlite3_vfs_find(std::string(disk_->vfs_name()).c_str()))
        for (const char* suffix : {"", "-wal"}) static_cast<void>(vfs->xDelete(vfs, ("srv/transit.db" + std::string(suffix)).c_str(), 0));
    auto db = sqlite::Database::open(file(), {.vfs = std::string(disk_->vfs_name()), .mode = sqlite::Open::kReadWrite, .busy_timeout_ms = 0});
    const Result<void> renewed = db ? server::storage::renew_epoch(*db, random_) : Result<void>(skerry::fail(db.error()));
    if (!renewed) return fail("test", "restore: " + describe(renewed.error()));
    db = {};
    in_doubt_.reset();
    judged_ = backup.judged;
    scene_.oracle.back_to(backup.past);
    scene_.server_restored = true;
    ++restores_;
    scene_.trace.mark("server.restored");
    start();
}

void ServerNode::schedule_tick() {
    scene_.events.after(tick_, [this, life = life_] {
        if (life != life_ || scene_.failure) return;
        const std::uint64_t before = disk_->changing_calls();
        server_->handler().tick();
        if (!disk_->is_down() && disk_->changing_calls() != before) learn_forgotten();
        if (!observe()) return;
        scene_.net.wake_if_wanted();
        schedule_tick();
    });
}

std::string ServerNode::token(const std::string& user) {
    auto token = server::make_token(place(), {.user = user, .label = "sim", .valid_for = std::nullopt, .claims = scene_.claims[user]}, clock_, random_);
    if (!token) {
        fail("test", "make_token: " + describe(token.error()));
        return {};
    }
    return *token;
}

bool ServerNode::observe() {
    if (disk_->is_down()) {
        if (server_) die();
        return false;
    }
    if (disk_->changing_calls() == seen_calls_ || !eyes_.is_open()) return true;
    if (forks_) forks_->acknowledged();
    seen_calls_ = disk_->changing_calls();
    judged();
    return true;
}

// The oracle hears of every statement: what a row was when it was deleted counts, also inside a transaction.
void ServerNode::transactions(std::size_t count, const std::function<Result<void>(std::size_t, const Say&)>& work) {
    if (!is_up()) return;
    {
        auto db = sqlite::Database::open(file(), {.vfs = std::string(disk_->vfs_name()), .mode = sqlite::Open::kReadWrite, .busy_timeout_ms = 0});
        for (std::size_t i = 0; i < count && db; ++i) {
            Result<void> done = db->exec("BEGIN IMMEDIATE");
            std::vector<Images> seen;
            const auto look = [&]() -> Result<void> {
                SKERRY_ASSIGN(Images now, read_images(*db, scene_.model));
                seen.push_back(canonical(std::move(now), scene_.model));
                return {};
            };
            if (done) done = look();
            const Say plain = plainly(*db);
            if (done) done = work(i, [&](const std::string& text, const std::vector<Value>& parameters) -> Result<void> {
                SKERRY_TRY(plain(text, parameters));
                return look();
            });
            if (done) done = db->exec("COMMIT");
            if (!done && !disk_->is_down()) write_over_refused(*db);
            if (disk_->is_down()) {
                if (seen.size() > 1) in_doubt_ = std::move(seen);
                break;
            }
            if (!done && met_bad_disk(done.error())) break;
            if (!done) {
                fail("test", "another program: " + describe(done.error()));
                break;
            }
            tell_oracle(seen);
            scene_.trace.line("server", "another program changed " + std::to_string(difference(seen.front(), seen.back()).size()) + " rows");
        }
    }
    observe();
}

void ServerNode::tell_oracle(const std::vector<Images>& seen) {
    for (std::size_t i = 1; i < seen.size(); ++i)
        for (const Touched& row : difference(seen[i - 1], seen[i])) scene_.oracle.server_wrote(row.row, row.after);
}

void ServerNode::sql(const std::vector<std::string>& commits) {
    transactions(commits.size(), [&](std::size_t i, const Say& target) { return target(commits[i], {}); });
}
void ServerNode::write(const std::vector<std::vector<Write>>& commits) {
    transactions(commits.size(), [&](std::size_t i, const Say& target) -> Result<void> {
        for (const Write& write : commits[i]) SKERRY_TRY(say(write, scene_.model, target));
        return {};
    });
}
void ServerNode::count_up() {
    if (scene_.kits_own) sql({"INSERT INTO tick(id, v) VALUES('t', 1) ON CONFLICT DO UPDATE SET v = v + 1"});
}

}  // namespace skerry::kit
