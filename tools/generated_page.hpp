// What every program does that writes a page of docs/ from the code.
#pragma once

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

namespace skerry {

// PROGRAM FILE writes the page; PROGRAM FILE --check: exit code 1 if the file differs.
inline int write_or_check(int argc, char** argv, const std::string& page) {
    const bool check = argc == 3 && std::string(argv[2]) == "--check";
    if (argc < 2 || argc > 3 || (argc == 3 && !check)) {
        std::fprintf(stderr, "usage: %s FILE [--check]\n", argv[0]);
        return 2;
    }
    if (check) {
        std::ifstream in(argv[1], std::ios::binary);
        const std::string there{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        if (there == page) return 0;
        std::fprintf(stderr, "%s is not what the code says; run: cmake --build build/release --target docs\n", argv[1]);
        return 1;
    }
    std::ofstream out(argv[1], std::ios::binary);
    out << page;
    out.close();
    return out ? 0 : 1;
}

}  // namespace skerry
