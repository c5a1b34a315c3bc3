// The JSON Parsing Test Suite (https://github.com/nst/JSONTestSuite): y_ must be taken, n_ must not, i_ is up to the reader.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/text.hpp"
#include "collected.hpp"
#include "model/json.hpp"
#include "model/value.hpp"

namespace skerry::values {
namespace {

struct Case {
    std::string name;
    std::string input;
    // The package holds texts, not bytes: what was no UTF-8 has become U+FFFD, and its name no longer says what it is.
    bool damaged() const { return input.find("\xef\xbf\xbd") != std::string::npos; }
};

std::vector<Case> cases_of(const std::string& path) {
    const std::vector<std::string> strings = strings_in(path);
    std::vector<Case> cases;
    // Each has a member "name", one "input" and perhaps "error": true. No input is one of these words.
    for (std::size_t i = 0; i + 1 < strings.size(); ++i) {
        if (strings[i] == "name") cases.push_back({strings[i + 1], {}});
        if (strings[i] == "input") cases.back().input = strings[i + 1];
    }
    return cases;
}

// The limits that json.hpp declares; a valid text is refused for one of these only.
bool is_declared_limit(const Error& error) {
    for (const char* limit : {"a name is there twice", "a lone surrogate", "NUL", "an integer beyond 2^53", "larger than a double", "nested too deep", "not UTF-8"})
        if (error.message.find(limit) != std::string::npos) return true;
    return false;
}

// What was taken is kept, as a json attribute and as a text.
void expect_kept(const Case& c, const std::string& canonical) {
    const auto again = model::canonical_json(canonical);
    ASSERT_TRUE(again) << canonical;
    EXPECT_EQ(*again, canonical);
    const model::Entity entity{"e", {"id", model::Type::kText}};
    const model::Attribute json{"a", model::Type::kJson};
    const auto value = model::canonical(entity, json, c.input);
    ASSERT_TRUE(value) << describe(value.error());
    EXPECT_EQ(*value, canonical == "null" ? Value{Null{}} : Value{canonical});
    EXPECT_TRUE(model::check_value(entity, json, *value));
    std::string text;
    model::append_json(text, json, *value);
    EXPECT_EQ(text, canonical);
}

void run(const Case& c, int& taken, int& limited) {
    SCOPED_TRACE(c.name);
    const auto made = model::canonical_json(c.input);
    if (made) {
        ++taken;
        expect_kept(c, *made);
    } else {
        EXPECT_EQ(made.error().code, Code::kValueInvalid);
        EXPECT_NE(made.error().message.find("at byte"), std::string::npos);
    }
    if (c.damaged()) return;
    if (c.name.starts_with("n_")) { EXPECT_FALSE(made); }
    if (c.name.starts_with("y_") && !made) {
        ++limited;
        EXPECT_TRUE(is_declared_limit(made.error())) << made.error().message;
    }
}

TEST(JsonSuite, what_is_json_is_taken_what_is_none_is_refused) {
    const std::vector<Case> cases = cases_of(SKERRY_JSON_SUITE "/parsing.js");
    EXPECT_GT(cases.size(), 300u) << "the collection has shrunk";
    int taken = 0;
    int limited = 0;
    for (const Case& c : cases) run(c, taken, limited);
    EXPECT_GT(taken, 90);
    EXPECT_LT(limited, 10) << "more of the valid ones are refused than the declared limits explain";
}

// Numbers at the ends, names that are equal or nearly so, characters that are none: kept to the digit and byte or refused.
TEST(JsonSuite, what_readers_disagree_about_is_kept_or_refused) {
    const std::vector<Case> cases = cases_of(SKERRY_JSON_SUITE "/transform.js");
    EXPECT_GT(cases.size(), 15u);
    int taken = 0;
    int limited = 0;
    for (const Case& c : cases) {
        run(c, taken, limited);
        const auto made = model::canonical_json(c.input);
        SCOPED_TRACE(c.name);
        if (c.name.starts_with("object_same_key") || c.name.find("escaped_invalid") != std::string::npos || c.name.find("NULL") != std::string::npos) { EXPECT_FALSE(made); }
        if (c.name.starts_with("object_key_nf")) {
            ASSERT_TRUE(made);
            EXPECT_EQ(model::json_members(*made)->size(), 2u);
        }
        if (made && c.name.starts_with("number_")) {
            const auto elements = model::json_elements(*made);
            ASSERT_TRUE(elements);
            EXPECT_EQ(std::strtod(elements->front().c_str(), nullptr), std::strtod(c.input.c_str() + 1, nullptr));
        }
    }
    EXPECT_GT(taken, 4);
}

}  // namespace
}  // namespace skerry::values
