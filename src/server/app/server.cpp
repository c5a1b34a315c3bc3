#include "server/app/server.hpp"

#include <filesystem>

#include "server/access/principal.hpp"
#include "server/app/files.hpp"
#include "server/http/routes.hpp"
#include "server/storage/sqlite/backend.hpp"

namespace skerry::server {

Result<void> make_private_folder(const std::string& dir) {
    std::error_code error;
    const bool made = std::filesystem::create_directories(dir, error);
    if (error) return fail(Code::kIo, "the folder " + dir + " cannot be made: " + error.message());
    if (made)
        std::filesystem::permissions(dir, std::filesystem::perms::owner_all, std::filesystem::perm_options::replace, error);
    if (error) return fail(Code::kIo, "the folder " + dir + " cannot be made private: " + error.message());
    return {};
}

Result<void> init_server(const Place& place, const model::Model& app, const Clock&, Random& random) {
    model::Model model = app;
    model::complete(model);
    SKERRY_TRY(model::check(model));
    if (place.vfs.empty()) SKERRY_TRY(make_private_folder(place.dir));
    auto made = storage::SqliteBackend::create(database_path(place), place.vfs, model, random);
    if (!made) return fail(std::move(made.error()), "making a server in " + place.dir);
    return {};
}

struct Server::Impl {
    Impl(std::unique_ptr<storage::Backend> opened, scopes::Rules rules, const ServerOptions& options, const Clock& clock, Random& random, Log& log)
        : backend(std::move(opened)), sequencer(*backend, std::move(rules), clock, random), sealer(backend->secret(), random),
          transit(transit_path(options.place), options.place.vfs),
          routes(http::make_routes({*backend, sequencer, sealer, clock, random, log, tally, options.retention, transit})),
          service(ops::make_service({*routes, *backend, sequencer, clock, log, tally, options.metrics})),
          log_path(database_path(options.place) + "-wal") {}

    std::unique_ptr<storage::Backend> backend;
    scopes::Sequencer sequencer;
    scopes::Sealer sealer;
    Tally tally;
    transit::File transit;
    std::unique_ptr<http::Handler> routes;
    std::unique_ptr<http::Handler> service;
    std::string log_path;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::open(const ServerOptions& options, const Clock& clock, Random& random,
                                             Log& log) {
    const std::string path = database_path(options.place);
    std::optional<model::Model> wanted = options.model;
    if (wanted) {
        model::complete(*wanted);
        SKERRY_TRY(model::check(*wanted));
    }
    SKERRY_ASSIGN(const auto warnings, storage::SqliteBackend::prepare(path, options.place.vfs, wanted ? &*wanted : nullptr));
    for (const std::string& warning : warnings) log.line(LogLevel::kWarn, warning);
    SKERRY_ASSIGN(auto backend, storage::SqliteBackend::open(path, options.place.vfs));
    SKERRY_ASSIGN(auto rules, scopes::rules_of(backend->model()));
    auto impl = std::make_unique<Impl>(std::move(backend), std::move(rules), options, clock, random, log);
    SKERRY_TRY(impl->sequencer.adopt());
    SKERRY_TRY(impl->sequencer.catch_up(storage::Patience::kSome));
    return std::unique_ptr<Server>(new Server(std::move(impl)));
}

http::Handler& Server::handler() { return *impl_->service; }
std::string Server::log_path() const { return impl_->log_path; }
Result<void> Server::tidy() { return impl_->backend->tidy(); }
const model::Model& Server::model() const { return impl_->backend->model(); }

Result<std::string> make_token(const Place& place, const TokenOptions& options, const Clock& clock, Random& random) {
    SKERRY_ASSIGN(const auto backend, storage::SqliteBackend::open(database_path(place), place.vfs));
    SKERRY_ASSIGN(const auto txn, backend->begin_write());
    access::NewToken token{options.user, options.label, std::nullopt, options.claims};
    SKERRY_TRY(access::check_claims(backend->model(), token.claims));
    if (options.valid_for) token.expires_us = (clock.wall() + *options.valid_for).count();
    SKERRY_ASSIGN(std::string text, access::make_token(*txn, token, clock.wall(), random));
    SKERRY_TRY(txn->commit());
    return text;
}

Result<model::Model> read_model(const Place& place) {
    SKERRY_ASSIGN(const auto backend, storage::SqliteBackend::open(database_path(place), place.vfs));
    return backend->model();
}

}  // namespace skerry::server
