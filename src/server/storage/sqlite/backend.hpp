// The SQLite backend: one connection that writes, a pool of connections that read.
#pragma once

#include "server/storage/sqlite/reading.hpp"
#include "server/storage/sqlite/schema.hpp"
#include "server/storage/sqlite/snapshot.hpp"
#include "server/storage/storage.hpp"

namespace skerry::server::storage {

class SqliteBackend final : public Backend {
  public:
    // Errors: not_found (no file), corrupt_store, format_too_new, io.
    static Result<std::unique_ptr<Backend>> open(const std::string& path, const std::string& vfs);
    // Makes the file. already_exists when it holds any table.
    static Result<void> create(const std::string& path, const std::string& vfs, const model::Model& model,
                               Random& random);

    // Makes the file ready for this program: a newer model, when one is given, and triggers that know the unique indexes
    // of an operator (schema.hpp). Gives what a person should know of. Errors: those of open(), model_change.
    static Result<std::vector<std::string>> prepare(const std::string& path, const std::string& vfs, const model::Model* wanted);

    const model::Model& model() const override { return meta_.model; }
    std::uint64_t model_hash() const override { return model_hash_; }
    Epoch epoch() const override { return meta_.epoch; }
    BytesView secret() const override { return meta_.secret; }
    Result<std::unique_ptr<WriteTxn>> begin_write(Patience patience) override;
    Result<std::unique_ptr<Snapshot>> snapshot() override;
    Result<bool> foreign_commit() override;
    Result<Figures> figures() override;
    Result<void> probe(Micros now) override;
    Result<void> tidy() override;

  private:
    SqliteBackend(sqlite::Database db, Meta meta, const std::string& path, const std::string& vfs)
        : db_(std::move(db)), meta_(std::move(meta)), model_hash_(meta_.model.hash()), tables_(meta_.model),
          pool_(path, vfs) {}

    sqlite::Database db_;
    Meta meta_;
    std::uint64_t model_hash_;
    Tables tables_;
    ReadPool pool_;
    std::optional<std::int64_t> data_version_;
};

}  // namespace skerry::server::storage
