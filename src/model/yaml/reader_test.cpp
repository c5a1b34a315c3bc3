#include "model/yaml/reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skerry::model {
namespace {

using testing::HasSubstr;

constexpr std::string_view kGood = R"(app: places
version: 3
access: open
entities:
  place:
    attributes:
      id: uuid
      name: text        # a comment
      population: { type: int, merge: last }
  tag:
    key: word
    attributes: { meaning: "text", word: text }
)";

std::string in_entity(std::string_view attributes) {
    return "app: a\nversion: 1\naccess: open\nentities:\n  thing:\n    attributes:\n      id: uuid\n" +
           std::string(attributes);
}

Error fault_of(std::string_view yaml) {
    const auto model = read_model(yaml, "m.yaml");
    EXPECT_FALSE(model) << yaml;
    return model ? Error{} : model.error();
}

TEST(ModelReader, ReadsShortAndFullForms) {
    const auto model = read_model(kGood, "model.yaml");
    ASSERT_TRUE(model) << describe(model.error());
    EXPECT_EQ(model->app, "places");
    EXPECT_EQ(model->version, 3u);
    ASSERT_EQ(model->entities.size(), 2u);
    const Entity& place = model->entities[0];
    EXPECT_EQ(place.name, "place");
    EXPECT_EQ(place.key.name, "id");
    EXPECT_EQ(place.key.type, Type::kUuid);
    ASSERT_EQ(place.attributes.size(), 2u);
    EXPECT_EQ(place.attributes[1].name, "population");
    EXPECT_EQ(place.attributes[1].type, Type::kInt);
    EXPECT_EQ(place.attributes[1].merge, Merge::kLast);
    EXPECT_EQ(model->entities[1].key.name, "word");
    EXPECT_EQ(model->entities[1].key.type, Type::kText);
}

TEST(ModelReader, KeyWordGoesBeforeAnAttributeCalledId) {
    const auto model = read_model("app: a\nversion: 1\naccess: open\nentities: {t: {key: k, attributes: {id: int, k: text}}}", "m");
    ASSERT_TRUE(model) << describe(model.error());
    EXPECT_EQ(model->entities[0].key.name, "k");
    EXPECT_EQ(model->entities[0].attributes[0].name, "id");
}

TEST(ModelReader, MissingAccessIsRefusedByName) {
    const Error error = fault_of("app: a\nversion: 1\nentities: {t: {attributes: {id: uuid}}}\n");
    EXPECT_EQ(error.code, Code::kModelInvalid);
    EXPECT_THAT(error.message, HasSubstr("m.yaml:1:1: `access:` is missing"));
    EXPECT_THAT(error.message, HasSubstr("access: open"));
}

struct Refused {
    std::string name;
    std::string yaml;
    Code code;
    std::string message;
};

class Refusals : public testing::TestWithParam<Refused> {};

TEST_P(Refusals, AreNamedWithTheirPlace) {
    const Error error = fault_of(GetParam().yaml);
    EXPECT_EQ(code_name(error.code), code_name(GetParam().code)) << error.message;
    EXPECT_THAT(error.message, HasSubstr(GetParam().message));
}

std::string at_top(std::string_view line) {
    return std::string(line) + "\napp: a\nversion: 1\naccess: open\nentities: {t: {attributes: {id: uuid}}}\n";
}
std::string on_entity(std::string_view line) {
    return "app: a\nversion: 1\naccess: open\nentities:\n  t:\n    attributes: {id: uuid, n: int}\n    " +
           std::string(line) + "\n";
}

INSTANTIATE_TEST_SUITE_P(
    NotYet, Refusals,
    testing::Values(
        Refused{"principal", at_top("principal: {me: select 1}"), Code::kNotSupported, "m.yaml:1:1: `principal:` is not supported yet"},
        Refused{"profiles", at_top("profiles: {field: {t: all}}"), Code::kNotSupported, "m.yaml:1:1: `profiles:`"},
        Refused{"rules", "app: a\nversion: 1\naccess: {t: {read: true}}\nentities: {t: {attributes: {id: uuid}}}", Code::kNotSupported, "m.yaml:3:10: rules in `access:`"},
        Refused{"conflict", on_entity("conflict: detect"), Code::kNotSupported, "m.yaml:7:5: `conflict:` of entity 't'"},
        Refused{"on_delete", on_entity("on_delete: {n: cascade}"), Code::kNotSupported, "`on_delete:`"},
        Refused{"indexes", on_entity("indexes: [[n]]"), Code::kNotSupported, "`indexes:`"},
        Refused{"unique", on_entity("unique: [[n]]"), Code::kNotSupported, "`unique:`"},
        Refused{"strict", on_entity("strict: true"), Code::kNotSupported, "`strict:`"},
        Refused{"composite_key", on_entity("key: [id, n]"), Code::kNotSupported, "a key of several attributes"},
        Refused{"required", in_entity("      n: text!\n"), Code::kNotSupported, "m.yaml:8:10: attribute 'thing.n': required (!)"},
        Refused{"default_value", in_entity("      n: text = x\n"), Code::kNotSupported, "a default (= value)"},
        Refused{"list", in_entity("      n: [a, b]\n"), Code::kNotSupported, "a list of values (enum)"},
        Refused{"list_default", in_entity("      n: [a, b] = a\n      m: int\n"), Code::kNotSupported, "m.yaml:8:10: an enum with a default"},
        Refused{"real", in_entity("      n: real\n"), Code::kNotSupported, "the type 'real'"},
        Refused{"decimal", in_entity("      n: decimal(10, 2)\n"), Code::kNotSupported, "the type 'decimal'"},
        Refused{"boolean", in_entity("      n: bool\n"), Code::kNotSupported, "the type 'bool'"},
        Refused{"date", in_entity("      n: date\n"), Code::kNotSupported, "the type 'date'"},
        Refused{"timestamp", in_entity("      n: timestamp\n"), Code::kNotSupported, "the type 'timestamp'"},
        Refused{"json", in_entity("      n: json\n"), Code::kNotSupported, "the type 'json'"},
        Refused{"blob", in_entity("      n: blob\n"), Code::kNotSupported, "the type 'blob'"},
        Refused{"set", in_entity("      n: set\n"), Code::kNotSupported, "the type 'set'"},
        Refused{"order", in_entity("      n: order\n"), Code::kNotSupported, "the type 'order'"},
        Refused{"file", in_entity("      n: file\n"), Code::kNotSupported, "the type 'file'"},
        Refused{"association", in_entity("      n: thing\n"), Code::kNotSupported, "an association to 'thing'"},
        Refused{"check", in_entity("      n: {type: int, check: \"n > 0\"}\n"), Code::kNotSupported, "`check:` of attribute 'thing.n'"},
        Refused{"default_word", in_entity("      n: {type: int, default: 1}\n"), Code::kNotSupported, "`default:`"},
        Refused{"counter", in_entity("      n: {type: int, merge: counter}\n"), Code::kNotSupported, "m.yaml:8:29: attribute 'thing.n': `merge: counter`"},
        Refused{"latest", in_entity("      n: {type: int, merge: latest}\n"), Code::kNotSupported, "`merge: latest`"},
        Refused{"rule", in_entity("      n: {type: int, merge: {rule: f.lua}}\n"), Code::kNotSupported, "`merge: rule`"},
        Refused{"integer_key", "app: a\nversion: 1\naccess: open\nentities: {t: {attributes: {id: int}}}", Code::kNotSupported, "an integer key"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Invalid, Refusals,
    testing::Values(
        Refused{"empty", "", Code::kModelInvalid, "m.yaml:1:1: the file is empty"},
        Refused{"only_comment", "# nothing\n", Code::kModelInvalid, "m.yaml:1:1: "},
        Refused{"scalar", "hello", Code::kModelInvalid, "a model is a map"},
        Refused{"not_yaml", "app: [", Code::kModelInvalid, "not YAML"},
        Refused{"two_documents", std::string(kGood) + "---\napp: b\n", Code::kModelInvalid, "several YAML documents"},
        Refused{"twice", std::string(kGood) + "app: b\n", Code::kModelInvalid, "'app' is written twice, first on line 1"},
        Refused{"twice_attribute", in_entity("      id: text\n"), Code::kModelInvalid, "m.yaml:8:7: 'id' is written twice"},
        Refused{"anchor", in_entity("      n: &x text\n"), Code::kModelInvalid, "anchors"},
        Refused{"alias", in_entity("      n: &x text\n      m: *x\n"), Code::kModelInvalid, "aliases"},
        Refused{"tag", in_entity("      n: !!str text\n"), Code::kModelInvalid, "the tag"},
        Refused{"unknown_top", at_top("entitys: {}"), Code::kModelInvalid, "unknown word 'entitys'; did you mean 'entities'?"},
        Refused{"unknown_entity", on_entity("attribute: {}"), Code::kModelInvalid, "did you mean 'attributes'?"},
        Refused{"unknown_attribute", in_entity("      n: {typ: int}\n"), Code::kModelInvalid, "did you mean 'type'?"},
        Refused{"unknown_type", in_entity("      n: txt\n"), Code::kModelInvalid, "unknown type 'txt'; did you mean 'text'?"},
        Refused{"foreign_type", in_entity("      n: varchar\n"), Code::kModelInvalid, "known here: uuid, text, int"},
        Refused{"unknown_merge", in_entity("      n: {type: int, merge: lst}\n"), Code::kModelInvalid, "did you mean 'last'?"},
        Refused{"no_type", in_entity("      n:\n"), Code::kModelInvalid, "has no type"},
        Refused{"no_key", "app: a\nversion: 1\naccess: open\nentities: {t: {attributes: {n: int}}}", Code::kModelInvalid, "has no key"},
        Refused{"wrong_key", on_entity("key: idd"), Code::kModelInvalid, "did you mean 'id'?"},
        Refused{"key_merge", "app: a\nversion: 1\naccess: open\nentities: {t: {attributes: {id: {type: uuid, merge: last}}}}", Code::kModelInvalid, "is the key"},
        Refused{"version_zero", "app: a\nversion: 0\naccess: open\nentities: {t: {attributes: {id: uuid}}}", Code::kModelInvalid, "m.yaml:2:10: `version:`"},
        Refused{"version_word", "app: a\nversion: one\naccess: open\nentities: {t: {attributes: {id: uuid}}}", Code::kModelInvalid, "`version:`"},
        Refused{"bad_name", in_entity("      Name: text\n"), Code::kModelInvalid, "the attribute name 'Name'"},
        Refused{"reserved_name", "app: a\nversion: 1\naccess: open\nentities: {skerry_x: {attributes: {id: uuid}}}", Code::kModelInvalid, "the entity name 'skerry_x'"},
        Refused{"no_entities", "app: a\nversion: 1\naccess: open\nentities: {}", Code::kModelInvalid, "at least one entity"},
        Refused{"access_word", "app: a\nversion: 1\naccess: all\nentities: {t: {attributes: {id: uuid}}}", Code::kModelInvalid, "`access:` must be `open`"},
        Refused{"map_as_key", at_top("? {a: b}\n: c"), Code::kModelInvalid, "a name must stand here"},
        Refused{"not_utf8", "app: \xff\n", Code::kModelInvalid, "not UTF-8"}),
    [](const auto& test) { return test.param.name; });

TEST(ModelReader, ListsEveryFaultInTheOrderOfTheFile) {
    const Error error = fault_of(
        "app: a\nversion: 1\naccess: open\nentities:\n  t:\n    attributes:\n      id: uuid\n      a: real\n"
        "      b: txt\n    unique: [[a]]\n");
    EXPECT_EQ(error.code, Code::kModelInvalid);  // one thing is wrong, two are not yet
    const std::size_t first = error.message.find("m.yaml:8:10:");
    const std::size_t second = error.message.find("\nm.yaml:9:10:");
    const std::size_t third = error.message.find("\nm.yaml:10:5:");
    EXPECT_LT(first, second);
    EXPECT_LT(second, third);
    EXPECT_NE(third, std::string::npos) << error.message;
}

TEST(ModelReader, ManyFaultsAreCounted) {
    std::string attributes;
    for (int i = 0; i < 80; ++i) attributes += "      a" + std::to_string(i) + ": real\n";
    const Error error = fault_of(in_entity(attributes));
    EXPECT_THAT(error.message, HasSubstr("\nand 30 more faults"));
}

TEST(ModelReader, BoundsSizeAndDepth) {
    EXPECT_THAT(fault_of(std::string(kModelFileBytesMax + 1, '#')).message, HasSubstr("the limit is 1,048,576"));
    const auto nested = [](int depth) {
        return "app: " + std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']') + "\n";
    };
    EXPECT_THAT(fault_of(nested(40)).message, HasSubstr("more than 16 levels deep"));
    EXPECT_EQ(fault_of(nested(100'000)).code, Code::kModelInvalid);  // returns, whatever it says
    EXPECT_EQ(fault_of(std::string(500'000, '[')).code, Code::kModelInvalid);
    EXPECT_EQ(fault_of(std::string(500'000, '{')).code, Code::kModelInvalid);
}

TEST(ModelReader, NamesInMessagesCarryNoControlCharacters) {
    const Error error = fault_of(at_top("\"\\e[31mx\\n\": 1"));
    for (const char c : error.message) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20) << error.message;
}

// Whatever the bytes are: an answer, no exception, no crash.
TEST(ModelReader, DamagedFilesGetAnAnswer) {
    for (std::size_t cut = 0; cut < kGood.size(); ++cut) {
        (void)read_model(kGood.substr(0, cut), "m.yaml");
        for (const char c : {'\0', '\t', '[', '}', '&', '!', ':', '\xff'}) {
            std::string changed(kGood);
            changed[cut] = c;
            (void)read_model(changed, "m.yaml");
        }
    }
}

}  // namespace
}  // namespace skerry::model
