// transit.db: a file of its own, so that what comes and goes by the megabyte neither grows server.db and its backups nor waits
// for those who write there. Made when it is first needed. A damaged one is replaced: nothing in it is the only copy.
//
// Thread rule: the server's one thread. No other process uses the file.
#pragma once

#include <string>

#include "base/result.hpp"
#include "sqlite/database.hpp"

namespace skerry::server::transit {

class File {
  public:
    File(std::string path, std::string vfs) : path_(std::move(path)), vfs_(std::move(vfs)) {}

    // Opened at the first call, which also forgets all spools: they belong to the process that made them.
    Result<sqlite::Database*> db();
    bool is_open() const { return db_.is_open(); }
    // Gives pages of what was deleted back to the file system, a step at a time.
    Result<void> shrink();

  private:
    Result<sqlite::Database> open() const;
    void remove() const;

    std::string path_;
    std::string vfs_;
    sqlite::Database db_;
};

}  // namespace skerry::server::transit
