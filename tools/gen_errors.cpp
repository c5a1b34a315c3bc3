// Writes docs/errors.md from the table in src/base/error_table.cpp, or checks that it is up to date:
//   skerry_gen_errors docs/errors.md          writes
//   skerry_gen_errors docs/errors.md --check  exit code 1 if the file differs
#include <string>

#include "base/error_table.hpp"
#include "generated_page.hpp"

namespace skerry {
namespace {

// Headings before the code with that number and higher; the ranges are those of skerry/error.hpp.
struct Group {
    std::uint16_t from;
    std::string_view heading;
};
constexpr Group kGroups[] = {
    {1, "Calls and files"},          {30, "The model"}, {40, "What an app writes"}, {60, "What is sent"},
    {70, "Reaching the server"}, {90, "Verdicts on a transaction"},
};

std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|' || c == '<') out += '\\';
        out += c;
    }
    return out;
}

std::string errors_page() {
    std::string out =
        "# Errors\n"
        "\n"
        "Every failure has a code that never changes its meaning, and a message that says what happened this time.\n"
        "The command line prints `code: message`, what was being done, and what to do; in C++ it is `skerry::Error`\n"
        "(`include/skerry/error.hpp`), in a draft or a conflict the code's number is stored.\n";
    std::size_t next = 0;
    for (const ErrorEntry& entry : error_table()) {
        const auto number = static_cast<std::uint16_t>(entry.code);
        bool begins = false;
        std::string_view heading;
        while (next < std::size(kGroups) && number >= kGroups[next].from) {
            heading = kGroups[next++].heading;
            begins = true;
        }
        if (begins)
            out += "\n## " + std::string(heading) + "\n\n| number | code | what it means | what to do |\n|---|---|---|---|\n";
        out += "| " + std::to_string(number) + " | `" + std::string(entry.name) + "` | " + cell(entry.cause) + " | " +
               cell(entry.remedy) + " |\n";
    }
    return out + "\nThis page is generated from `src/base/error_table.cpp`; `cmake --build build/release --target docs` writes it anew.\n";
}

}  // namespace
}  // namespace skerry

int main(int argc, char** argv) { return skerry::write_or_check(argc, argv, skerry::errors_page()); }
