#include "model/yaml/query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skerry::model::yaml {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Query, parameters_are_found_outside_texts_names_and_comments) {
    const QueryScan scan = scan_query(R"(-- :no
        /* :no; */ WITH r(id) AS (SELECT id FROM "a:no" WHERE e = :sub AND x = 'it''s :no' AND [b:no] = `c:no` AND y = :team)
        SELECT id FROM r WHERE z = :sub; -- the end)");
    EXPECT_EQ(scan.fault, "");
    EXPECT_THAT(scan.parameters, ElementsAre("sub", "team"));
    EXPECT_THAT(scan_query("select 1").parameters, IsEmpty());
}

TEST(Query, names_in_quotes_and_parts_of_names_write_nothing) {
    EXPECT_EQ(scan_query("select \"delete\", 'update', updated, deleted_at, replace(a, b, c) from t").fault, "");
}

TEST(Query, faults_are_named) {
    const auto fault = [](std::string_view sql) { return scan_query(sql).fault; };
    for (const char* sql :
         {"", " ", "-- select", "(select 1)", "'select'", "values (1)", "selec 1", ":sub", "; select 1"})
        EXPECT_THAT(fault(sql), HasSubstr("begins with `select` or `with`")) << sql;
    EXPECT_THAT(fault("select 1; select 2"), HasSubstr("several statements"));
    EXPECT_THAT(fault("select 1;;"), HasSubstr("several statements"));
    for (const char* sql : {"with x as (select 1) insert into t select * from x",
                            "with x as (select 1) Update t set a = 1", "with x as (select 1) delete from t"})
        EXPECT_THAT(fault(sql), HasSubstr("may only read")) << sql;
    for (const char* sql : {"select ?", "select ?1", "select @sub", "select $sub"})
        EXPECT_THAT(fault(sql), HasSubstr("has a parameter with")) << sql;
    for (const char* sql : {"select :", "select : sub", "select a::text", "select :1"})
        EXPECT_THAT(fault(sql), HasSubstr("a colon without a name")) << sql;
    EXPECT_THAT(fault("select 'x"), HasSubstr("a quote that is not closed"));
    EXPECT_THAT(fault("select \"x"), HasSubstr("a quote that is not closed"));
    EXPECT_THAT(fault("select [x"), HasSubstr("a bracket that is not closed"));
    EXPECT_THAT(fault("select 1 /* x"), HasSubstr("a comment that is not closed"));
}

}  // namespace
}  // namespace skerry::model::yaml
