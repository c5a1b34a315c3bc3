// The address of a server as a person writes it: http://host[:port][/prefix].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace skerry::host {

struct ServerUrl {
    std::string host;  // name or address, without brackets
    std::uint16_t port = 80;
    std::string prefix;     // "" or "/a/b": goes before the engine's paths
    std::string authority;  // "host:port", of the Host header and of messages
};

// Errors: not_supported (https), invalid_argument. Messages repeat the text only where it cannot
// hold a secret.
Result<ServerUrl> parse_server_url(std::string_view text);

}  // namespace skerry::host
