// A snapshot: a read transaction on a connection of its own, borrowed from a small pool.
#pragma once

#include "server/storage/sqlite/principal_query.hpp"
#include "server/storage/sqlite/reading.hpp"

namespace skerry::server::storage {

struct ReadConnection {
    Guarded guarded;  // before the connection, so that it goes after it
    sqlite::Database db;
    std::uint64_t number = 0;  // of all that were opened
};

// Connections for reading that nobody uses just now. Outlives every snapshot.
class ReadPool {
  public:
    ReadPool(std::string path, std::string vfs) : path_(std::move(path)), vfs_(std::move(vfs)) {}
    Result<std::unique_ptr<ReadConnection>> take();
    void give_back(std::unique_ptr<ReadConnection> connection);

  private:
    std::string path_;
    std::string vfs_;
    std::vector<std::unique_ptr<ReadConnection>> idle_;
    std::uint64_t opened_ = 0;
};

Result<std::unique_ptr<Snapshot>> open_snapshot(ReadPool& pool, const Tables& tables);

}  // namespace skerry::server::storage
