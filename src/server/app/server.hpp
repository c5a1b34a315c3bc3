// The whole server without its socket: constructs and connects. A folder holds one file, server.db; the
// simulator passes a VFS of its own, and then the folder is a prefix of the file's name only.
//
// Thread rule: a Server, its handler and every body that the handler gave belong to one thread. A Server must
// outlive those bodies. make_token(), ServerSql and Importer open connections of their own: they work beside a
// running server, in any process, and what they write reaches devices like any other program's writes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <skerry/value.hpp>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "model/model.hpp"
#include "server/http/handler.hpp"
#include "server/ops/service.hpp"

namespace skerry::server {

// Where a server's data are.
struct Place {
    std::string dir;
    std::string vfs;  // empty = the operating system's
};

inline constexpr Micros kRetentionDefault = std::chrono::hours(24 * 90);

struct ServerOptions {
    Place place;
    // When given: the one that the folder holds, or a newer version of it, which the folder takes at once (model::evolve says
    // what it may change). Devices get it at their next sync.
    std::optional<model::Model> model;
    // History, the log of transactions, images of deleted rows, closed conflicts and closed drafts are forgotten when they
    // are older. Rows, open conflicts and open drafts never are.
    Micros retention = kRetentionDefault;
    // Whether GET /metrics answers (to a token with the label "metrics").
    ops::Metrics metrics = ops::Metrics::kOff;
};

// Makes the folder and its database with the tables of `model`. Errors: already_exists, model_invalid, io.
// A crash on the way leaves nothing: call it again.
Result<void> init_server(const Place& place, const model::Model& model, const Clock& clock, Random& random);

class Server {
  public:
    // Errors: not_found (no server there), format_too_new, model_change, model_invalid, corrupt_store, io, busy.
    // Brings into order what was written while no server ran.
    static Result<std::unique_ptr<Server>> open(const ServerOptions& options, const Clock& clock, Random& random,
                                                Log& log);
    ~Server();

    http::Handler& handler();
    // The file that grows with every commit, of whatever program.
    std::string log_path() const;
    // At the end: moves what the write-ahead log holds into the database, so that server.db is all there is. Not needed for
    // safety. busy while others read or write.
    Result<void> tidy();
    const model::Model& model() const;

  private:
    struct Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

struct TokenOptions {
    std::string user;                      // not empty
    std::string label;                     // for a person's list of tokens
    std::optional<Micros> valid_for;       // empty = until revoked
    std::map<std::string, std::string> claims;  // what the model's `principal:` calls a claim, and `profile`
};

// A new bearer token for the user: "skt_" and 43 characters. It is shown here once and stored nowhere. Errors:
// invalid_argument, profile_unknown (of the model that the folder holds now), ….
Result<std::string> make_token(const Place& place, const TokenOptions& options, const Clock& clock, Random& random);

// The compiled model of the folder, for programs that only want to look at it.
Result<model::Model> read_model(const Place& place);

// Ordinary SQL on the server's database, as any SQLite program could run it: captured by triggers, sequenced by
// the server, if one runs, within a moment.
class ServerSql {
  public:
    static Result<ServerSql> open(const Place& place);
    ServerSql(ServerSql&&) noexcept;
    ServerSql& operator=(ServerSql&&) noexcept;
    ~ServerSql();
    // Runs all statements of `sql` in one transaction; gives the result of the last that returns rows.
    // Parameters fill ?1, ?2, … of a single statement. Transaction control is refused: invalid_argument.
    Result<Table> run(std::string_view sql, const std::vector<Value>& parameters = {});

  private:
    struct Impl;
    explicit ServerSql(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

struct ImportOptions {
    Place place;
    std::string entity;
    // Attribute names, in the order in which add() gets values; the key must be among them. An existing row keeps
    // the attributes that are not named; a new one has their defaults.
    std::vector<std::string> columns;
    // Called after every commit with the rows so far.
    std::function<void(std::uint64_t rows)> progress;
};

// Rows one commit of an import holds: large enough that the commit's fsync costs little, small enough that a
// running server waits a few milliseconds for the lock.
inline constexpr std::uint64_t kImportRowsPerCommit = 5'000;

// Writes many rows into one entity: an UPDATE, and where that found nothing an INSERT, so that both fire the
// triggers that they should. Fastest in key order.
class Importer {
  public:
    // Errors: not_found (no such entity, attribute or server), invalid_argument (no key, a column twice).
    static Result<Importer> open(ImportOptions options);
    Importer(Importer&&) noexcept;
    Importer& operator=(Importer&&) noexcept;
    ~Importer();  // without finish(): what was not committed yet is rolled back

    // value_invalid or key_missing names the attribute; the row is not written, the import can go on.
    // Any other error: what was not committed yet is lost.
    Result<void> add(const std::vector<Value>& row);
    // Commits the rest; gives the number of rows written in all.
    Result<std::uint64_t> finish();

  private:
    struct Impl;
    explicit Importer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace skerry::server
