#include "host/native/server_url.hpp"

#include <algorithm>
#include <charconv>

namespace skerry::host {

namespace {

constexpr std::size_t kUrlBytesMax = 2000;  // beyond it proxies begin to refuse

bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_host_char(char c) {
    return is_alnum(c) || c == '-' || c == '.' || c == '_';
}
bool is_v6_char(char c) {
    return c == ':' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}
bool is_path_char(char c) {
    return is_alnum(c) || std::string_view("-._~!$&'()*+,;=:@%/").find(c) != std::string_view::npos;
}

bool takes_prefix(std::string_view& text, std::string_view prefix) {
    if (text.size() < prefix.size()) return false;
    for (std::size_t i = 0; i < prefix.size(); ++i)
        if ((text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]) != prefix[i])
            return false;
    text.remove_prefix(prefix.size());
    return true;
}

tl::unexpected<Error> bad(std::string_view why) {
    return fail(Code::kInvalidArgument,
                "the server's address " + std::string(why) + "; it looks like http://host:port");
}

}  // namespace

Result<ServerUrl> parse_server_url(std::string_view text) {
    if (text.size() > kUrlBytesMax) return bad("is too long");
    // Whoever puts a password or a token into a URL finds it in every log on the way.
    if (text.find('@') != std::string_view::npos)
        return bad("must not contain a user name or password (the token is given separately)");
    if (text.find_first_of("?#") != std::string_view::npos)
        return bad("must not contain a query or fragment");
    if (takes_prefix(text, "https://"))
        return fail(Code::kNotSupported,
                    "https is not supported yet: put a TLS proxy (stunnel, a sidecar) on this "
                    "machine in front, and give its http:// address");
    if (!takes_prefix(text, "http://")) return bad("does not begin with http://");

    ServerUrl url;
    const std::size_t slash = std::min(text.find('/'), text.size());
    std::string_view authority = text.substr(0, slash);
    std::string_view path = text.substr(slash);
    if (authority.starts_with('[')) {
        const std::size_t end = authority.find(']');
        if (end == std::string_view::npos) return bad("has a [ without ]");
        url.host = authority.substr(1, end - 1);
        authority.remove_prefix(end + 1);
        if (url.host.empty() || !std::ranges::all_of(url.host, is_v6_char))
            return bad("has no IPv6 address between [ and ]");
        url.authority = "[" + url.host + "]";
    } else {
        const std::size_t colon = std::min(authority.find(':'), authority.size());
        url.host = authority.substr(0, colon);
        authority.remove_prefix(colon);
        if (url.host.empty()) return bad("has no host");
        if (!std::ranges::all_of(url.host, is_host_char))
            return bad("has a host with a character that names do not have");
        url.authority = url.host;
    }
    if (!authority.empty()) {
        if (authority.front() != ':') return bad("has something odd after its host");
        authority.remove_prefix(1);
        const char* end = authority.data() + authority.size();
        const auto parsed = std::from_chars(authority.data(), end, url.port);
        if (parsed.ec != std::errc{} || parsed.ptr != end || url.port == 0)
            return bad("has no port between 1 and 65535 after the colon");
    }
    if (url.port != 80) url.authority += ":" + std::to_string(url.port);
    while (path.ends_with('/')) path.remove_suffix(1);
    if (!std::ranges::all_of(path, is_path_char)) return bad("has a path with an odd character");
    url.prefix = path;
    return url;
}

}  // namespace skerry::host
