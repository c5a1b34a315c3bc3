// Small decoders of text; the first byte says which: a settings file, the address of a server, a query of `principal:`, the short
// form of a type, hexadecimal and base64, what goes into a log.
#include "base/text.hpp"
#include "fuzz.hpp"
#include "host/native/server_url.hpp"
#include "model/yaml/query.hpp"
#include "model/yaml/type_text.hpp"
#include "server/ops/line_log.hpp"
#include "server/ops/settings.hpp"

namespace {

using namespace skerry;

void settings(std::string_view text) {
    const auto given = server::ops::parse_settings(text, "fuzz.conf");
    if (!given) return;
    const auto resolved = server::ops::resolve(*given);
    SKERRY_ASSERT(resolved && resolved->values.size() == server::ops::setting_infos().size());
    const auto again = server::ops::parse_settings(server::ops::settings_text(resolved->values), "again.conf");
    SKERRY_ASSERT(again && again->size() == resolved->values.size());
    for (std::size_t i = 0; i < again->size(); ++i)
        SKERRY_ASSERT((*again)[i].name == resolved->values[i].name && (*again)[i].value == resolved->values[i].value);
}

void server_url(std::string_view text) {
    const auto url = host::parse_server_url(text);
    if (!url) return;
    const auto again = host::parse_server_url("http://" + url->authority + url->prefix);
    SKERRY_ASSERT(again && again->host == url->host && again->port == url->port && again->prefix == url->prefix);
    SKERRY_ASSERT(url->authority.find_first_of("\r\n") == std::string::npos && url->prefix.find_first_of("\r\n ") == std::string::npos);
}

void query(std::string_view text) {
    const model::yaml::QueryScan scan = model::yaml::scan_query(text);
    for (const std::string& name : scan.parameters) SKERRY_ASSERT(text.find(":" + name) != std::string_view::npos);
}

void octets(std::string_view text) {
    SKERRY_ASSERT(unhex(hex(text)) == Bytes(text) && unbase64(base64(text)) == Bytes(text));
    if (const auto bytes = unbase64(text)) SKERRY_ASSERT(base64(*bytes) == text);
    static_cast<void>(unhex(text));
    static_cast<void>(is_clean_text(text));
}

void log_text(std::string_view text) {
    for (const char c : server::ops::quoted(text)) SKERRY_ASSERT(static_cast<unsigned char>(c) >= ' ');
    using server::ops::without_tokens;
    SKERRY_ASSERT(without_tokens(without_tokens(text)) == without_tokens(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::string_view text = fuzz::view(data + 1, size - 1);
    switch (data[0] % 6) {
        case 0: settings(text); break;
        case 1: server_url(text); break;
        case 2: query(text); break;
        case 3: static_cast<void>(model::yaml::parse_type(text)); break;
        case 4: octets(text); break;
        default: log_text(text); break;
    }
    return 0;
}
