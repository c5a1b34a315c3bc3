#include "sqlite/database.hpp"

#include <gtest/gtest.h>

namespace skerry::sqlite {
namespace {

Database memory() {
    auto db = Database::open(":memory:");
    EXPECT_TRUE(db);
    return std::move(*db);
}

TEST(Sqlite, values_come_back_as_they_went) {
    Database db = memory();
    ASSERT_TRUE(db.exec("CREATE TABLE t(v ANY) STRICT"));
    for (const Value& v : {Value{Null{}}, Value{INT64_MIN}, Value{0.1}, Value{std::string("ä")}, Value{Blob{1, 0}},
                           Value{std::string()}, Value{Blob{}}}) {
        auto insert = db.prepare("INSERT INTO t VALUES(?1)");
        ASSERT_TRUE(insert);
        ASSERT_TRUE(insert->bind(1, v).run());
        auto select = db.prepare("SELECT v FROM t");
        ASSERT_TRUE(select);
        ASSERT_TRUE(*select->step());
        EXPECT_EQ(select->value(0), v);
        select->reset();
        ASSERT_TRUE(db.exec("DELETE FROM t"));
    }
}

TEST(Sqlite, an_uncommitted_transaction_rolls_back) {
    Database db = memory();
    ASSERT_TRUE(db.exec("CREATE TABLE t(v)"));
    {
        auto txn = Transaction::begin_write(db);
        ASSERT_TRUE(txn);
        ASSERT_TRUE(db.exec("INSERT INTO t VALUES(1)"));
    }
    EXPECT_EQ(*db.integer("SELECT count(*) FROM t"), 0);
}

TEST(Sqlite, errors_have_codes_and_raised_refusals_their_names) {
    Database db = memory();
    EXPECT_EQ(db.exec("SELEC 1").error().code, Code::kSql);
    ASSERT_TRUE(db.exec("CREATE TABLE t(v NOT NULL); CREATE TRIGGER g BEFORE UPDATE ON t BEGIN SELECT "
                        "RAISE(ABORT, 'skerry:key_update: keys stay'); END; INSERT INTO t VALUES(1)"));
    EXPECT_EQ(db.exec("INSERT INTO t VALUES(NULL)").error().code, Code::kConstraint);
    const auto refused = db.exec("UPDATE t SET v = 2");
    EXPECT_EQ(refused.error().code, Code::kKeyUpdate);
    EXPECT_EQ(refused.error().message, "keys stay");
}

TEST(Sqlite, names_and_texts_are_quoted) {
    EXPECT_EQ(quote_name("a\"b"), "\"a\"\"b\"");
    EXPECT_EQ(quote_text("it's"), "'it''s'");
}

TEST(Sqlite, transaction_control_is_recognised_behind_comments) {
    EXPECT_TRUE(is_transaction_control(" /* x */ -- y\n commit"));
    EXPECT_TRUE(is_transaction_control("; ROLLBACK"));
    EXPECT_FALSE(is_transaction_control("INSERT INTO t VALUES('COMMIT')"));
    EXPECT_FALSE(is_transaction_control("SAVEPOINT s"));
    EXPECT_FALSE(is_transaction_control("ROLLBACK TO s"));
    EXPECT_FALSE(is_transaction_control("rollback transaction to s"));
    EXPECT_TRUE(is_transaction_control("ROLLBACK TRANSACTION"));
}

}  // namespace
}  // namespace skerry::sqlite
