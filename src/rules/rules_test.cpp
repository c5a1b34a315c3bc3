#include "rules/rules.hpp"

#include <gtest/gtest.h>

#include "sqlite/database.hpp"

namespace skerry::rules {
namespace {

using model::Type;

model::Entity household() {
    model::Entity e{"household", {"id", Type::kUuid}};
    const auto add = [&](std::string name, Type type) -> model::Attribute& { return e.attributes.emplace_back(model::Attribute{std::move(name), type}); };
    add("name", Type::kText);
    add("members", Type::kInt);
    add("weight", Type::kReal);
    add("open", Type::kBool);
    add("on", Type::kDate);
    add("at", Type::kTimestamp);
    add("status", Type::kEnum).values = {"open", "moved"};
    add("data", Type::kJson);
    add("tags", Type::kSet);
    add("photo", Type::kBlob);
    for (const auto& [name, scale] : {std::pair{"price", 2}, {"tax", 2}, {"rate", 4}}) {
        model::Attribute& decimal = add(name, Type::kDecimal);
        decimal.precision = 10;
        decimal.scale = static_cast<std::uint8_t>(scale);
    }
    add("and", Type::kInt);
    add("min", Type::kInt);
    return e;
}

std::string sql(std::string_view text) {
    const auto parsed = parse(text, household());
    return parsed ? to_sql(*parsed, "NEW.") : describe(parsed.error());
}

std::string refusal(std::string_view text) {
    const auto parsed = parse(text, household());
    if (parsed) return "accepted as " + to_sql(*parsed, "");
    EXPECT_EQ(parsed.error().code, Code::kExpressionInvalid);
    return parsed.error().message;
}

TEST(Rules, conditions_become_sql) {
    EXPECT_EQ(sql("members >= 0"), R"(NEW."members" >= 0)");
    EXPECT_EQ(sql("NOT open OR members = 1 AND name IS NOT NULL"), R"(NOT NEW."open" OR NEW."members" = 1 AND NEW."name" IS NOT NULL)");
    EXPECT_EQ(sql("not (open or members != 1)"), R"(NOT (NEW."open" OR NEW."members" <> 1))");
    EXPECT_EQ(sql("(open and true) = (members is null)"), R"((NEW."open" AND 1) = (NEW."members" IS NULL))");
    EXPECT_EQ(sql("status in ('open', 'moved') and members not in (-1, 2, null)"),
              R"(NEW."status" IN ('open', 'moved') AND NEW."members" NOT IN (-1, 2, NULL))");
    EXPECT_EQ(sql("members between 1 and 2 + 3 and open"), R"(NEW."members" BETWEEN 1 AND 2 + 3 AND NEW."open")");
    EXPECT_EQ(sql("members - (1 - 2) * -(members) = -3"), R"(NEW."members" - (1 - 2) * -(NEW."members") = -3)");
    EXPECT_EQ(sql("id = '018f3a5e-0000-7000-8000-000000000001'"), R"(NEW."id" = '018f3a5e-0000-7000-8000-000000000001')");
    EXPECT_EQ(sql("coalesce(status, 'none') = lower(name)"), R"(coalesce(NEW."status", 'none') = lower(NEW."name"))");
    EXPECT_EQ(sql("\"and\" = 1 and min = min(min, 2)"), R"(NEW."and" = 1 AND NEW."min" = min(NEW."min", 2))");
    EXPECT_EQ(sql("name = 'it''s'"), R"(NEW."name" = 'it''s')");
    EXPECT_EQ(sql("members = -9223372036854775808"), R"(NEW."members" = -9223372036854775808)");
}

TEST(Rules, literals_take_the_type_of_what_they_stand_beside) {
    EXPECT_EQ(sql("price >= 12.5"), R"(NEW."price" >= 1250)");
    EXPECT_EQ(sql("-0.07 < rate"), R"(-700 < NEW."rate")");
    EXPECT_EQ(sql("price in (1, 2.50)"), R"(NEW."price" IN (100, 250))");
    EXPECT_EQ(sql("price + 1 > tax * 2"), R"(NEW."price" + 100 > NEW."tax" * 2)");
    EXPECT_EQ(sql("weight > 5"), R"(NEW."weight" > 5.0)");
    EXPECT_EQ(sql("coalesce(weight, members) / 2 < 1"), R"(coalesce(NEW."weight", CAST(NEW."members" AS REAL)) / 2.0 < 1.0)");
    EXPECT_EQ(sql("members > 2.5"), R"(NEW."members" > 2.5)");
    EXPECT_EQ(sql("1 < 2.0"), R"(1.0 < 2.0)");
}

TEST(Rules, what_means_nothing_is_refused_where_it_stands) {
    EXPECT_EQ(refusal("members"), "at byte 0: here should be a condition, something that is true or false");
    EXPECT_EQ(refusal("open and name"), "at byte 9: here should be a condition, something that is true or false");
    EXPECT_EQ(refusal("nmae = 'x'"), "at byte 0: household has no attribute 'nmae'");
    EXPECT_EQ(refusal("name = 5"), "at byte 7: text and int cannot be compared");
    EXPECT_EQ(refusal("on = at"), "at byte 5: date and timestamp cannot be compared");
    EXPECT_EQ(refusal("price = rate"), "at byte 8: decimals of different scales cannot be compared");
    EXPECT_EQ(refusal("price = weight"), "at byte 8: decimal and real cannot be compared");
    EXPECT_EQ(refusal("price = 1.555"), "at byte 8: beside a decimal stands a number with at most 2 digits behind the point");
    EXPECT_EQ(refusal("price * tax > 1"), "at byte 8: a decimal is multiplied with an int only");
    EXPECT_EQ(refusal("price / 2 > 1"), "at byte 0: decimals are not divided: there is no rule to round by");
    EXPECT_EQ(refusal("open = 1"), "at byte 7: bool and int cannot be compared");
    EXPECT_EQ(refusal("open < true"), "at byte 0: true and false have no order");
    EXPECT_EQ(refusal("data = data"), "at byte 0: json can only be tested for null");
    EXPECT_EQ(refusal("photo in (null)"), "at byte 0: blob can only be tested for null");
    EXPECT_NE(refusal("status = 'opne'").find("at byte 9: "), std::string::npos);
    EXPECT_NE(refusal("on > '2026-02-30'").find("at byte 5: "), std::string::npos);
    EXPECT_NE(refusal("id = '1'").find("is not a uuid"), std::string::npos);
    EXPECT_EQ(refusal("1 < members < 3"), "at byte 12: comparisons do not chain; join two of them with `and`");
    EXPECT_EQ(refusal("members = 9223372036854775808"), "at byte 10: the number is beyond 64 bits");
    EXPECT_EQ(refusal("name like members"), "at byte 10: behind `like` should be a text literal");
    EXPECT_EQ(refusal("members like 'x'"), "at byte 0: `like` is for text");
    EXPECT_EQ(refusal("name like 'a!b' escape '!'"), "at byte 10: the escape character stands before %, _ or itself only");
    EXPECT_EQ(refusal("members in ()"), "at byte 12: here should be a value, not )");
    EXPECT_EQ(refusal("members in (members)"), "at byte 12: a list has literals only");
    EXPECT_EQ(refusal("random() = 1"), "at byte 7: here should be a value, not )");
    EXPECT_EQ(refusal("soundex(name) = 'x'"), "at byte 0: there is no function soundex; there are length, lower, upper, abs, coalesce, min and max");
    EXPECT_EQ(refusal("min(members, 1, 2) = 1"), "at byte 0: min takes two values");
    EXPECT_EQ(refusal("members = 1 2"), "at byte 12: here it should end");
    EXPECT_EQ(refusal("members ="), "at byte 9: here it ends too early");
    EXPECT_EQ(refusal(""), "at byte 0: here it ends too early");
    EXPECT_EQ(refusal("name = 'x"), "at byte 7: a quote is not closed");
    EXPECT_EQ(refusal("name = \"x\""), "at byte 7: household has no attribute 'x'");
    EXPECT_EQ(refusal("members = 1; drop table x"), "at byte 11: nothing of the language begins like this");
    EXPECT_EQ(refusal("members = 12abc"), "at byte 10: this is no number");
    EXPECT_EQ(refusal(std::string_view("open\0", 5)), "at byte 0: it is not UTF-8 text without NUL");
}

TEST(Rules, the_rest_of_the_full_language_is_refused_by_name) {
    EXPECT_EQ(refusal("household.name = 'x'"), "at byte 9: not_supported: paths over associations such as site_id.name");
    EXPECT_EQ(refusal("name = :me"), "at byte 7: not_supported: principal values such as :me");
    for (const char* text : {"name in (select name from x)", "(select 1) = 1", "exists (select 1)", "coalesce(select 1) = 1"})
        EXPECT_NE(refusal(text).find("not_supported: sub-selects"), std::string::npos) << refusal(text);
}

TEST(Rules, limits_are_kept) {
    const auto repeat = [](std::string_view text, int n) {
        std::string out;
        for (int i = 0; i < n; ++i) out += text;
        return out;
    };
    EXPECT_EQ(refusal(std::string(2001, ' ')), "at byte 2000: it is longer than 2,000 bytes");
    EXPECT_NE(refusal(repeat("(", kDepthMax + 1) + "open" + repeat(")", kDepthMax + 1)).find("nested deeper"), std::string::npos);
    EXPECT_EQ(sql(repeat("(", kDepthMax) + "open" + repeat(")", kDepthMax)), "NEW.\"open\"");
    EXPECT_NE(refusal(repeat("not ", 400) + "open").find("nested deeper"), std::string::npos);
    EXPECT_NE(refusal(repeat("-", 400) + "1 = 1").find("nested deeper"), std::string::npos);
    EXPECT_NE(refusal(repeat("1+", 400) + "1 = 1").find("more than 500 parts"), std::string::npos);
    EXPECT_EQ(sql(repeat("1+", 200) + "1 = 1").substr(0, 5), "1 + 1");
}

// An older SQLite holds 100 symbols and says so: "parser stack overflow". So what nests too deep is refused, well before.
TEST(Rules, what_nests_stays_within_what_an_older_sqlite_can_read) {
    // Counted as SQLite's grammar does: `NOT ( x OR` are four symbols that wait for the rest, and one is the rest.
    std::string deep = "open";
    for (int i = 0; i < 17; ++i) deep = "not (open or " + deep + ")";
    EXPECT_NE(sql(deep).find("NOT ("), std::string::npos);
    EXPECT_EQ(refusal("not (open or " + deep + ")"), "at byte 0: it is nested too deep for SQLite");
}

TEST(Rules, sqlite_takes_the_longest_chain_inside_a_trigger) {
    auto db = sqlite::Database::open(":memory:");
    ASSERT_TRUE(db);
    ASSERT_TRUE(db->exec(R"(CREATE TABLE t("open" INTEGER) STRICT)"));
    std::string wide = "open";
    for (int i = 0; i < 240; ++i) wide += " or open";
    const auto parsed = parse(wide, household());
    ASSERT_TRUE(parsed) << describe(parsed.error());
    const auto made = db->exec("CREATE TRIGGER g BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, 'x') WHERE (" + to_sql(*parsed, "NEW.") +
                               ") IS 0; END; INSERT INTO t VALUES(1)");
    EXPECT_TRUE(made) << describe(made.error());
}

TEST(Rules, like_minds_the_case_and_knows_only_its_own_signs) {
    auto db = sqlite::Database::open(":memory:");
    ASSERT_TRUE(db);
    ASSERT_TRUE(db->exec("CREATE TABLE t(name TEXT) STRICT"));
    const auto like = [&](std::string_view text, std::string_view condition) {
        const auto parsed = parse(condition, household());
        EXPECT_TRUE(parsed) << describe(parsed.error());
        auto statement = db->prepare_once("SELECT " + to_sql(*parsed, "") + " FROM (SELECT ?1 AS name)");
        EXPECT_TRUE(statement);
        (*statement)->bind_text(1, text);
        EXPECT_TRUE(*(*statement)->step());
        return (*statement)->integer(0) == 1;
    };
    EXPECT_TRUE(like("Grüße", "name like 'Gr__e'"));
    EXPECT_FALSE(like("grüße", "name like 'Gr__e'"));
    EXPECT_TRUE(like("a*b?c[d]e", "name like 'a*b?c[d]e'"));
    EXPECT_FALSE(like("axb?c[d]e", "name like 'a*b?c[d]e'"));
    EXPECT_TRUE(like("100%", "name like '%!%' escape '!'"));
    EXPECT_FALSE(like("100", "name like '%!%' escape '!'"));
    EXPECT_TRUE(like("a!_", "name like 'a!!!_' escape '!'"));
    EXPECT_TRUE(like("]", "name like ']'"));
    EXPECT_TRUE(like("^a-", "name like '^a-'"));
    EXPECT_TRUE(like("x", "name not like 'X'"));
    EXPECT_TRUE(like("", "name like '%'"));
}

}  // namespace
}  // namespace skerry::rules
