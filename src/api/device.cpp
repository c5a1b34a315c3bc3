// The public Device: a store, the engine and the native host, joined in the caller's thread.
#include <skerry/device.hpp>

#include <algorithm>

#include "api/device_impl.hpp"
#include "base/text.hpp"

namespace skerry {

namespace {

Verdict to_verdict(const wire::Outcome& outcome) {
    Verdict verdict;
    verdict.transaction = outcome.no.value;
    verdict.verdict = wire::verdict_name(outcome.verdict);
    if (outcome.verdict == wire::Verdict::kRejected || outcome.verdict == wire::Verdict::kConflict) {
        verdict.code = code_name(outcome.code);
        verdict.message = outcome.message;
    }
    return verdict;
}

}  // namespace

Result<void> Device::Impl::connect(const DeviceOptions& options) {
    store::Meta& meta = store->meta();
    std::string token = options.token;
    server_url = options.server_url;
    if (server_url.empty()) {
        SKERRY_ASSIGN(const auto stored, meta.bytes(store::key::kServerUrl));
        server_url = stored.value_or("");
    }
    if (token.empty()) {
        SKERRY_ASSIGN(const auto stored, meta.bytes(store::key::kBearer));
        token = stored.value_or("");
    }
    if (server_url.empty()) return {};
    SKERRY_ASSIGN(session, api::SyncSession::open(*store, server_url, token, clock, random));
    if (!options.server_url.empty()) SKERRY_TRY(meta.set_text(store::key::kServerUrl, server_url));
    if (!options.token.empty()) SKERRY_TRY(meta.set_text(store::key::kBearer, token));
    return {};
}

Result<void> Device::Impl::need_model() {
    if (store->has_model()) return {};
    if (!session) return fail(Code::kModelMissing, "the store is new and no server was given");
    return session->fetch_model();
}

Result<void> Device::Impl::deliver() {
    if (session) {
        for (const wire::Outcome& outcome : session->engine().take_outcomes())
            if (on_verdict) on_verdict(to_verdict(outcome));
        tell_runs();
        SKERRY_TRY(keep_offline_since());
    }
    // Copies are called: a callback may set another.
    if (on_draft && store->has_model()) {
        SKERRY_ASSIGN(const auto fresh, store::Drafts(*store).take_untold());
        const auto callback = on_draft;
        for (const Draft& draft : fresh) callback(draft);
    }
    if (on_conflict && store->has_model()) {
        SKERRY_ASSIGN(const auto fresh, records->take_untold());
        const auto callback = on_conflict;
        for (const ConflictRecord& record : fresh) callback(record);
    }
    SKERRY_TRY(live_queries->poll());
    deliver_problem.reset();
    return tell_status();
}

void Device::Impl::turn(std::chrono::milliseconds limit) {
    if (store->in_transaction()) return;
    if (session) session->run_for(limit);
    // The next turn delivers again; until it can, the status says why not.
    if (auto delivered = deliver(); !delivered) deliver_problem = delivered.error();
}

void Device::Impl::wrote() {
    if (session) session->app_wrote();
}

Device::Device(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Device::Device(Device&&) noexcept = default;
Device& Device::operator=(Device&&) noexcept = default;
Device::~Device() = default;

Result<Device> Device::open(const DeviceOptions& options) {
    if (options.path.empty()) return fail(Code::kInvalidArgument, "the store needs a path");
    auto impl = std::make_unique<Impl>();
    store::StoreOptions store_options{.path = options.path, .vfs = "", .device_name = options.name, .model = options.model};
    SKERRY_ASSIGN(impl->store, store::Store::open(store_options, impl->clock, impl->random));
    impl->live_queries = std::make_unique<store::LiveQueries>(*impl->store);
    impl->records = std::make_unique<store::Records>(*impl->store);
    SKERRY_TRY(impl->connect(options));
    if (auto model = impl->need_model(); !model) return fail(std::move(model.error()), "opening " + options.path + " for the first time");
    return Device(std::move(impl));
}

Result<Table> Device::sql(std::string_view statement, const std::vector<Value>& parameters) {
    SKERRY_ASSIGN(Table table, impl_->store->sql(statement, parameters));
    if (!impl_->store->in_transaction()) impl_->wrote();
    return table;
}

Result<void> Device::transaction(const std::function<Result<void>(Device&)>& work, TransactionOptions options) {
    store::Terms terms;
    terms.strict = options.strict;
    SKERRY_TRY(impl_->store->begin(std::move(terms)));
    if (auto done = work(*this); !done) {
        impl_->store->rollback();
        return done;
    }
    if (auto committed = impl_->store->commit(); !committed) {
        impl_->store->rollback();
        return committed;
    }
    impl_->wrote();
    return {};
}

Result<void> Device::assert_row(std::string_view entity, std::string_view key, std::string_view expression) {
    return impl_->store->assert_row(entity, key, expression);
}

Result<void> Device::update(std::string_view entity, std::string_view key, const std::vector<std::pair<std::string, Value>>& shown,
                            const std::vector<std::pair<std::string, Value>>& edited) {
    return impl_->store->update(entity, key, shown, edited);
}

std::string Device::new_uuid() { return uuid_v7(impl_->clock.wall(), impl_->random); }

void Device::run_for(std::chrono::milliseconds limit) {
    Impl& i = *impl_;
    const Micros end = i.clock.mono() + limit;
    i.stop_asked = false;
    while (!i.stop_asked) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - i.clock.mono());
        if (left.count() <= 0) break;
        // Short turns: commits by other programs are looked for in between.
        if (i.session) {
            i.session->notice_foreign_writes();
            i.turn(std::min(left, std::chrono::milliseconds(50)));
        } else {
            i.turn(left);
            api::wait_for(std::min(left, std::chrono::milliseconds(50)));
        }
    }
}

void Device::stop_running() { impl_->stop_asked = true; }

void Device::poll() {
    if (impl_->session) impl_->session->notice_foreign_writes();
    impl_->turn(std::chrono::milliseconds(0));
}

Result<std::uint64_t> Device::watch(std::string_view query, std::function<void(const Table&)> callback) {
    return impl_->live_queries->add(std::string(query), std::move(callback));
}

void Device::unwatch(std::uint64_t watch) { impl_->live_queries->remove(watch); }

void Device::on_verdict(std::function<void(const Verdict&)> callback) { impl_->on_verdict = std::move(callback); }

}  // namespace skerry
