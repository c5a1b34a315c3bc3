#include "server/listener/response_head.hpp"

#include <algorithm>
#include <charconv>

namespace skerry::server {

namespace {
std::string_view reason(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 204:
            return "No Content";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 503:
            return "Service Unavailable";
        default:
            return "Status";
    }
}
}  // namespace

std::string head_text(const ResponseHead& head) {
    std::string out = "HTTP/1.1 ";
    out += std::to_string(head.status);
    out += ' ';
    out += reason(head.status);
    out += "\r\n";
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    };
    if (!head.content_type.empty() && std::ranges::none_of(head.content_type, is_control)) {
        out += "Content-Type: ";
        out += head.content_type;
        out += "\r\n";
    }
    if (!head.content_encoding.empty()) {
        out += "Content-Encoding: ";
        out += head.content_encoding;
        out += "\r\n";
    }
    // no-store: an answer belongs to one principal and one cursor. X-Accel-Buffering: nginx and its
    // kin would otherwise hold back the frames of a live stream. nosniff: nothing here is ever a
    // script.
    out +=
        "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\nX-Content-Type-Options: nosniff\r\n";
    if (head.retry_after_s) out += "Retry-After: " + std::to_string(*head.retry_after_s) + "\r\n";
    if (head.framing == Framing::kLength)
        out += "Content-Length: " + std::to_string(head.length) + "\r\n";
    if (head.framing == Framing::kChunked) out += "Transfer-Encoding: chunked\r\n";
    if (!head.connection.empty()) {
        out += "Connection: ";
        out += head.connection;
        out += "\r\n";
    }
    out += "\r\n";
    return out;
}

std::string chunk_line(std::size_t bytes) {
    char digits[2 * sizeof(bytes)];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), bytes, 16).ptr;
    std::string out(digits, end);
    out += "\r\n";
    return out;
}

}  // namespace skerry::server
