// Every model in tests/models/bad is refused with exactly the faults of the .txt beside it: "LINE:COLUMN code text".
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "model/yaml/reader.hpp"

namespace skerry::model {
namespace {

std::string whole(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

std::vector<std::filesystem::path> bad_models() {
    std::vector<std::filesystem::path> out;
    for (const auto& entry : std::filesystem::directory_iterator(SKERRY_BAD_MODELS))
        if (entry.path().extension() == ".yaml") out.push_back(entry.path());
    std::sort(out.begin(), out.end());
    return out;
}

TEST(BadModels, are_refused_with_place_and_remedy) {
    const auto models = bad_models();
    EXPECT_GE(models.size(), 100u);
    for (const auto& path : models) {
        auto expected = path;
        expected.replace_extension(".txt");
        const ModelReading reading = read_model_faults(whole(path));
        EXPECT_FALSE(reading.model) << path;
        std::string faults;
        for (const ModelFault& fault : reading.faults)
            faults += std::to_string(fault.line) + ":" + std::to_string(fault.column) + " " +
                      std::string(code_name(fault.code)) + " " + fault.text + "\n";
        EXPECT_EQ(faults, whole(expected)) << path;
    }
}

}  // namespace
}  // namespace skerry::model
