// A file that was damaged, or that somebody else had in his hands: what it keeps is named as damaged, never believed.
#include "store/testing.hpp"

namespace skerry::store {
namespace {

class Damaged : public StoreTest {
  protected:
    void SetUp() override {
        apply({.scopes = whole_scopes()}, {house("h", "server's", 1)});
        sql("UPDATE house SET name = 'mine' WHERE id = 'h'");
        ASSERT_TRUE(Journal(*store_).load(TxnNo{1}));
    }
    // An update that names an attribute which the entity does not have.
    static Bytes body_of(std::uint32_t attribute) {
        Bytes body;
        Writer out(body);
        wire::put_op_body(out, {.kind = wire::OpKind::kUpdate, .entity = EntityIx{1}, .key = "h", .row = {}, .changes = {{attribute, Null{}, Value{std::string("x")}, {}}}, .prev_row = {}});
        return body;
    }
    void damage(std::string_view column, const Value& value) {
        auto put = foreign_.prepare_once("UPDATE skerry_op SET " + std::string(column) + " = ?1");
        ASSERT_TRUE(put && (*put)->bind(1, value).run());
    }
    void expect_corrupt() {
        const auto loaded = Journal(*store_).load(TxnNo{1});
        ASSERT_FALSE(loaded);
        EXPECT_EQ(loaded.error().code, Code::kCorruptStore);
        const auto sent = Journal(*store_).next_batch({}, 10, 1u << 20);
        ASSERT_FALSE(sent);
        EXPECT_EQ(sent.error().code, Code::kCorruptStore);
    }
    sqlite::Database foreign_ = foreign();
};

TEST_F(Damaged, an_operation_of_an_attribute_that_is_not_there) {
    const Bytes good = body_of(1);
    damage("body", Blob(good.begin(), good.end()));
    EXPECT_TRUE(Journal(*store_).load(TxnNo{1}));
    const Bytes bad = body_of(2);
    damage("body", Blob(bad.begin(), bad.end()));
    expect_corrupt();
    EXPECT_EQ(store_->tables().ops(EntityIx{1}, "h").error().code, Code::kCorruptStore);
}

// A server that expects the first transaction must not make the device write as many as the file claims.
TEST_F(Damaged, a_file_that_claims_to_have_made_any_number_of_transactions) {
    for (const std::int64_t next : {INT64_MAX, std::int64_t{30'000}}) {
        ASSERT_TRUE(foreign_.exec("DELETE FROM skerry_archive"));
        ASSERT_TRUE(store_->meta().set(key::kNextNo, next));
        ASSERT_TRUE(Journal(*store_).resend_from(TxnNo{1}));
        EXPECT_EQ(*store_->db().integer("SELECT count(*) FROM skerry_archive"), static_cast<std::int64_t>(kLostAtOnce));
        EXPECT_EQ(Journal(*store_).next_batch({}, 500, 1u << 20)->payloads.size(), 500u);
    }
    // When the server has those, it expects the next.
    ASSERT_TRUE(Journal(*store_).resend_from(TxnNo{kLostAtOnce + 2}));
    EXPECT_EQ(*store_->db().integer("SELECT count(*) FROM skerry_archive"), static_cast<std::int64_t>(2 * kLostAtOnce));
    for (const std::int64_t next : {INT64_MIN, std::int64_t{0}}) {
        ASSERT_TRUE(store_->meta().set(key::kNextNo, next));
        EXPECT_EQ(Journal(*store_).resend_from(TxnNo{1}).error().code, Code::kCorruptStore);
    }
}

TEST_F(Damaged, an_operation_of_no_kind) {
    damage("body", Blob{});
    damage("kind", std::int64_t{9});
    expect_corrupt();
    EXPECT_EQ(store_->tables().ops(EntityIx{1}, "h").error().code, Code::kCorruptStore);
}

TEST_F(Damaged, an_operation_on_an_entity_that_is_not_there) {
    damage("body", Blob{});
    damage("entity", std::int64_t{77});
    expect_corrupt();
}

}  // namespace
}  // namespace skerry::store
