// A server's folder and its one file.
#pragma once

#include <string>

#include "server/app/server.hpp"

namespace skerry::server {

inline std::string database_path(const Place& place) { return place.dir + "/server.db"; }

// What is half way between a device and the server (server/transit); may be deleted while no server runs.
inline std::string transit_path(const Place& place) { return place.dir + "/transit.db"; }

// Makes the folder if it is not there. The file in it holds hashes of tokens and the secret that seals cursors: only its
// owner may look inside.
Result<void> make_private_folder(const std::string& dir);

}  // namespace skerry::server
