#include "server/ops/line_log.hpp"

#include <array>
#include <cstdio>

#include "base/text.hpp"

namespace skerry::server::ops {

namespace {

constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warning", "error"};
constexpr std::string_view kTokenPrefix = "skt_";
constexpr std::string_view kHidden = "[hidden]";

bool is_token_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// The bytes of the UTF-8 character that `text` begins with; 0 when it begins with none.
std::size_t character_length(std::string_view text) {
    for (std::size_t length = 1; length <= 4 && length <= text.size(); ++length)
        if (is_clean_text(text.substr(0, length))) return length;
    return 0;
}

// C0, DEL, C1, and marks that turn the reading direction, break lines or are not seen.
bool is_control(char32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
}

char32_t code_point(std::string_view character) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
    if (character.size() == 1) return byte(0);
    char32_t code = byte(0) & (0xffu >> (character.size() + 1));
    for (std::size_t i = 1; i < character.size(); ++i) code = (code << 6) | (byte(i) & 0x3fu);
    return code;
}

void put_escape(std::string& out, unsigned unit) {
    char buffer[8];
    std::snprintf(buffer, sizeof buffer, "\\u%04x", unit);
    out += buffer;
}

}  // namespace

std::string_view level_name(LogLevel level) { return kLevels[static_cast<std::size_t>(level)]; }

std::optional<LogLevel> level_named(std::string_view name) {
    for (std::size_t i = 0; i < kLevels.size(); ++i)
        if (kLevels[i] == name) return static_cast<LogLevel>(i);
    return std::nullopt;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const std::size_t length = character_length(text);
        const std::string_view character = text.substr(0, length == 0 ? 1 : length);
        text.remove_prefix(character.size());
        const char32_t code = length == 0 ? 0xfffd : code_point(character);
        if (character == "\"" || character == "\\") out += '\\';
        if (length == 0 || is_control(code)) {
            put_escape(out, static_cast<unsigned>(code));  // none of them is beyond U+FFFF
        } else {
            out += character;
        }
    }
    return out + "\"";
}

std::string without_tokens(std::string_view text) {
    std::string out;
    for (std::size_t at = text.find(kTokenPrefix); at != std::string_view::npos; at = text.find(kTokenPrefix)) {
        out += text.substr(0, at + kTokenPrefix.size());
        text.remove_prefix(at + kTokenPrefix.size());
        std::size_t end = 0;
        while (end < text.size() && is_token_character(text[end])) ++end;
        if (end > 0) out += kHidden;
        text.remove_prefix(end);
    }
    out += text;
    return out;
}

void LineLog::line(LogLevel level, std::string_view text) {
    if (level < options_.least) return;
    const std::string time = timestamp_text(clock_.wall());
    const std::string name(level_name(level));
    const std::string message = quoted(without_tokens(text));
    write_(options_.format == LogFormat::kJson
               ? "{\"time\":\"" + time + "\",\"level\":\"" + name + "\",\"message\":" + message + "}\n"
               : "time=" + time + " level=" + name + " message=" + message + "\n");
}

}  // namespace skerry::server::ops
