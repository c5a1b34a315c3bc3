// The text around a response's bytes: status line, headers, chunk lines. No Date and no Server
// header: nothing that Skerry sends may be cached, and "nothing changed" has to fit into 300 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace skerry::server {

// How the client finds the body's end.
enum class Framing {
    kLength,      // Content-Length
    kChunked,     // Transfer-Encoding: chunked
    kUntilClose,  // HTTP/1.0 and not known in advance
    kNone,        // the status has no body (204, 304)
};

struct ResponseHead {
    int status = 200;
    std::string_view content_type;
    std::string_view content_encoding{};  // empty: not said
    std::optional<std::uint32_t> retry_after_s;
    Framing framing = Framing::kLength;
    std::size_t length = 0;       // of kLength
    std::string_view connection;  // "close", "keep-alive"; empty: not said
};

// A content type with a control character in it is our own bug, and is left out.
std::string head_text(const ResponseHead& head);
// "1f40\r\n".
std::string chunk_line(std::size_t bytes);

}  // namespace skerry::server
