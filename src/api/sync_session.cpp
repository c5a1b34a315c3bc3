#include "api/sync_session.hpp"

#include <thread>

#include "base/log.hpp"
#include "host/native/native_host.hpp"

namespace skerry::api {

void wait_for(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }

struct SyncSession::Impl {
    store::Store& store;
    host::StoreLink link;
    engine::Engine engine;
    SilentLog log;
    std::unique_ptr<host::NativeHost> native;
    std::int64_t seen_version = -1;
    std::uint64_t seen_checkpoints = 0;
    bool finished = false;
    std::optional<Error> problem;

    Impl(store::Store& s, const Clock& clock, Random& random) : store(s), link(s), engine(link, clock, random) {}

    // A turn ends early when there is something to hand to the app.
    void after_event() {
        bool something = false;
        if (std::optional<Error> why; engine.take_finished(&why)) {
            finished = true;
            problem = std::move(why);
            something = true;
        }
        if (engine.status().checkpoints != seen_checkpoints) {
            seen_checkpoints = engine.status().checkpoints;
            something = true;
        }
        if (something) native->stop();
    }
};

SyncSession::SyncSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SyncSession::~SyncSession() = default;

Result<std::unique_ptr<SyncSession>> SyncSession::open(store::Store& store, const std::string& server_url, const std::string& token,
                                                       const Clock& clock, Random& random) {
    auto impl = std::make_unique<Impl>(store, clock, random);
    host::NativeOptions options;
    options.server_url = server_url;
    options.token = token;
    options.after_event = [raw = impl.get()] { raw->after_event(); };
    SKERRY_ASSIGN(impl->native, host::NativeHost::open(impl->engine, std::move(options), impl->log));
    return std::unique_ptr<SyncSession>(new SyncSession(std::move(impl)));
}

engine::Engine& SyncSession::engine() { return impl_->engine; }

Result<void> SyncSession::fetch_model() {
    Impl& i = *impl_;
    engine_sync();
    while (!i.store.has_model() && !i.finished) i.native->run_for(Millis{100});
    if (i.store.has_model()) {
        i.engine.stop();
        i.native->poll();
        return {};
    }
    if (i.problem) return fail(*i.problem);
    return fail(Code::kModelMissing, "the server gave no model");
}

void SyncSession::engine_sync() {
    impl_->finished = false;
    impl_->problem.reset();
    impl_->engine.sync();
    impl_->after_event();
}

void SyncSession::set_live(bool live) { impl_->engine.set_live(live); }

void SyncSession::app_wrote() { impl_->engine.app_wrote(); }

void SyncSession::notice_foreign_writes() {
    Impl& i = *impl_;
    if (i.store.in_transaction()) return;
    const auto version = i.store.data_version();
    if (!version || *version == i.seen_version) return;
    // Whoever numbers it (a live query may have, before us), the engine looks for what is unsent.
    i.engine.app_wrote();
    if (const auto now = i.store.data_version()) i.seen_version = *now;
}

bool SyncSession::take_finished(std::optional<Error>* problem) {
    if (!impl_->finished) return false;
    impl_->finished = false;
    *problem = std::move(impl_->problem);
    return true;
}

void SyncSession::run_for(std::chrono::milliseconds limit) { impl_->native->run_for(limit); }

}  // namespace skerry::api
