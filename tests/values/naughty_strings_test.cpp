// The Big List of Naughty Strings (https://github.com/minimaxir/big-list-of-naughty-strings), through every door.
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "collected.hpp"
#include "model/json.hpp"
#include "model/value.hpp"
#include "model/yaml/reader.hpp"
#include "rules/rules.hpp"
#include "server/scopes/token.hpp"
#include "sqlite/database.hpp"
#include "wire/frame.hpp"
#include "wire/messages.hpp"

namespace skerry::values {
namespace {

using model::Type;

const std::vector<std::string>& naughty() {
    static const std::vector<std::string> strings = [] {
        std::vector<std::string> all = strings_in(SKERRY_NAUGHTY);
        EXPECT_GT(all.size(), 450u) << "the collection has shrunk";
        // What it lacks (docs/reliability.md): line ends at the end, both forms of one letter, names of JavaScript.
        for (const char* more : {"a\r", "a\r\n", "\u00e9", "e\u0301", "__proto__", "constructor", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7", "\x7f", "\u0085", "skerry:key_update: x"}) all.emplace_back(more);
        return all;
    }();
    return strings;
}

model::Model one_text() {
    model::Model m{"app", 1, {}};
    m.entities.push_back({"e", {"id", Type::kText}, {{"a", Type::kText}, {"j", Type::kJson}}});
    model::complete(m);
    return m;
}

TEST(NaughtyStrings, case_G8_as_texts_and_keys_they_come_back_as_they_went) {
    const model::Model m = one_text();
    const model::Entity& entity = m.entities[0];
    for (const std::string& text : naughty()) {
        SCOPED_TRACE(text);
        const std::string key = text.empty() ? "k" : text;
        ASSERT_TRUE(model::check_key(entity, key));
        std::string json;
        model::append_json(json, entity.attributes[0], text);
        EXPECT_EQ(*model::value_from_json(entity, entity.attributes[0], json), Value{text});
        EXPECT_EQ(*model::canonical_json(json), json);

        wire::Transaction sent;
        sent.no = TxnNo{1};
        sent.ops.push_back({wire::OpKind::kInsert, EntityIx{0}, key, {text, json}});
        Bytes body;
        wire::put_header(body, wire::Kind::kPushRequest);
        wire::put(body, sent);
        wire::put_frame(body, wire::FrameType::kEnd, {});
        const auto frames = wire::read_body(body, wire::Kind::kPushRequest);
        ASSERT_TRUE(frames);
        wire::TxnHeader header;
        const auto read = wire::get_transaction(frames->front().payload, m, &header);
        ASSERT_TRUE(read) << describe(read.error());
        EXPECT_EQ(*read, sent);
        EXPECT_EQ(header.no, sent.no);
    }
}

TEST(NaughtyStrings, in_sqlite_they_are_values_and_never_sql) {
    auto db = sqlite::Database::open(":memory:");
    ASSERT_TRUE(db);
    for (const std::string& text : naughty()) {
        SCOPED_TRACE(text);
        const std::string table = quote_name("t" + text);
        ASSERT_TRUE(db->exec("CREATE TABLE " + table + "(v TEXT NOT NULL) STRICT; INSERT INTO " + table + " VALUES(" + quote_text(text) + ")"));
        auto read = db->prepare_once("SELECT v, v = ?1 FROM " + table);
        ASSERT_TRUE(read);
        (*read)->bind_text(1, text);
        ASSERT_TRUE(*(*read)->step());
        EXPECT_EQ((*read)->text(0), text);
        EXPECT_EQ((*read)->integer(1), 1);
        (*read)->reset();
        ASSERT_TRUE(db->exec("DROP TABLE " + table));
    }
}

TEST(NaughtyStrings, as_what_a_person_types_they_are_a_value_of_the_type_or_refused_by_name) {
    const model::Entity entity{"e", {"id", Type::kText}};
    int taken = 0;
    for (const Type type : {Type::kUuid, Type::kText, Type::kInt, Type::kReal, Type::kDecimal, Type::kBool, Type::kDate, Type::kTimestamp, Type::kJson, Type::kBlob, Type::kSet, Type::kEnum}) {
        model::Attribute a{"a", type};
        a.precision = 9;
        a.scale = 2;
        a.values = {"true"};
        for (const std::string& text : naughty()) {
            SCOPED_TRACE(std::string(model::type_name(type)) + " from " + text);
            const auto value = model::value_from_text(entity, a, text);
            if (!value) {
                EXPECT_EQ(value.error().code, Code::kValueInvalid);
                EXPECT_TRUE(value.error().message.starts_with("e.a ")) << value.error().message;
                continue;
            }
            ++taken;
            EXPECT_TRUE(model::check_value(entity, a, *value));
            if (type == Type::kText && !text.starts_with('"') && text != "null") { EXPECT_EQ(*value, Value{text}); }
        }
    }
    EXPECT_GT(taken, 450);
}

TEST(NaughtyStrings, as_json_they_are_taken_or_refused) {
    for (const std::string& text : naughty()) {
        SCOPED_TRACE(text);
        const auto made = model::canonical_json(text);
        if (made) { EXPECT_EQ(*model::canonical_json(*made), *made); }
        else { EXPECT_EQ(made.error().code, Code::kValueInvalid); }
        const auto nested = model::canonical_json("{" + model::json_string(text) + ":[" + model::json_string(text) + "]}");
        ASSERT_TRUE(nested) << describe(nested.error());
        EXPECT_EQ(model::json_members(*nested)->front().first, text);
    }
}

TEST(NaughtyStrings, as_conditions_they_are_refused_and_as_literals_they_mean_themselves) {
    const model::Model m = one_text();
    auto db = sqlite::Database::open(":memory:");
    ASSERT_TRUE(db);
    for (const std::string& text : naughty()) {
        SCOPED_TRACE(text);
        if (const auto condition = rules::parse(text, m.entities[0]); !condition) { EXPECT_EQ(condition.error().code, Code::kExpressionInvalid); }
        const auto equal = rules::parse("a = " + quote_text(text), m.entities[0]);
        ASSERT_TRUE(equal) << describe(equal.error());
        auto read = db->prepare_once("SELECT " + rules::to_sql(*equal, "") + " FROM (SELECT ?1 AS a)");
        ASSERT_TRUE(read) << describe(read.error());
        (*read)->bind_text(1, text);
        ASSERT_TRUE(*(*read)->step());
        EXPECT_EQ((*read)->integer(0), 1);
    }
}

TEST(NaughtyStrings, as_a_model_they_are_refused_and_as_a_default_they_are_kept) {
    int kept = 0;
    for (const std::string& text : naughty()) {
        SCOPED_TRACE(text);
        const auto whole = model::read_model(text, "model.yaml");
        ASSERT_FALSE(whole);
        EXPECT_TRUE(whole.error().code == Code::kModelInvalid || whole.error().code == Code::kNotSupported);
        for (const std::string& place : {"app: " + text + "\nversion: 1\naccess: open\nentities: { e: { attributes: { id: uuid } } }\n",
                                         "app: a\nversion: 1\naccess: open\nentities: { e: { attributes: { id: uuid, n: " + text + " } } }\n"})
            if (const auto read = model::read_model(place, "model.yaml"); !read) { EXPECT_TRUE(read.error().code == Code::kModelInvalid || read.error().code == Code::kNotSupported); }
        const auto quoted = model::read_model("app: a\nversion: 1\naccess: open\nentities:\n  e:\n    attributes:\n      id: uuid\n      n: { type: text, default: " + model::json_string(text) + " }\n", "model.yaml");
        if (!quoted) {
            EXPECT_EQ(quoted.error().code, Code::kModelInvalid) << describe(quoted.error());
            continue;
        }
        ++kept;
        EXPECT_EQ(quoted->entities[0].attributes[0].default_value, Value{text});
        EXPECT_EQ(*model::Model::load(quoted->compile()), *quoted);
    }
    EXPECT_GT(kept, 450);
}

TEST(NaughtyStrings, as_frames_and_tokens_they_open_nothing) {
    const model::Model m = one_text();
    SeededRandom random(7);
    const server::scopes::Sealer sealer(Bytes(32, 'k'), random);
    for (const std::string& text : naughty()) {
        SCOPED_TRACE(text);
        EXPECT_FALSE(sealer.open(text, {DeviceId{}, text}));
        for (const wire::Kind kind : {wire::Kind::kPushRequest, wire::Kind::kPullRequest}) EXPECT_FALSE(wire::read_body(text, kind));
        wire::TxnHeader header;
        EXPECT_FALSE(wire::get_transaction(text, m, &header));
        EXPECT_FALSE(model::Model::load(text));
    }
}

}  // namespace
}  // namespace skerry::values
