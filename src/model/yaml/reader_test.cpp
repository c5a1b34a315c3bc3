#include "model/yaml/reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skerry::model {
namespace {

using testing::ElementsAre;
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
    ASSERT_EQ(model->entities.size(), 3u);
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

Model sound(std::string_view yaml) {
    const auto model = read_model(yaml, "m.yaml");
    EXPECT_TRUE(model) << describe(model.error());
    return model ? *model : Model{};
}

const Attribute& attribute(const Model& model, std::string_view entity, std::string_view name) {
    const Entity* found = model.find(entity);
    return found->attributes[*found->attribute_named(name)];
}

TEST(ModelReader, every_type_in_its_short_form) {
    const Model model = sound(in_entity(R"(
      a: text!
      b: int = -5
      c: real! = 0.5
      d: decimal(10, 2) = 12.5
      e: bool = true
      f: date = 2026-11-21
      g: timestamp
      h: json
      i: blob
      j: set
      k: [open, closed]
      l: enum(open, 'on hold', closed)! = on hold
      m: uuid
      n: text = a = b
)"));
    const Entity& thing = model.entities[0];
    ASSERT_EQ(thing.attributes.size(), 14u);
    constexpr Type kTypes[] = {Type::kText, Type::kInt, Type::kReal, Type::kDecimal, Type::kBool, Type::kDate, Type::kTimestamp,
                               Type::kJson, Type::kBlob, Type::kSet, Type::kEnum, Type::kEnum, Type::kUuid, Type::kText};
    for (std::size_t i = 0; i < 14; ++i) EXPECT_EQ(thing.attributes[i].type, kTypes[i]) << thing.attributes[i].name;
    EXPECT_TRUE(thing.attributes[0].required);
    EXPECT_FALSE(thing.attributes[1].required);
    EXPECT_EQ(thing.attributes[1].default_value, Value{std::int64_t{-5}});
    EXPECT_TRUE(thing.attributes[2].required);
    EXPECT_EQ(thing.attributes[2].default_value, Value{0.5});
    EXPECT_EQ(thing.attributes[3].precision, 10);
    EXPECT_EQ(thing.attributes[3].scale, 2);
    EXPECT_EQ(thing.attributes[3].default_value, Value{std::int64_t{1250}});
    EXPECT_EQ(thing.attributes[4].default_value, Value{std::int64_t{1}});
    EXPECT_EQ(thing.attributes[5].default_value, Value{std::string("2026-11-21")});
    EXPECT_THAT(thing.attributes[10].values, ElementsAre("open", "closed"));
    EXPECT_THAT(thing.attributes[11].values, ElementsAre("open", "on hold", "closed"));
    EXPECT_EQ(thing.attributes[11].default_value, Value{std::string("on hold")});
    EXPECT_EQ(thing.attributes[13].default_value, Value{std::string("a = b")});
    EXPECT_EQ(model.entities.back(), conflict_entity());
}

TEST(ModelReader, every_word_of_the_full_form) {
    const Model model = sound(in_entity(R"yaml(
      a: { type: "decimal(6, 1)", merge: counter, required: true, default: 0, check: "a >= 0" }
      b: { type: enum, values: [open, "null", closed], default: "null" }
      c: { type: [x, y], merge: ask }
      d: { type: set, merge: set, default: [b, a, b] }
      e: { type: json, default: '{"b": 1, "a": [true]}' }
      f: { type: text, merge: text, default: "" }
      g: { type: "int!", merge: max, default: 7 }
      h: { type: bool, default: false, required: false }
)yaml"));
    const Entity& thing = model.entities[0];
    EXPECT_EQ(thing.attributes[0].merge, Merge::kCounter);
    EXPECT_TRUE(thing.attributes[0].required);
    EXPECT_EQ(thing.attributes[0].default_value, Value{std::int64_t{0}});
    EXPECT_THAT(thing.checks, ElementsAre(Check{"a >= 0", "a"}));
    EXPECT_THAT(thing.attributes[1].values, ElementsAre("open", "null", "closed"));
    EXPECT_EQ(thing.attributes[1].default_value, Value{std::string("null")});
    EXPECT_EQ(thing.attributes[2].merge, Merge::kAsk);
    EXPECT_EQ(thing.attributes[3].default_value, Value{std::string(R"(["a","b"])")});
    EXPECT_EQ(thing.attributes[4].default_value, Value{std::string(R"({"a":[true],"b":1})")});
    EXPECT_EQ(thing.attributes[5].default_value, Value{std::string()});
    EXPECT_TRUE(thing.attributes[6].required);
    EXPECT_EQ(thing.attributes[6].merge, Merge::kMax);
    EXPECT_EQ(thing.attributes[7].default_value, Value{std::int64_t{0}});
}

TEST(ModelReader, every_word_of_an_entity) {
    const Model model = sound(R"(app: a
version: 1
access: open
entities:
  site: { key: code, attributes: { code: text, name: text! } }
  visit:
    attributes: { id: uuid, site_code: site!, by: { type: site }, previous_id: visit, starts: int, ends: int }
    conflict: last
    update_delete: update-wins
    create_create: merge
    strict: true
    on_delete: { site_code: cascade, by: set null, previous_id: set_null }
    unique: [[site_code, starts]]
    indexes: [[by, starts], [ends]]
    checks: ["starts <= ends", "starts > 0"]
)");
    const Entity& visit = model.entities[1];
    EXPECT_EQ(visit.attributes[0].type, Type::kText);
    EXPECT_TRUE(visit.attributes[0].required);
    EXPECT_EQ(visit.attributes[0].references, EntityIx{0});
    EXPECT_EQ(visit.attributes[0].on_delete, OnDelete::kCascade);
    EXPECT_EQ(visit.attributes[1].on_delete, OnDelete::kSetNull);
    EXPECT_EQ(visit.attributes[2].type, Type::kUuid);
    EXPECT_EQ(visit.attributes[2].references, EntityIx{1});
    EXPECT_EQ(visit.conflict, Conflict::kLast);
    EXPECT_EQ(visit.update_delete, UpdateDelete::kUpdateWins);
    EXPECT_EQ(visit.create_create, CreateCreate::kMerge);
    EXPECT_TRUE(visit.strict);
    EXPECT_THAT(visit.unique, ElementsAre(AttributeList{0, 3}));
    EXPECT_THAT(visit.indexes, ElementsAre(AttributeList{1, 3}, AttributeList{4}));
    EXPECT_THAT(visit.checks, ElementsAre(Check{"starts <= ends", ""}, Check{"starts > 0", ""}));
}

std::vector<std::string> order_of(std::string_view entities) {
    std::vector<std::string> names;
    for (const Entity& entity : sound("app: a\nversion: 1\naccess: open\nentities:\n" + std::string(entities)).entities) names.push_back(entity.name);
    return names;
}

TEST(ModelReader, entities_come_in_reference_order) {
    EXPECT_THAT(order_of("  c: { attributes: { id: uuid, b_id: b } }\n  x: { attributes: { id: uuid } }\n"
                         "  b: { attributes: { id: uuid, a_id: a, b_id: b } }\n  a: { attributes: { id: uuid } }\n"),
                ElementsAre("x", "a", "b", "c", kConflictEntity));
    // A ring keeps the file's order; what depends on it comes behind it.
    EXPECT_THAT(order_of("  d: { attributes: { id: uuid, p_id: p } }\n  q: { attributes: { id: uuid, p_id: p } }\n"
                         "  p: { attributes: { id: uuid, q_id: q } }\n"),
                ElementsAre("q", "p", "d", kConflictEntity));
    const Model model = sound("app: a\nversion: 1\naccess: open\nentities:\n  c: { attributes: { id: uuid, b_id: b } }\n  b: { attributes: { id: uuid } }\n");
    EXPECT_EQ(attribute(model, "c", "b_id").references, EntityIx{0});
}

TEST(ModelReader, an_entity_may_be_called_like_a_type_to_come) {
    const Model model = sound("app: a\nversion: 1\naccess: open\nentities:\n  order: { attributes: { id: uuid } }\n  line: { attributes: { id: uuid, order_id: order! } }\n");
    EXPECT_EQ(attribute(model, "line", "order_id").references, EntityIx{0});
}

TEST(ModelReader, line_ends_and_byte_order_marks_do_not_matter) {
    std::string dos;
    for (const char c : kGood) dos += c == '\n' ? "\r\n" : std::string(1, c);
    EXPECT_EQ(sound(dos), sound(kGood));
    EXPECT_EQ(sound("\xef\xbb\xbf" + std::string(kGood)), sound(kGood));
}

TEST(ModelReader, MissingAccessOpensNothing) {
    const Error error = fault_of("app: a\nversion: 1\nentities: {t: {attributes: {id: uuid}}}\n");
    EXPECT_EQ(error.code, Code::kModelInvalid);
    EXPECT_THAT(error.message, HasSubstr("m.yaml:1:1: `access:` is missing"));
}

TEST(ModelReader, the_code_is_not_supported_only_if_nothing_is_wrong) {
    EXPECT_EQ(fault_of(in_entity("      a: order\n")).code, Code::kNotSupported);
    EXPECT_EQ(fault_of(in_entity("      a: order\n      b: txt\n")).code, Code::kModelInvalid);
    EXPECT_EQ(fault_of(in_entity("      b: txt\n      a: order\n")).code, Code::kModelInvalid);
}

std::string at_top(std::string_view line) {
    return std::string(line) + "\napp: a\nversion: 1\naccess: open\nentities: {t: {attributes: {id: uuid}}}\n";
}

TEST(ModelReader, ListsEveryFaultInTheOrderOfTheFile) {
    const Error error = fault_of(
        "app: a\nversion: 1\naccess: open\nentities:\n  t:\n    attributes:\n      id: uuid\n      a: order\n"
        "      b: txt\n    colour: red\n");
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
    for (int i = 0; i < 80; ++i) attributes += "      a" + std::to_string(i) + ": order\n";
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
    EXPECT_EQ(fault_of(std::string(kModelFileBytesMax, '-')).code, Code::kModelInvalid);
    EXPECT_EQ(fault_of(std::string(kModelFileBytesMax, '"')).code, Code::kModelInvalid);
}

// A megabyte of keys, of unknown types and of references: answered in the time of a megabyte, not of its square.
TEST(ModelReader, a_hostile_megabyte_is_answered) {
    const std::string head = "app: a\nversion: 1\naccess: open\nentities:\n";
    std::string keys = head;
    for (int i = 0; keys.size() < kModelFileBytesMax - 20; ++i) keys += "  e" + std::to_string(i) + ": x\n";
    EXPECT_THAT(fault_of(keys).message, HasSubstr("at most 500 are allowed"));
    std::string types = head;
    for (int e = 0; e < 500 && types.size() < kModelFileBytesMax - 20'000; ++e) {
        types += "  entity_with_a_long_name_" + std::to_string(e) + ":\n    attributes:\n      id: uuid\n";
        for (int i = 0; i < 200; ++i) types += "      a" + std::to_string(i) + ": x" + std::to_string(i) + "\n";
    }
    EXPECT_THAT(fault_of(types).message, HasSubstr("more faults"));
    std::string ring = head;
    for (int e = 0; e < 300 && ring.size() < kModelFileBytesMax - 20'000; ++e) {
        ring += "  e" + std::to_string(e) + ":\n    attributes:\n      id: uuid\n";
        for (int i = 0; i < 200; ++i) ring += "      a" + std::to_string(i) + ": e" + std::to_string((e + i) % 100) + "\n";
    }
    EXPECT_TRUE(read_model(ring, "m.yaml"));
}

TEST(ModelReader, NamesInMessagesCarryNoControlCharacters) {
    const Error error = fault_of(at_top("\"\\e[31mx\\n\": 1"));
    for (const char c : error.message) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20) << error.message;
}

// Whatever the bytes are: an answer, no exception, no crash.
TEST(ModelReader, a_bracket_that_closes_what_nobody_opened_has_a_place) {
    for (const char* text : {"!;]!", "a: ]= b\n", "]![\n"}) {
        const ModelReading reading = read_model_faults(text);
        ASSERT_FALSE(reading.faults.empty()) << text;
        for (const ModelFault& fault : reading.faults) EXPECT_GE(fault.column, 1) << text;
    }
}

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
