#include "collected.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace skerry::values {

namespace {

unsigned hex4(const std::string& text, std::size_t at) { return static_cast<unsigned>(std::stoul(text.substr(at, 4), nullptr, 16)); }

void append_utf8(std::string& out, unsigned code) {
    const auto put = [&out](unsigned byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
        put(0xc0 | code >> 6);
    } else if (code < 0x10000) {
        put(0xe0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3f));
    } else {
        put(0xf0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3f));
        put(0x80 | (code >> 6 & 0x3f));
    }
    put(0x80 | (code & 0x3f));
}

}  // namespace

std::vector<std::string> strings_in(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(file.good()) << path;
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    std::vector<std::string> found;
    for (std::size_t at = text.find('"'); at != std::string::npos; at = text.find('"', at + 1)) {
        std::string& out = found.emplace_back();
        for (++at; text.at(at) != '"'; ++at) {
            if (text[at] != '\\') {
                out += text[at];
                continue;
            }
            const char c = text.at(++at);
            const std::size_t named = std::string_view("bfnrt").find(c);
            if (named != std::string_view::npos) out += "\b\f\n\r\t"[named];
            else if (c != 'u') out += c;
            else {
                unsigned code = hex4(text, at + 1);
                at += 4;
                if (code >= 0xd800 && code < 0xdc00 && text.compare(at + 1, 2, "\\u") == 0) {
                    code = 0x10000 + ((code - 0xd800) << 10) + (hex4(text, at + 3) - 0xdc00);
                    at += 6;
                }
                append_utf8(out, code);
            }
        }
    }
    return found;
}

}  // namespace skerry::values
