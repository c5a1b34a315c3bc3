// Where a server's folder keeps its one file.
#pragma once

#include <string>

#include "server/app/server.hpp"

namespace skerry::server {

inline std::string database_path(const Place& place) { return place.dir + "/server.db"; }

}  // namespace skerry::server
