// The same values against both schemas, a device's and a server's, as any SQLite program writes them: what one side takes
// the other takes, and what one refuses the other refuses by the same name.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error_table.hpp"
#include "base/random.hpp"
#include "model/value.hpp"
#include "server/storage/sqlite/schema.hpp"
#include "store/schema.hpp"

namespace skerry::values {
namespace {

using model::Attribute;
using model::Entity;
using model::Type;

const std::string kTaken = "taken";

model::Model all_types() {
    model::Model m{"both", 1, {}};
    Entity e{.name = "thing", .key = {.name = "id"}};
    e.attributes = {{.name = "text"},
                    {.name = "uuid", .type = Type::kUuid},
                    {.name = "integer", .type = Type::kInt},
                    {.name = "real", .type = Type::kReal},
                    {.name = "decimal", .type = Type::kDecimal, .precision = 18, .scale = 2},
                    {.name = "bool", .type = Type::kBool},
                    {.name = "date", .type = Type::kDate},
                    {.name = "timestamp", .type = Type::kTimestamp},
                    {.name = "enum", .type = Type::kEnum, .values = {"open", "it's"}},
                    {.name = "json", .type = Type::kJson},
                    {.name = "set", .type = Type::kSet},
                    {.name = "blob", .type = Type::kBlob},
                    {.name = "must", .type = Type::kJson, .required = true, .default_value = Value{std::string("0")}}};
    e.checks = {{"integer < 1000", "integer"}};
    m.entities.push_back(e);
    m.entities.push_back(Entity{.name = "named", .key = {.name = "id", .type = Type::kUuid}, .attributes = {{.name = "text"}}});
    model::complete(m);
    return m;
}

// The index in Value of what a column of the type stores.
std::size_t class_of(Type type) {
    switch (type) {
        case Type::kInt:
        case Type::kDecimal:
        case Type::kBool: return Value{std::int64_t{}}.index();
        case Type::kReal: return Value{double{}}.index();
        case Type::kBlob: return Value{Blob{}}.index();
        default: return Value{std::string{}}.index();
    }
}

class BothSides : public testing::Test {
  protected:
    BothSides() {
        const auto run = [](sqlite::Database& db, const std::string& sql) {
            const auto done = db.exec(sql);
            EXPECT_TRUE(done) << describe(done.error());
        };
        run(device_, store::internal_schema());
        for (std::uint32_t i = 0; i < model_.entities.size(); ++i) run(device_, store::entity_tables(model_.entities[i]));
        for (std::uint32_t i = 0; i < model_.entities.size(); ++i) run(device_, *store::entity_triggers(model_, EntityIx{i}));
        const auto made = server::storage::create_schema(server_, model_, random_);
        EXPECT_TRUE(made) << describe(made.error());
    }

    // The code's name, or kTaken; and the message.
    static std::pair<std::string, std::string> write(sqlite::Database& db, const std::string& sql, const Value& value) {
        auto statement = db.prepare(sql);
        EXPECT_TRUE(statement) << describe(statement.error());
        const auto done = statement->bind(1, value).run();
        if (done) return {kTaken, {}};
        return {std::string(code_name(done.error().code)), done.error().message};
    }
    // The code of both, by an insert and by an update.
    std::string verdict(const std::string& entity, const std::string& attribute, const Value& value) {
        const bool key = attribute == "id";
        const std::string insert = "INSERT INTO " + entity + "(" + (key ? "id) VALUES(?1)" : "id, \"" + attribute + "\") VALUES('new', ?1)");
        const auto here = write(device_, insert, value);
        EXPECT_EQ(here, write(server_, insert, value)) << "inserted on a device and on a server";
        if (here.first == kTaken) clear();
        if (key) return here.first;
        for (sqlite::Database* db : {&device_, &server_}) EXPECT_TRUE(db->exec("INSERT INTO thing(id) VALUES('old')"));
        const std::string update = "UPDATE " + entity + " SET \"" + attribute + "\" = ?1";
        const auto updated = write(device_, update, value);
        EXPECT_EQ(updated, write(server_, update, value)) << "updated on a device and on a server";
        EXPECT_EQ(updated, here) << "an insert and an update";
        clear();
        return here.first;
    }
    void clear() {
        for (sqlite::Database* db : {&device_, &server_}) EXPECT_TRUE(db->exec("DELETE FROM thing; DELETE FROM named"));
        EXPECT_TRUE(device_.exec("UPDATE skerry_state SET open_rows = 0, open_bytes = 0"));
    }

    model::Model model_ = all_types();
    SeededRandom random_{1};
    sqlite::Database device_ = *sqlite::Database::open(":memory:");
    sqlite::Database server_ = *sqlite::Database::open(":memory:");
};

// Spellings that a bound text may have: with quotes, NULs and breadth as they are.
std::vector<Value> candidates() {
    std::vector<Value> all = {Null{}, std::int64_t{0}, std::int64_t{1}, std::int64_t{2}, std::int64_t{-1}, std::int64_t{999}, std::int64_t{1000},
                              std::int64_t{INT64_MAX}, std::int64_t{INT64_MIN}, std::int64_t{999'999'999'999'999'999}, std::int64_t{-999'999'999'999'999'999},
                              std::int64_t{1'000'000'000'000'000'000}, 0.5, -1.7976931348623157e308, HUGE_VAL, -HUGE_VAL, Blob{}, Blob{0, 1},
                              Blob(model::kBlobBytesMax, 1), Blob(model::kBlobBytesMax + 1, 1)};
    const std::string uuid = "018f3a5e-0000-7000-8000-00000000000a";
    const std::string day = "2026-11-21";
    const std::string time = "2026-11-21T23:59:59.999999Z";
    std::vector<std::string> texts = {"", "a", "open", "it's", "Open", uuid, "018F3A5E-0000-7000-8000-00000000000A", uuid + "0", uuid.substr(1), day,
                                      "0000-01-01", "9999-12-31", "2024-02-29", "2026-02-29", "2026-02-30", "2026-13-01", "2026-00-10", "2026-1-1", "-026-01-01",
                                      "-2026-01-01", "now", "2460000.5", "10:30", "2026-11-21T00:00", "2026-11-2\xc3\xa1", time, "2026-11-21T24:00:00.000000Z",
                                      "2026-11-21T10:60:00.000000Z", "2026-11-21T10:00:60.000000Z", "2026-11-21T10:00:00Z", "2026-02-30T10:00:00.000000Z",
                                      "2026-11-21 10:00:00.000000Z", "2026-11-21T10:00:00.000000", "2026-11-21T10:00:00.000000+01:00", "{}", "{", "[]", "[1]",
                                      "[[]]", "[null]", "[\"a\",\"b\"]", "[\"b\", \"a\"]", "\"a\"", "\"null\"", "null", " null ", "\t\r\nnull\n", "nullnull", "[\"a\"",
                                      "{\"a\":[true]}", "{\"a\":NaN}", "{a:1}", "'a'", "0x10", "1", "-0", "true"};
    for (const std::string& text : {std::string("a"), uuid, day, time, std::string("open"), std::string("null"), std::string("{}"), std::string("[]")}) {
        texts.push_back(text + '\0');
        texts.push_back(text + std::string("\0x", 2));
        texts.push_back('\0' + text);
    }
    const std::string wide = "\xf0\x9f\x91\xa9";  // four bytes of one character
    for (const std::string& unit : {std::string("x"), wide})
        for (const std::size_t bytes : {model::kKeyBytesMax, model::kValueBytesMax}) {
            std::string full;
            while (full.size() < bytes) full += unit;
            texts.push_back(full);
            texts.push_back(full + "x");
        }
    texts.push_back("\"" + std::string(model::kValueBytesMax - 2, 'x') + "\"");
    texts.push_back("\"" + std::string(model::kValueBytesMax - 1, 'x') + "\"");
    for (std::string& text : texts) all.emplace_back(std::move(text));
    return all;
}

TEST_F(BothSides, values_are_taken_or_refused_alike_and_as_the_model_says) {
    const Entity& entity = model_.entities[0];
    std::size_t taken = 0;
    std::size_t refused = 0;
    for (const Value& value : candidates()) {
        for (const Attribute& attribute : entity.attributes) {
            SCOPED_TRACE(attribute.name + " = " + model::to_text(value).substr(0, 80));
            const std::string code = verdict("thing", attribute.name, value);
            (code == kTaken ? taken : refused) += 1;
            // Of another storage class: converted or refused by SQLite, before anything of ours.
            const auto canonical = model::canonical(entity, attribute, value);
            if (!is_null(value) && value.index() != class_of(attribute.type)) continue;
            if (is_null(value) && attribute.required) {
                EXPECT_EQ(code, code_name(Code::kRequired));
            } else if (!is_null(value) && canonical && is_null(*canonical)) {
                EXPECT_EQ(code, code_name(Code::kValueInvalid)) << "the JSON null is written NULL";
            } else if (canonical && attribute.name == "integer" && !is_null(value) && std::get<std::int64_t>(value) >= 1000) {
                EXPECT_EQ(code, code_name(Code::kCheckFailed));
            } else {
                // Of a form of fixed length the triggers say that it is none, however long it is.
                const bool fixed = attribute.type == Type::kUuid || attribute.type == Type::kDate || attribute.type == Type::kTimestamp || attribute.type == Type::kEnum;
                // What is no JSON is told before its size: looking at sizes is left out where a group is small.
                const bool no_json = (attribute.type == Type::kJson || attribute.type == Type::kSet) && !canonical && canonical.error().code == Code::kRowTooBig &&
                                     code == code_name(Code::kValueInvalid);
                EXPECT_EQ(code, canonical ? kTaken : code_name(fixed || no_json ? Code::kValueInvalid : canonical.error().code));
            }
        }
    }
    EXPECT_GT(taken, 100u);
    EXPECT_GT(refused, 500u);
}

TEST_F(BothSides, keys_are_taken_or_refused_alike_and_as_the_model_says) {
    for (const Value& value : candidates()) {
        const auto* text = std::get_if<std::string>(&value);
        if (text == nullptr && !is_null(value)) continue;
        for (const Entity& entity : {model_.entities[0], model_.entities[1]}) {
            SCOPED_TRACE(entity.name + " " + model::to_text(value).substr(0, 80));
            const auto good = text != nullptr ? model::check_key(entity, *text) : Result<void>(fail(Code::kKeyMissing, ""));
            const bool long_uuid = entity.key.type == Type::kUuid && !good && good.error().code == Code::kRowTooBig;
            EXPECT_EQ(verdict(entity.name, "id", value), good ? kTaken : code_name(long_uuid ? Code::kValueInvalid : good.error().code));
        }
    }
}

TEST_F(BothSides, what_is_there_already_is_not_parsed_again) {
    for (sqlite::Database* db : {&device_, &server_}) {
        SCOPED_TRACE(db == &device_ ? "device" : "server");
        const std::string trigger = db == &device_ ? "skerry_capture_insert_thing" : "skerry_check_insert_thing";
        ASSERT_TRUE(db->exec("DROP TRIGGER " + trigger + "; INSERT INTO thing(id, json, \"set\") VALUES('k', '{', '[1]')"));
        EXPECT_EQ(write(*db, "UPDATE thing SET text = ?1", std::string("x")).first, kTaken);
        EXPECT_EQ(write(*db, "UPDATE thing SET json = ?1", std::string("{ ")).first, code_name(Code::kValueInvalid));
        EXPECT_EQ(write(*db, "UPDATE thing SET \"set\" = ?1", std::string("[2]")).first, code_name(Code::kValueInvalid));
    }
}

}  // namespace
}  // namespace skerry::values
