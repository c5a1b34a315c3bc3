#include "api/sync_session.hpp"

#include <thread>

#include "base/log.hpp"
#include "host/native/native_host.hpp"
#include "host/native/turn_file.hpp"

namespace skerry::api {

void wait_for(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }

namespace {

// Beside the file that SQLite found behind every link to it, like its log. Empty: the store is in memory, nobody else has it.
Result<std::string> turn_path(store::Store& store) {
    SKERRY_ASSIGN(sqlite::Statement get, store.db().prepare("SELECT file FROM pragma_database_list WHERE name = 'main'"));
    SKERRY_ASSIGN(const bool found, get.step());
    std::string path(found ? get.text(0) : std::string_view{});
    get.reset();
    if (!path.empty()) path += "-sync";
    return path;
}

}  // namespace

struct SyncSession::Impl {
    store::Store& store;
    host::TurnFile turn;
    host::StoreLink link;
    engine::Engine engine;
    SilentLog log;
    std::unique_ptr<host::NativeHost> native;
    std::int64_t seen_version = -1;
    std::uint64_t seen_checkpoints = 0;
    std::uint64_t seen_changes = 0;
    std::vector<engine::RunEvent> events;

    Impl(store::Store& s, const std::string& path, const Clock& clock, Random& random)
        : store(s), turn(path), link(s, path.empty() ? nullptr : &turn), engine(link, clock, random) {}

    // A turn ends early when there is something to hand to the app.
    void after_event() {
        const engine::Status& status = engine.status();
        auto fresh = engine.take_events();
        if (fresh.empty() && status.checkpoints == seen_checkpoints && status.changes == seen_changes) return;
        events.insert(events.end(), std::make_move_iterator(fresh.begin()), std::make_move_iterator(fresh.end()));
        seen_checkpoints = status.checkpoints;
        seen_changes = status.changes;
        native->stop();
    }
};

SyncSession::SyncSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SyncSession::~SyncSession() = default;

Result<std::unique_ptr<SyncSession>> SyncSession::open(store::Store& store, const std::string& server_url, const std::string& token,
                                                       const Clock& clock, Random& random) {
    SKERRY_ASSIGN(const std::string path, turn_path(store));
    auto impl = std::make_unique<Impl>(store, path, clock, random);
    host::NativeOptions options;
    options.server_url = server_url;
    options.token = token;
    options.after_event = [raw = impl.get()] { raw->after_event(); };
    SKERRY_ASSIGN(impl->native, host::NativeHost::open(impl->engine, std::move(options), impl->log));
    return std::unique_ptr<SyncSession>(new SyncSession(std::move(impl)));
}

engine::Engine& SyncSession::engine() { return impl_->engine; }
bool SyncSession::synced_elsewhere() const { return impl_->turn.is_elsewhere(); }
const store::CheckReport& SyncSession::check_report() const { return impl_->link.check_report(); }

Result<void> SyncSession::fetch_model() {
    Impl& i = *impl_;
    i.engine.sync();
    std::optional<Error> problem;
    bool finished = false;
    while (!i.store.has_model() && !(finished = i.engine.take_finished(&problem))) {
        i.native->run_for(Millis{100});
        // Another program may have been given it meanwhile.
        SKERRY_TRY(i.store.reload_model());
    }
    i.engine.stop();
    i.native->poll();
    // No unit of the app's was run.
    i.events.clear();
    static_cast<void>(i.engine.take_events());
    if (i.store.has_model()) return {};
    if (problem) return fail(std::move(*problem));
    return fail(Code::kModelMissing, "the server gave no model");
}

void SyncSession::app_wrote() { impl_->engine.app_wrote(); }

void SyncSession::notice_foreign_writes() {
    Impl& i = *impl_;
    i.engine.look_at_clocks();
    if (i.store.in_transaction()) return;
    const auto version = i.store.data_version();
    if (!version || *version == i.seen_version) return;
    // Whoever numbers it (a live query may have, before us), the engine looks for what is unsent.
    i.engine.app_wrote();
    if (const auto now = i.store.data_version()) i.seen_version = *now;
}

std::vector<engine::RunEvent> SyncSession::take_events() {
    impl_->after_event();
    return std::exchange(impl_->events, {});
}

void SyncSession::run_for(std::chrono::milliseconds limit) { impl_->native->run_for(limit); }

}  // namespace skerry::api
