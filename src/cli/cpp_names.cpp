// Names and literals of the generated header: what a model may call things is more than what C++ may.
#include <algorithm>
#include <cstdio>

#include "cli/cpp_header.hpp"

namespace skerry::cli {

namespace {

// Lower-case words only: names of a model have no capitals. `values` and `from_row` are the header's own.
constexpr std::string_view kTaken[] = {
    "alignas",     "alignof",  "and",        "and_eq",    "asm",       "auto",         "bitand",
    "bitor",       "bool",     "break",      "case",      "catch",     "char",         "char8_t",
    "char16_t",    "char32_t", "class",      "co_await",  "co_return", "co_yield",     "compl",
    "concept",     "const",    "const_cast", "consteval", "constexpr", "constinit",    "continue",
    "decltype",    "default",  "delete",     "do",        "double",    "dynamic_cast", "else",
    "enum",        "explicit", "export",     "extern",    "false",     "float",        "for",
    "friend",      "goto",     "if",         "inline",    "int",       "long",         "mutable",
    "namespace",   "new",      "noexcept",   "not",       "not_eq",    "nullptr",      "operator",
    "or",          "or_eq",    "private",    "protected", "public",    "register",     "reinterpret_cast",
    "requires",    "return",   "short",      "signed",    "sizeof",    "static",       "static_assert",
    "static_cast", "struct",   "switch",     "template",  "this",      "thread_local", "throw",
    "true",        "try",      "typedef",    "typeid",    "typename",  "union",        "unsigned",
    "using",       "virtual",  "void",       "volatile",  "wchar_t",   "while",        "xor",
    "xor_eq",      "values",   "from_row",   "std",       "skerry",    "detail",       "errno",
    "linux",       "unix",     "stdin",      "stdout",    "stderr",    "assert"};  // the last six are macros of common
                                                                                   // headers

bool is_taken(std::string_view word) {
    return std::find(std::begin(kTaken), std::end(kTaken), word) != std::end(kTaken);
}

bool is_word_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

bool is_cpp_namespace(std::string_view text) {
    for (;;) {
        const std::size_t end = text.find("::");
        const std::string_view part = text.substr(0, end);
        if (part.empty() || is_taken(part) || (part[0] >= '0' && part[0] <= '9') ||
            !std::all_of(part.begin(), part.end(), is_word_character))
            return false;
        if (end == std::string_view::npos) return true;
        text.remove_prefix(end + 2);
    }
}

std::string cpp_member(std::string_view attribute) {
    // Two underscores in a row are the compiler's own.
    std::string out;
    for (const char c : attribute)
        if (c != '_' || out.empty() || out.back() != '_') out += c;
    return is_taken(out) ? out + "_" : out;
}

std::string cpp_type_name(std::string_view name) {
    std::string out;
    bool begins = true;
    for (const char c : name) {
        if (!is_word_character(c) || c == '_') {
            begins = true;
            continue;
        }
        out += begins && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        begins = false;
    }
    return out;
}

std::string cpp_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            char octal[8];
            std::snprintf(octal, sizeof octal, "\\%03o", static_cast<unsigned>(static_cast<unsigned char>(c)));
            out += octal;
        } else {
            out += c;
        }
    }
    return out + "\"";
}

}  // namespace skerry::cli
