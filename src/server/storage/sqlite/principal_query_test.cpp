// What the queries of a model's `principal:` may do on the server, and what they are refused.
#include "server/storage/sqlite/principal_query.hpp"
#include "server/storage/sqlite/scopes_test_world.hpp"

namespace skerry::server::storage {
namespace {

struct PrincipalQueries : testing::Test, ScopesWorld {
    PrincipalQueries() {
        sql("INSERT INTO team VALUES('t1', 'north'), ('t2', 'south'), ('secret-key', NULL); INSERT INTO house(id, team, worker, rooms) VALUES('h', 't1', 'ann', 3)");
        batch("");
    }
    Result<std::vector<std::string>> ask(const std::string& query, const Parameters& parameters = {{"sub", "ann"}, {"role", "lead"}}) {
        return view()->principal_values("sites", query, parameters);
    }
    std::string refusal(const std::string& query) {
        const auto values = ask(query);
        if (values) return "(it gave values)";
        EXPECT_EQ(values.error().code, Code::kPrincipalFailed) << query;
        EXPECT_TRUE(values.error().message.starts_with("the query of sites failed: ")) << values.error().message;
        EXPECT_EQ(values.error().message.find("secret"), std::string::npos) << values.error().message;
        return values.error().message.substr(27);
    }
};

TEST_F(PrincipalQueries, values_are_the_first_column_as_text_without_nulls) {
    EXPECT_EQ(*ask("SELECT team, 'x' FROM house WHERE worker = :sub"), std::vector<std::string>{"t1"});
    EXPECT_EQ(*ask("SELECT region FROM team ORDER BY id;  "), (std::vector<std::string>{"north", "south"}));
    EXPECT_EQ(*ask("SELECT rooms FROM house"), std::vector<std::string>{"3"});
    EXPECT_EQ(*ask("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n"), (std::vector<std::string>{"1", "2", "3"}));
    EXPECT_EQ(*ask("SELECT value FROM json_each('[\"a\",\"b\"]')"), (std::vector<std::string>{"a", "b"}));
    EXPECT_TRUE(ask("SELECT id FROM team WHERE false")->empty());
    EXPECT_EQ(*ask("SELECT :role || ':' || :sub"), std::vector<std::string>{"lead:ann"});
    EXPECT_EQ(*ask("SELECT :sub", {{"sub", "'; DROP TABLE team; --"}}), std::vector<std::string>{"'; DROP TABLE team; --"}) << "bound, never text";
}

TEST_F(PrincipalQueries, they_read_the_apps_tables_and_nothing_else) {
    sql("CREATE VIEW of_ours AS SELECT user FROM skerry_token; CREATE VIEW of_theirs AS SELECT id FROM team; CREATE TABLE rights(user TEXT, site TEXT); INSERT INTO rights VALUES('ann', 't2')");
    EXPECT_EQ(ask("SELECT id FROM of_theirs")->size(), 3u);
    EXPECT_EQ(*ask("SELECT site FROM rights WHERE user = :sub"), std::vector<std::string>{"t2"}) << "an operator's own table";
    for (const char* query : {"SELECT hash FROM skerry_token", "SELECT user FROM of_ours", "SELECT value FROM skerry_meta WHERE name = 'secret'", "SELECT (SELECT count(*) FROM SKERRY_DEVICE)",
                              "SELECT sql FROM sqlite_schema", "SELECT name FROM pragma_table_list", "PRAGMA user_version", "ATTACH 'x.db' AS x", "SELECT load_extension('x')", "SELECT zeroblob(900000000)",
                              "DELETE FROM team", "INSERT INTO team VALUES('x', 'y') RETURNING id", "UPDATE team SET region = 'x'", "BEGIN", "ROLLBACK", "VACUUM", "DROP TABLE team", "CREATE TEMP TABLE x(y)"}) {
        EXPECT_NE(refusal(query), "(it gave values)") << query;
    }
    EXPECT_EQ(integer("SELECT count(*) FROM team"), 3);
    EXPECT_EQ(*view()->member_count(kTeam, {}), 0u) << "the connection reads everything again afterwards";
    EXPECT_TRUE(view()->token("x")) << "its own tables too";
}

TEST_F(PrincipalQueries, what_is_no_query_or_fails_names_itself_and_no_content) {
    EXPECT_EQ(refusal(""), "it is empty");
    EXPECT_EQ(refusal("SELECT 1; SELECT 2"), "it is more than one statement");
    EXPECT_EQ(refusal("SELECT :unknown"), "nothing is known of its parameter :unknown");
    EXPECT_EQ(refusal("SELECT ?"), "it has a parameter without a name");
    EXPECT_EQ(refusal("SELECT absent FROM team"), "no such column: absent");
    EXPECT_EQ(refusal("SELECT json_extract('{}', id) FROM team WHERE region IS NULL"), "SQLite met an error in it while it ran");
}

TEST_F(PrincipalQueries, limits_on_rows_and_time) {
    const auto numbers = [](std::size_t n) { return "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(n) + ") SELECT i FROM n"; };
    EXPECT_EQ(ask(numbers(kPrincipalValuesMax))->size(), kPrincipalValuesMax);
    EXPECT_EQ(refusal(numbers(kPrincipalValuesMax + 1)), "it gives more than 20000 rows");
    Guarded guarded;
    guard(other_, guarded);
    const std::string endless = "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    EXPECT_EQ(read_principal_values(other_, guarded, {"sites", endless, {}, Micros{1000}}).error().message, "the query of sites failed: it takes longer than 1 ms");
    EXPECT_EQ(read_principal_values(other_, guarded, {"sites", "SELECT id FROM team", {}})->size(), 3u) << "the next one has its time again";
    other_ = {};  // before what stands guard
}

}  // namespace
}  // namespace skerry::server::storage
