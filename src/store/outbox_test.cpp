#include "store/outbox.hpp"

#include "store/forget.hpp"
#include "store/testing.hpp"

namespace skerry::store {
namespace {

class OutboxTest : public StoreTest {
  protected:
    void SetUp() override {
        apply({.scopes = whole_scopes()}, {house("kept", "server's", 1), house("gone", "x", 2)});
        sql("INSERT INTO house(id, name) VALUES('settled', 'a')");
        sql("INSERT INTO house(id, name) VALUES('refused', 'b')");
        apply({.outcomes = {{TxnNo{1}, wire::Verdict::kApplied, Code::kInternal, {}, {}, 0},
                            {TxnNo{2}, wire::Verdict::kRejected, Code::kKeyTaken, TxnNo{2}, "taken", 0}}, .token = "later"},
              {house("settled", "a", 3)});
        sql("UPDATE house SET name = 'mine' WHERE id = 'kept'");
        sql("DELETE FROM house WHERE id = 'gone'");
        sql("INSERT INTO house(id, name) VALUES('new', 'c')");
        ASSERT_TRUE(store_->meta().set_text(key::kBearer, "secret"));
        ASSERT_TRUE(store_->meta().set_text(key::kServerUrl, "http://x"));
    }
    // Everything that must be the same, as text.
    static std::string facts(Store& store) {
        std::string out;
        for (const char* query : {"SELECT * FROM skerry_txn ORDER BY no", "SELECT * FROM skerry_op ORDER BY 1, 2, 3", "SELECT * FROM skerry_archive ORDER BY no",
                                  "SELECT * FROM skerry_draft ORDER BY number", "SELECT name, value FROM skerry_meta WHERE name IN ('device', 'next_no', 'server_url', 'user')",
                                  "SELECT * FROM house ORDER BY id", "SELECT * FROM skerry_base_house ORDER BY 1"}) {
            const auto table = store.sql(query);
            if (!table) return describe(table.error());
            for (const auto& row : table->rows) {
                for (const Value& value : row) out += model::to_text(value) + ",";
                out += ";";
            }
            out += "\n";
        }
        return out;
    }
};

TEST_F(OutboxTest, X_9_a_store_made_from_it_and_the_server_s_rows_differs_in_nothing) {
    const auto outbox = pack_outbox(*store_, WithToken::kYes);
    ASSERT_TRUE(outbox) << describe(outbox.error());
    auto made = Store::open({.path = path() + ".new", .vfs = "", .device_name = "other", .model = *model_of_outbox(*outbox)}, clock_, random_);
    ASSERT_TRUE(made);
    ASSERT_TRUE(unpack_outbox(*outbox, **made));
    EXPECT_EQ(*(*made)->meta().bytes(key::kBearer), std::optional<Bytes>("secret"));
    EXPECT_EQ((*made)->sql("SELECT id FROM house")->rows.size(), 1u) << "what was made here is visible at once";
    const std::string before = facts(*store_);
    std::swap(store_, *made);
    EXPECT_EQ(*store_->meta().integer(key::kVerify), 1);
    apply({.scopes = whole_scopes(), .verify = true, .token = "anew"}, {house_slice("", std::nullopt, {{"gone", {}, {Value{std::string("x")}, Value{std::int64_t{2}}}},
                                                                                      {"kept", {}, {Value{std::string("server's")}, Value{std::int64_t{1}}}},
                                                                                      {"settled", {}, {Value{std::string("a")}, Value{std::int64_t{3}}}}})});
    EXPECT_EQ(facts(*store_), before);
    store_.reset();
    std::swap(store_, *made);
#ifndef __wasm__
    for (const char* ending : {"", "-wal", "-shm"}) std::filesystem::remove(path() + ".new" + ending);
#endif
}

TEST_F(OutboxTest, the_token_is_in_it_only_when_it_may_be) {
    EXPECT_EQ(pack_outbox(*store_, WithToken::kNo)->find("secret"), std::string::npos);
    EXPECT_NE(pack_outbox(*store_, WithToken::kYes)->find("secret"), std::string::npos);
}

TEST_F(OutboxTest, bytes_that_are_cut_or_name_other_tables_are_refused) {
    const Bytes outbox = *pack_outbox(*store_, WithToken::kNo);
    const auto unpacked = [&](BytesView bytes) -> Code {
        auto made = Store::open({.path = path() + ".bad", .vfs = "", .device_name = "", .model = model_.compile()}, clock_, random_);
        EXPECT_TRUE(made);
        const auto done = unpack_outbox(bytes, **made);
        return done ? Code::kInternal : done.error().code;
    };
    for (const std::size_t size : {outbox.size() - 1, outbox.size() / 2, outbox.size() / 3}) EXPECT_EQ(unpacked(BytesView(outbox).substr(0, size)), Code::kCorruptStore) << size;
    Bytes other = outbox;
    const std::size_t at = other.find("skerry_draft");
    ASSERT_NE(at, std::string::npos);
    other.replace(at, 12, "skerry_state");
    EXPECT_EQ(unpacked(other), Code::kCorruptStore);
    Bytes newer = outbox;
    newer[0] = static_cast<char>(newer[0] + 2);
    EXPECT_EQ(unpacked(newer), Code::kFormatTooNew);
#ifndef __wasm__
    for (const char* ending : {"", "-wal", "-shm"}) std::filesystem::remove(path() + ".bad" + ending);
#endif
}

}  // namespace
}  // namespace skerry::store
