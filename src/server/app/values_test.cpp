// Values of every type by direct SQL: what plain SQL can tell is refused at once, other spellings become canonical when
// they are sequenced.
#include "server/app/inspect.hpp"
#include "server/app/test_world.hpp"

namespace skerry::server::test {
namespace {

model::Model types() {
    using model::Type;
    model::Model model{"types", 1, {}};
    model::Entity e{.name = "thing", .key = {"id", Type::kUuid}};
    e.attributes = {{"other", Type::kUuid}, {"words", Type::kText}, {"n", Type::kInt}, {"r", Type::kReal},
                    {.name = "price", .type = Type::kDecimal, .default_value = Value{std::int64_t{-150}}, .precision = 4, .scale = 2},
                    {.name = "ok", .type = Type::kBool, .default_value = Value{std::int64_t{1}}}, {"on", Type::kDate}, {"at", Type::kTimestamp},
                    {"doc", Type::kJson}, {"bin", Type::kBlob}, {"tags", Type::kSet},
                    {.name = "state", .type = Type::kEnum, .default_value = text("it's"), .values = {"open", "it's"}}};
    e.attributes[3].default_value = 0.1;
    model.entities.push_back(e);
    model::complete(model);
    return model;
}

constexpr EntityIx kThing{0};
const std::string kId = "00000000-0000-7000-8000-000000000001";

struct Values : testing::Test {
    World world{types()};
    Peer anna{world, "anna"};
    std::optional<Code> set(const std::string& column, const std::string& value) {
        auto done = ServerSql::open(world.place)->run("UPDATE thing SET \"" + column + "\" = " + value);
        return done ? std::nullopt : std::optional(done.error().code);
    }
    Value sent(const std::string& column) {
        anna.pull();
        return anna.rows.at({kThing, kId})[*world.model.entity(kThing).attribute_named(column)];
    }
    void SetUp() override { world.sql("INSERT INTO thing(id) VALUES('" + kId + "')"); }
};

TEST_F(Values, defaults_are_columns_defaults) {
    EXPECT_EQ(sent("price"), number(-150));
    EXPECT_EQ(sent("ok"), number(1));
    EXPECT_EQ(sent("r"), Value{0.1});
    EXPECT_EQ(sent("state"), text("it's"));
    EXPECT_TRUE(is_null(sent("doc")));
}

TEST_F(Values, what_is_not_of_the_type_is_refused_by_name) {
    const std::vector<std::pair<std::string, std::string>> bad{
        {"other", "'00000000-0000-7000-8000-00000000000A'"}, {"other", "'" + kId + "' || char(0)"}, {"words", "'a' || char(0)"},
        {"price", "10000"}, {"price", "-10000"}, {"ok", "2"}, {"on", "'2026-2-1'"}, {"on", "'2026-02-30'"}, {"on", "'2025-02-29'"},
        {"on", "'2026-02-01x'"}, {"on", "'2026-02-01' || char(0)"}, {"on", "'now'"}, {"at", "'2026-02-01T10:00:00Z'"}, {"at", "'2026-02-01T24:00:00.000000Z'"},
        {"at", "'2026-02-30T10:00:00.000000Z'"}, {"at", "'2026-02-01T10:60:00.000000Z'"}, {"r", "9e999"}, {"r", "-9e999"},
        {"doc", "'{'"}, {"doc", "''"}, {"doc", "' null '"}, {"tags", "'{}'"}, {"tags", "'[1]'"}, {"tags", "'[\"a\"'"}, {"tags", "'\"a\"'"}, {"state", "'closed'"}, {"state", "''"}};
    for (const auto& [column, value] : bad) EXPECT_EQ(set(column, value), Code::kValueInvalid) << column << " = " << value;
    EXPECT_EQ(set("bin", "zeroblob(1048577)"), Code::kRowTooBig);
    EXPECT_EQ(set("words", "printf('%.*c', 4194305, 'x')"), Code::kRowTooBig);
    for (const auto& [column, value] : std::vector<std::pair<std::string, std::string>>{{"n", "'x'"}, {"n", "1.5"}, {"bin", "'text'"}, {"words", "x'00'"}})
        EXPECT_EQ(set(column, value), Code::kConstraint) << column << " = " << value;
}

TEST_F(Values, what_is_of_the_type_arrives_as_it_is) {
    const std::vector<std::tuple<std::string, std::string, Value>> good{
        {"other", "'" + kId + "'", text(kId)}, {"n", "-9223372036854775808", number(INT64_MIN)}, {"r", "1.7976931348623157e308", Value{1.7976931348623157e308}},
        {"r", "-0.0", Value{0.0}}, {"r", "3", Value{3.0}}, {"price", "9999", number(9999)}, {"ok", "0", number(0)}, {"on", "'2024-02-29'", text("2024-02-29")},
        {"on", "'0000-01-01'", text("0000-01-01")}, {"on", "'9999-12-31'", text("9999-12-31")},
        {"at", "'2026-12-31T23:59:59.999999Z'", text("2026-12-31T23:59:59.999999Z")}, {"bin", "x'00ff'", Value{Blob{0, 255}}},
        {"state", "'it''s'", text("it's")}, {"words", "'na\xc3\xafve'", text("na\xc3\xafve")}, {"words", "''", text("")}};
    for (const auto& [column, value, expected] : good) {
        EXPECT_EQ(set(column, value), std::nullopt) << column << " = " << value;
        EXPECT_EQ(sent(column), expected) << column << " = " << value;
    }
    EXPECT_TRUE(world.log.lines.empty());
}

TEST_F(Values, pitfall_44_another_spelling_becomes_canonical_when_it_is_sequenced) {
    EXPECT_EQ(set("doc", "'{ \"b\" : 1.0, \"a\" : [ true ] }'"), std::nullopt);
    EXPECT_EQ(sent("doc"), text(R"({"a":[true],"b":1})"));
    EXPECT_EQ(world.sql("SELECT doc FROM thing").rows[0][0], text(R"({"a":[true],"b":1})")) << "in the table too";
    EXPECT_EQ(set("tags", "'[\"b\", \"a\", \"b\"]'"), std::nullopt);
    EXPECT_EQ(sent("tags"), text(R"(["a","b"])"));
}

TEST_F(Values, what_cannot_be_made_canonical_is_quarantined_until_it_is_good) {
    anna.pull();
    EXPECT_EQ(set("doc", "'{\"a\":1,\"a\":2}'"), std::nullopt) << "SQLite takes it for JSON";
    anna.pull();
    EXPECT_EQ(anna.rows.count({kThing, kId}), 0u);
    const auto inspector = Inspector::open(world.place);
    ASSERT_TRUE(inspector);
    ASSERT_EQ(inspector->quarantine()->size(), 1u);
    EXPECT_EQ(inspector->quarantine()->at(0).entity, "thing");
    EXPECT_EQ(inspector->quarantine()->at(0).reason.substr(0, 9), "thing.doc");
    EXPECT_EQ(set("n", "1"), std::nullopt);
    anna.pull();
    EXPECT_EQ(inspector->quarantine()->size(), 1u);
    world.sql("DELETE FROM thing");
    anna.pull();
    EXPECT_TRUE(inspector->quarantine()->empty()) << "what is gone needs nobody";
}

TEST_F(Values, case_B20_another_order_of_names_is_the_same_document) {
    const std::uint32_t doc = static_cast<std::uint32_t>(*world.model.entity(kThing).attribute_named("doc"));
    const auto write = [&](Value before, std::string after) {
        return anna.push({anna.txn({Peer::update(kThing, kId, {{doc, std::move(before), text(std::move(after)), {}}})})}).verdict();
    };
    const std::string canonical = R"({"a":2,"b":1})";
    EXPECT_EQ(write(Null{}, canonical), Verdict::kApplied);
    EXPECT_EQ(sent("doc"), text(canonical));
    EXPECT_EQ(set("doc", R"('{"b": 1, "a": 2}')"), std::nullopt);
    EXPECT_EQ(sent("doc"), text(canonical)) << "the very bytes that it wrote";
    EXPECT_EQ(write(text(canonical), R"({"a":3,"b":1})"), Verdict::kApplied) << "nobody else changed it";
    EXPECT_EQ(sent("doc"), text(R"({"a":3,"b":1})"));
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_history"), 0);
}

}  // namespace
}  // namespace skerry::server::test
