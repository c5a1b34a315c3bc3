// Feeds files to a fuzzer without libFuzzer, in any build:  skerry_corpus NAME FILE-OR-FOLDER…
// A breach stops the program; the line before it names the file.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#define FUZZER(NAME) extern "C" int skerry_fuzz_##NAME(const std::uint8_t* data, std::size_t size);
SKERRY_FUZZERS
#undef FUZZER

namespace {

using One = int (*)(const std::uint8_t*, std::size_t);

One fuzzer_named(std::string_view wanted) {
#define FUZZER(NAME) \
    if (wanted == #NAME) return skerry_fuzz_##NAME;
    SKERRY_FUZZERS
#undef FUZZER
    return nullptr;
}

std::vector<std::filesystem::path> files_of(const std::filesystem::path& place) {
    if (!std::filesystem::is_directory(place)) return {place};
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(place)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

int main(int count, char** arguments) {
    const One one = count < 3 ? nullptr : fuzzer_named(arguments[1]);
    if (one == nullptr) {
        std::fprintf(stderr, "usage: %s NAME FILE-OR-FOLDER…   feeds files to the fuzzer NAME of tests/fuzz/limits.txt\n", arguments[0]);
        return 2;
    }
    std::size_t files = 0;
    for (int i = 2; i < count; ++i) {
        for (const auto& file : files_of(arguments[i])) {
            std::ifstream in(file, std::ios::binary);
            const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
            if (!in) {
                std::fprintf(stderr, "%s cannot be read\n", file.c_str());
                return 1;
            }
            std::printf("%s\n", file.c_str());
            std::fflush(stdout);
            one(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
            ++files;
        }
    }
    std::printf("%zu files\n", files);
    return files == 0 ? 1 : 0;
}
