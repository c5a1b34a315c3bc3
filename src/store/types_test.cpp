// Every type and every condition of a model, as any SQLite program meets them: what is stored, what is refused and by
// which name, and what the operations then carry.
#include "store/testing.hpp"

namespace skerry::store {
namespace {

using model::Merge;
using model::Type;

model::Model typed_model() {
    model::Model m{"test", 1, {}};
    model::Entity e{.name = "thing", .key = {.name = "id", .type = Type::kUuid}};
    e.attributes = {{.name = "t"},
                    {.name = "i", .type = Type::kInt},
                    {.name = "r", .type = Type::kReal},
                    {.name = "d", .type = Type::kDecimal, .precision = 6, .scale = 2},
                    {.name = "b", .type = Type::kBool},
                    {.name = "day", .type = Type::kDate},
                    {.name = "at", .type = Type::kTimestamp},
                    {.name = "j", .type = Type::kJson},
                    {.name = "x", .type = Type::kBlob},
                    {.name = "s", .type = Type::kSet, .merge = Merge::kSet},
                    {.name = "e", .type = Type::kEnum, .values = {"open", "it's"}},
                    {.name = "u", .type = Type::kUuid}};
    m.entities.push_back(e);
    model::Entity c{.name = "card", .key = {.name = "id"}};
    c.attributes = {{.name = "name", .required = true},
                    {.name = "state", .type = Type::kEnum, .required = true, .default_value = Value{std::string("open")}, .values = {"open", "shut"}},
                    {.name = "seats", .type = Type::kInt, .default_value = Value{std::int64_t{-4}}},
                    {.name = "price", .type = Type::kDecimal, .default_value = Value{std::int64_t{1250}}, .precision = 6, .scale = 2},
                    {.name = "share", .type = Type::kReal, .default_value = Value{0.1}},
                    {.name = "code"}, {.name = "part", .type = Type::kInt}};
    c.checks = {{"seats < 100", "seats"}, {"name <> 'no' or seats is null", ""}};
    c.unique = {{5, 6}};
    c.indexes = {{1}};
    m.entities.push_back(c);
    model::complete(m);
    return m;
}

class Types : public StoreTest {
  protected:
    Types() : StoreTest(typed_model()) { sql("INSERT INTO thing(id) VALUES('00000000-0000-7000-8000-000000000001')"); }
    Code refuses(const std::string& assignment) {
        const Code captured = refused("UPDATE thing SET " + assignment);
        auto other = foreign();
        EXPECT_EQ(refused_to(other, "UPDATE thing SET " + assignment), captured) << "any program is refused alike";
        return captured;
    }
    std::string takes(const std::string& attribute, const std::string& value) {
        sql("UPDATE thing SET " + attribute + " = " + value);
        return rows("SELECT " + attribute + " FROM thing");
    }
};

TEST_F(Types, columns_have_the_types_of_the_documents) {
    EXPECT_EQ(rows("SELECT group_concat(type, ' ') FROM pragma_table_info('thing')"),
              "'TEXT TEXT INTEGER REAL INTEGER INTEGER TEXT TEXT TEXT BLOB TEXT TEXT TEXT'");
    EXPECT_EQ(rows("SELECT strict FROM pragma_table_list('thing')"), "1");
}

TEST_F(Types, case_G1_integers_and_reals_are_exact) {
    for (const char* value : {"9007199254740993", "9223372036854775807", "-9223372036854775808"}) EXPECT_EQ(takes("i", value), value);
    EXPECT_EQ(op(4).changes[0].new_value, Value{std::int64_t{INT64_MIN}});
    takes("r", "1.7976931348623157e308");
    EXPECT_EQ(op(5).changes[0].new_value, Value{1.7976931348623157e308});
    takes("r", "5");
    EXPECT_EQ(op(6).changes[0].new_value, Value{5.0}) << "an integer becomes a real";
    EXPECT_EQ(refuses("r = 9e999"), Code::kValueInvalid);
    EXPECT_EQ(refuses("r = -9e999"), Code::kValueInvalid);
    EXPECT_EQ(refuses("i = 'many'"), Code::kConstraint);
}

TEST_F(Types, decimals_are_scaled_integers_within_their_precision) {
    EXPECT_EQ(takes("d", "999999"), "999999");
    EXPECT_EQ(takes("d", "-999999"), "-999999");
    EXPECT_EQ(refuses("d = 12.34"), Code::kConstraint) << "by SQLite: the column is an integer";
    for (const char* value : {"1000000", "-1000000"}) EXPECT_EQ(refuses(std::string("d = ") + value), Code::kValueInvalid);
    for (const char* value : {"2", "-1"}) EXPECT_EQ(refuses(std::string("b = ") + value), Code::kValueInvalid);
    EXPECT_EQ(takes("b", "true"), "1");
}

TEST_F(Types, dates_and_times_have_one_form) {
    for (const char* day : {"2026-11-21", "2024-02-29", "0000-01-01", "9999-12-31"}) EXPECT_EQ(takes("day", "'" + std::string(day) + "'"), "'" + std::string(day) + "'");
    for (const char* day : {"2026-02-29", "2026-02-30", "2026-13-01", "2026-00-10", "2026-01-00", "2026-1-1", "now", "2460000.5", "10:30", "2026-11-21T00:00", "-026-01-01", ""})
        EXPECT_EQ(refuses("day = '" + std::string(day) + "'"), Code::kValueInvalid) << day;
    EXPECT_EQ(refuses("day = '2026-11-21' || char(0) || 'x'"), Code::kValueInvalid);
    EXPECT_EQ(takes("at", "'2026-11-21T23:59:59.999999Z'"), "'2026-11-21T23:59:59.999999Z'");
    for (const char* time : {"2026-11-21T24:00:00.000000Z", "2026-11-21T10:60:00.000000Z", "2026-11-21T10:00:60.000000Z", "2026-11-21T10:00:00Z", "2026-02-30T10:00:00.000000Z",
                             "2026-11-21 10:00:00.000000Z", "2026-11-21T10:00:00.000000", "2026-11-21T10:00:00.000000+01:00"})
        EXPECT_EQ(refuses("at = '" + std::string(time) + "'"), Code::kValueInvalid) << time;
    EXPECT_EQ(refuses("at = '2026-11-21T10:00:00.000000Z' || char(0)"), Code::kValueInvalid);
}

TEST_F(Types, text_uuid_and_enum) {
    EXPECT_EQ(takes("e", "'it''s'"), "'it's'");
    EXPECT_EQ(refuses("e = 'Open'"), Code::kValueInvalid);
    EXPECT_EQ(refuses("e = 'open' || char(0)"), Code::kValueInvalid);
    for (const char* uuid : {"'00000000-0000-7000-8000-00000000000A'", "'x'", "'00000000-0000-7000-8000-000000000001' || char(0) || 'x'", "''"})
        EXPECT_EQ(refuses(std::string("u = ") + uuid), Code::kValueInvalid) << uuid;
    EXPECT_EQ(refused("INSERT INTO thing(id) VALUES('A0000000-0000-7000-8000-000000000001')"), Code::kValueInvalid);
    EXPECT_EQ(refuses("t = 'a' || char(0) || 'b'"), Code::kValueInvalid);
    EXPECT_EQ(takes("t", "''"), "''") << "empty text is a value";
}

TEST_F(Types, json_and_sets_are_made_canonical_in_row_and_operation_together) {
    EXPECT_EQ(takes("j", "' {\"b\": 1.0, \"a\": [ true ] } '"), "'{\"a\":[true],\"b\":1}'");
    EXPECT_EQ(op(2).changes[0].new_value, Value{std::string("{\"a\":[true],\"b\":1}")});
    EXPECT_EQ(takes("s", "'[\"b\", \"a\", \"b\"]'"), "'[\"a\",\"b\"]'");
    EXPECT_EQ(op(3).changes[0].new_value, Value{std::string("[\"a\",\"b\"]")});
    sql("UPDATE thing SET j = '{\"b\":1,\"a\":[true]}'");
    EXPECT_EQ(transactions(), 3) << "another spelling of what is there is no change";
    EXPECT_EQ(rows("SELECT j FROM thing"), "'{\"a\":[true],\"b\":1}'") << "and does not stay";
    sql("INSERT INTO thing(id, s) VALUES('00000000-0000-7000-8000-000000000002', '[\"z\",\"y\"]')");
    EXPECT_EQ(rows("SELECT s FROM thing WHERE s IS NOT NULL ORDER BY id DESC LIMIT 1"), "'[\"y\",\"z\"]'");
    for (const char* bad : {"j = '{'", "j = ''", "j = '{}' || char(0)", "s = '[1]'", "s = '{}'", "s = 'a'", "s = '[[]]'", "s = '\"a\"'"})
        EXPECT_EQ(refuses(bad), Code::kValueInvalid) << bad;
    EXPECT_FALSE(*store_->number_open()) << "nothing that the engine wrote was captured";
}

TEST_F(Types, what_the_app_added_cannot_stop_numbering) {
    // Bug B6: a trigger that refuses updates made every commit of a respelled value fail.
    sql("CREATE TRIGGER frozen BEFORE UPDATE ON thing WHEN OLD.t = 'frozen' BEGIN SELECT RAISE(ABORT, 'frozen'); END");
    const std::string id = "00000000-0000-7000-8000-00000000000";
    sql("INSERT INTO thing(id, t, j) VALUES('" + id + "2', 'frozen', '[1, 2]')");
    EXPECT_EQ(rows("SELECT j FROM thing WHERE t = 'frozen'"), "'[1,2]'");
    sql("DROP TRIGGER frozen");
    sql("CREATE UNIQUE INDEX app_index ON thing(j)");
    sql("INSERT INTO thing(id, j) VALUES('" + id + "3', '[1,  2]')");
    EXPECT_EQ(op(3).row[7], Value{std::string("[1,2]")}) << "what is sent is canonical";
    EXPECT_EQ(rows("SELECT j FROM thing WHERE id = '" + id + "3'"), "'[1,  2]'") << "here the app's index wants otherwise";
    EXPECT_EQ(rows("SELECT applying FROM skerry_state"), "0");
}

TEST_F(Types, a_value_that_cannot_be_made_canonical_is_left_for_the_server) {
    sql("UPDATE thing SET j = '{\"a\":1,\"a\":2}'");
    EXPECT_EQ(rows("SELECT j FROM thing"), "'{\"a\":1,\"a\":2}'");
    EXPECT_EQ(op(2).changes[0].new_value, Value{std::string("{\"a\":1,\"a\":2}")});
}

TEST_F(Types, pitfall_57_an_old_large_blob_travels_as_its_hash) {
    ASSERT_TRUE(store_->sql("UPDATE thing SET x = ?1", {Value{Blob(9000, 7)}}));
    ASSERT_TRUE(store_->sql("UPDATE thing SET x = x'01'"));
    const wire::Change change = op(3).changes[0];
    EXPECT_TRUE(is_null(change.old_value));
    EXPECT_EQ(change.old_hash, model::value_hash(Value{Blob(9000, 7)}));
    EXPECT_EQ(change.prev, TxnNo{2});
    ASSERT_TRUE(store_->sql("UPDATE thing SET x = ?1", {Value{Blob(model::kBlobBytesMax, 1)}}));
    EXPECT_EQ(store_->sql("UPDATE thing SET x = ?1", {Value{Blob(model::kBlobBytesMax + 1, 1)}}).error().code, Code::kRowTooBig);
}

class Names : public StoreTest {
  protected:
    Names() : StoreTest(awkward_model()) {}
    static model::Model awkward_model() {
        model::Model m{"test", 1, {}};
        for (const char* entity : {"t", "n", "p", "c", "select", "key"}) {
            model::Entity e{.name = entity, .key = {.name = "key"}};
            for (const char* name : {"one", "gone", "existed", "k", "rowid", "type", "value", "from", "old", "new", "applying", "entity"}) e.attributes.push_back({.name = name});
            e.attributes.push_back({.name = "tags", .type = Type::kSet});
            e.attributes.push_back({.name = "parent", .references = EntityIx{static_cast<std::uint32_t>(m.entities.size())}, .on_delete = model::OnDelete::kCascade});
            e.unique = {{0, 1}};
            e.checks = {{"\"from\" <> 'x'", "from"}};
            m.entities.push_back(e);
        }
        model::complete(m);
        return m;
    }
};

TEST_F(Names, case_G9_attributes_may_be_called_like_anything_of_ours_or_of_sqls) {
    for (const model::Entity& entity : store_->model().entities) {
        if (entity.builtin()) continue;
        const std::string table = sqlite::quote_name(entity.name);
        in_one({"INSERT INTO " + table + "(key, one, gone, existed, rowid, tags) VALUES('a', 'o', 'g', 'e', 'r', '[\"b\",\"a\"]')",
                "INSERT INTO " + table + "(key, parent) VALUES('b', 'a')"});
        EXPECT_EQ(refused("UPDATE " + table + " SET one = 'o', gone = 'g' WHERE key = 'b'"), Code::kNotUnique);
        EXPECT_EQ(refused("UPDATE " + table + " SET \"from\" = 'x'"), Code::kCheckFailed);
        sql("UPDATE " + table + " SET one = 'changed', \"new\" = 'n', \"old\" = 'o' WHERE key = 'a'");
        EXPECT_EQ(rows("SELECT key, one, gone, tags FROM " + table + " WHERE key = 'a'"), "'a','changed','g','[\"a\",\"b\"]'");
        sql("CREATE TRIGGER " + sqlite::quote_name("app_" + entity.name) + " AFTER INSERT ON " + table + " BEGIN DELETE FROM " + table + "; END");
        model::Row values(entity.attributes.size(), Value{std::string("[]")});
        apply({.scopes = all_scopes(), .token = "for " + entity.name}, {row(entity.name, "z", values)});
        EXPECT_EQ(rows("SELECT count(*) FROM " + table), "3");
        sql("DELETE FROM " + table + " WHERE key = 'a'");
        EXPECT_EQ(rows("SELECT key FROM " + table), "'z'");
    }
}

class Wide : public StoreTest {
  protected:
    Wide() : StoreTest(wide_model()) {}
    static model::Model wide_model() {
        model::Model m{"test", 1, {}};
        for (const Type type : {Type::kText, Type::kInt}) {
            model::Entity e{.name = type == Type::kText ? "texts" : "numbers", .key = {.name = "id"}};
            for (std::size_t i = 0; i < model::kAttributesMax; ++i) e.attributes.push_back({.name = "a" + std::to_string(i), .type = type});
            m.entities.push_back(e);
        }
        model::complete(m);
        return m;
    }
};

TEST_F(Wide, a_row_of_the_most_attributes_is_captured_and_numbers_count_towards_the_limit) {
    apply({.scopes = all_scopes()});
    sql("INSERT INTO texts(id, a0, a989) VALUES('a', 'first', 'last')");
    sql("UPDATE texts SET a500 = 'middle'");
    EXPECT_EQ(ops(2), "U texts a a500:NULL->'middle'<1 needs 1");
    sql("CREATE TRIGGER app AFTER INSERT ON numbers BEGIN DELETE FROM texts; END");
    apply({.token = "two"}, {row("texts", "b", model::Row(model::kAttributesMax, Value{std::string("x")})), row("numbers", "n", model::Row(model::kAttributesMax, Value{std::int64_t{1}}))});
    EXPECT_EQ(rows("SELECT count(*) FROM texts"), "2");
    auto other = foreign();
    EXPECT_EQ(refused_to(other, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO numbers(id, a0) SELECT 'k' || i, i FROM n"), Code::kTxnTooBig);
}

TEST_F(Types, defaults_are_the_columns_own) {
    sql("INSERT INTO card(id, name) VALUES('a', 'x')");
    EXPECT_EQ(rows("SELECT state, seats, price, share = 0.1 FROM card"), "'open',-4,1250,1");
    const model::Row sent = {Value{std::string("x")}, Value{std::string("open")}, Value{std::int64_t{-4}}, Value{std::int64_t{1250}}, Value{0.1}, Value{Null{}}, Value{Null{}}};
    EXPECT_EQ(op(2).row, sent) << "what is sent is the row";
}

TEST_F(Types, required_and_checks_refuse_by_name_whoever_writes) {
    EXPECT_EQ(refused("INSERT INTO card(id) VALUES('a')"), Code::kRequired);
    EXPECT_EQ(refused("INSERT INTO card(id, name, state) VALUES('a', 'x', NULL)"), Code::kRequired);
    EXPECT_EQ(refused("INSERT INTO card(id, name, seats) VALUES('a', 'x', 100)"), Code::kCheckFailed);
    EXPECT_EQ(refused("INSERT INTO card(id, name) VALUES('a', 'no')"), Code::kCheckFailed);
    sql("INSERT INTO card(id, name, seats) VALUES('a', 'no', NULL)");
    auto other = foreign();
    EXPECT_EQ(refused_to(other, "UPDATE card SET name = NULL"), Code::kRequired);
    EXPECT_EQ(refused_to(other, "UPDATE OR IGNORE card SET seats = 100"), Code::kCheckFailed);
    EXPECT_EQ(refused_to(other, "INSERT OR REPLACE INTO card(id, name, seats) VALUES('a', 'x', 100)"), Code::kCheckFailed);
    EXPECT_EQ(store_->sql("UPDATE card SET seats = 100").error().message, "card.seats does not meet the check seats < 100");
    EXPECT_EQ(rows("SELECT name, seats FROM card"), "'no',NULL");
    EXPECT_EQ(transactions(), 2);
}

TEST_F(Types, unique_refuses_a_second_row_of_the_same_values_and_knows_null) {
    sql("INSERT INTO card(id, name, code, part) VALUES('a', 'x', 'c', 1), ('b', 'x', 'c', 2), ('n', 'x', 'c', NULL), ('m', 'x', 'c', NULL)");
    EXPECT_EQ(refused("INSERT INTO card(id, name, code, part) VALUES('d', 'x', 'c', 1)"), Code::kNotUnique);
    EXPECT_EQ(refused("UPDATE card SET part = 1 WHERE id = 'b'"), Code::kNotUnique);
    EXPECT_EQ(refused("INSERT OR REPLACE INTO card(id, name, code, part) VALUES('d', 'x', 'c', 1)"), Code::kNotUnique) << "nobody is evicted";
    sql("UPDATE card SET name = 'y'");
    sql("REPLACE INTO card(id, name, code, part) VALUES('a', 'z', 'c', 1)");
    EXPECT_EQ(rows("SELECT count(*) FROM sqlite_schema WHERE name GLOB 'skerry_index_card_*'"), "2");
}

TEST_F(Types, pitfall_8_nothing_of_it_stands_in_the_way_of_what_arrives) {
    apply({.scopes = all_scopes()});
    sql("INSERT INTO card(id, name, code, part) VALUES('mine', 'x', 'c', 1)");
    const auto card = [&](std::string key, Value name, std::int64_t seats) {
        return row("card", std::move(key), {std::move(name), Value{std::string("open")}, Value{seats}, Value{Null{}}, Value{Null{}}, Value{std::string("c")}, Value{std::int64_t{1}}});
    };
    apply({.token = "two"}, {card("a", Value{Null{}}, 1000), card("b", Value{std::string("no")}, 5)});
    EXPECT_EQ(rows("SELECT id, seats FROM card ORDER BY id"), "'a',1000; 'b',5; 'mine',-4") << "not required, check or unique";
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_quarantine"), "0");
    sql("UPDATE card SET name = 'later', seats = 1 WHERE id = 'a'");
    apply({.token = "three"}, {card("b", Value{std::string("swapped")}, 6)});
    EXPECT_EQ(rows("SELECT name FROM card WHERE id = 'b'"), "'swapped'");
}

TEST_F(Types, pitfall_11_comparison_is_binary_and_typed) {
    sql("INSERT INTO card(id, name) VALUES('a', 'bob')");
    sql("UPDATE card SET name = 'BOB', share = 0.30000000000000004");
    EXPECT_EQ(op(3).changes.size(), 2u);
    EXPECT_EQ(op(3).changes[1].new_value, Value{0.1 + 0.2}) << "no digit is lost on the way";
}

// Everything waits for numbering: what it spells anew no trigger of the app's own may refuse.
TEST_F(Types, a_refusing_trigger_of_the_app_does_not_stop_numbering) {
    sql("CREATE TRIGGER never BEFORE UPDATE ON thing BEGIN SELECT RAISE(ABORT, 'never'); END");
    auto other = foreign();
    ASSERT_TRUE(other.exec("INSERT INTO thing(id, j) VALUES('00000000-0000-7000-8000-000000000002', '{\"b\":1, \"a\":2}')"));
    const auto numbered = store_->number_open();
    ASSERT_TRUE(numbered) << describe(numbered.error());
    EXPECT_TRUE(*numbered);
    EXPECT_EQ(rows("SELECT j FROM thing WHERE id LIKE '%2'"), "'{\"a\":2,\"b\":1}'");
    sql("INSERT INTO thing(id, s) VALUES('00000000-0000-7000-8000-000000000003', '[\"b\",\"a\"]')");
    EXPECT_EQ(rows("SELECT s FROM thing WHERE id LIKE '%3'"), "'[\"a\",\"b\"]'");
    EXPECT_EQ(refused("UPDATE thing SET i = 1"), Code::kConstraint) << "it still refuses what the app writes";
}

}  // namespace
}  // namespace skerry::store
