// The C interface without a server; tests/package has a C program with one.
#include <skerry/device.hpp>
#include <skerry/skerry.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "model/json.hpp"
#include "model/model.hpp"
#include "store/records.hpp"
#include "store/testing.hpp"

namespace skerry {
namespace {

skerry_value text(const char* content) { return {.type = SKERRY_TEXT, .integer = 0, .real = 0, .bytes = content, .size = std::string_view(content).size()}; }
skerry_value integer(std::int64_t content) { return {.type = SKERRY_INT, .integer = content, .real = 0, .bytes = nullptr, .size = 0}; }

class CapiTest : public testing::Test {
  protected:
    CapiTest() {
        folder_ = std::filesystem::temp_directory_path() / ("skerry-capi-" + std::to_string(getpid()));
        std::filesystem::create_directories(folder_);
        path_ = (folder_ / "device.db").string();
        model::Model m{"test", 1, {}};
        m.entities.push_back({.name = "item", .key = {.name = "id"}, .attributes = {{.name = "stock", .type = model::Type::kInt}, {.name = "photo", .type = model::Type::kBlob}, {.name = "name"}}});
        model::complete(m);
        const auto made = Device::open({.path = path_, .model = m.compile()});
        EXPECT_TRUE(made) << describe(made.error());
    }
    ~CapiTest() override {
        skerry_close(device_);
        std::filesystem::remove_all(folder_);
    }
    void open() {
        skerry_options options{};
        options.size = sizeof options;
        options.path = path_.c_str();
        char* message = nullptr;
        ASSERT_EQ(skerry_open(&options, &device_, &message), 0) << message;
        EXPECT_EQ(message, nullptr);
    }
    std::int64_t stock() {
        skerry_table* table = nullptr;
        EXPECT_EQ(skerry_sql(device_, "SELECT stock FROM item WHERE id = 'a'", nullptr, 0, &table), 0);
        const std::int64_t found = skerry_table_value(table, 0, 0).integer;
        skerry_table_free(table);
        return found;
    }

    std::filesystem::path folder_;
    std::string path_;
    skerry_device* device_ = nullptr;
};

TEST_F(CapiTest, values_of_every_type_go_in_and_come_out) {
    open();
    const char bytes[] = {1, 0, 2};
    const skerry_value row[] = {text("a"), integer(INT64_MIN), {.type = SKERRY_BLOB, .integer = 0, .real = 0, .bytes = bytes, .size = 3}, skerry_value{}};
    ASSERT_EQ(skerry_sql(device_, "INSERT INTO item (id, stock, photo, name) VALUES (?1, ?2, ?3, ?4)", row, 4, nullptr), 0) << skerry_message(device_);
    skerry_table* table = nullptr;
    ASSERT_EQ(skerry_sql(device_, "SELECT id, stock, photo, name, 0.5 AS half FROM item", nullptr, 0, &table), 0);
    ASSERT_EQ(skerry_table_rows(table), 1u);
    ASSERT_EQ(skerry_table_columns(table), 5u);
    EXPECT_STREQ(skerry_table_column(table, 4), "half");
    EXPECT_EQ(skerry_table_column(table, 5), nullptr);
    EXPECT_STREQ(static_cast<const char*>(skerry_table_value(table, 0, 0).bytes), "a");
    EXPECT_EQ(skerry_table_value(table, 0, 1).integer, INT64_MIN);
    const skerry_value photo = skerry_table_value(table, 0, 2);
    EXPECT_EQ(photo.type, SKERRY_BLOB);
    EXPECT_EQ(std::string(static_cast<const char*>(photo.bytes), photo.size), std::string(bytes, 3));
    EXPECT_EQ(skerry_table_value(table, 0, 3).type, SKERRY_NULL);
    EXPECT_EQ(skerry_table_value(table, 0, 4).real, 0.5);
    EXPECT_EQ(skerry_table_value(table, 1, 0).type, SKERRY_NULL);
    skerry_table_free(table);
}

TEST_F(CapiTest, a_transaction_is_done_whole_or_not_at_all) {
    open();
    const skerry_value row[] = {text("a"), integer(5)};
    ASSERT_EQ(skerry_sql(device_, "INSERT INTO item (id, stock) VALUES (?1, ?2)", row, 2, nullptr), 0);
    const auto take = [](skerry_device* device, void* wanted) {
        if (const int code = skerry_assert_row(device, "item", "a", "stock >= 3"); code != 0) return code;
        const skerry_field shown{"stock", integer(5)};
        const skerry_field edited{"stock", integer(5 - *static_cast<int*>(wanted))};
        if (const int code = skerry_update(device, "item", "a", &shown, 1, &edited, 1); code != 0) return code;
        return *static_cast<int*>(wanted) > 4 ? 4711 : 0;
    };
    int wanted = 5;
    EXPECT_EQ(skerry_transaction(device_, take, &wanted, 1), 4711);
    EXPECT_EQ(stock(), 5);
    wanted = 3;
    EXPECT_EQ(skerry_transaction(device_, take, &wanted, 1), 0) << skerry_message(device_);
    EXPECT_EQ(stock(), 2);
    EXPECT_STREQ(skerry_code_name(skerry_transaction(device_, take, &wanted, 1)), "assert_failed");
    EXPECT_NE(std::string(skerry_message(device_)).find("assert_failed"), std::string::npos);
}

TEST_F(CapiTest, what_is_wrong_is_said_by_code_and_in_words) {
    skerry_options options{};
    char* message = nullptr;
    options.path = path_.c_str();
    for (const std::size_t size : {std::size_t{0}, sizeof options - 1, sizeof options + 1}) {
        options.size = size;
        EXPECT_STREQ(skerry_code_name(skerry_open(&options, &device_, &message)), "invalid_argument");
        EXPECT_NE(std::string(message).find("skerry_options.size is " + std::to_string(size)), std::string::npos) << message;
        skerry_free(message);
    }
    EXPECT_STREQ(skerry_code_name(skerry_open(nullptr, &device_, nullptr)), "invalid_argument");
    options.size = sizeof options;
    const std::string nowhere = (folder_ / "no" / "such.db").string();
    options.path = nowhere.c_str();
    EXPECT_NE(skerry_open(&options, &device_, nullptr), 0);
    EXPECT_EQ(device_, nullptr);

    open();
    skerry_table* table = nullptr;
    EXPECT_STREQ(skerry_code_name(skerry_sql(device_, "SELEC 1", nullptr, 0, &table)), "sql");
    EXPECT_EQ(table, nullptr);
    skerry_value odd = integer(1);
    odd.type = static_cast<skerry_type>(7);
    EXPECT_STREQ(skerry_code_name(skerry_sql(device_, "SELECT ?1", &odd, 1, nullptr)), "invalid_argument");
    EXPECT_NE(std::string(skerry_message(device_)).find("parameter 1"), std::string::npos);
    odd = {.type = SKERRY_TEXT, .integer = 0, .real = 0, .bytes = nullptr, .size = 3};
    EXPECT_STREQ(skerry_code_name(skerry_sql(device_, "SELECT ?1", &odd, 1, nullptr)), "invalid_argument");
    EXPECT_STREQ(skerry_code_name(skerry_sync(device_, nullptr, nullptr)), "invalid_argument");
    EXPECT_STREQ(skerry_code_name(skerry_retry_draft(device_, 1, nullptr, nullptr, nullptr)), "not_found");
    std::uint64_t transaction = 1;
    int nothing_left = 1;
    EXPECT_STREQ(skerry_code_name(skerry_retry_draft(device_, 1, &transaction, &nothing_left, &table)), "not_found");
    EXPECT_EQ(transaction, 0u);
    EXPECT_EQ(nothing_left, 0);
    EXPECT_EQ(table, nullptr);
    EXPECT_STREQ(skerry_code_name(skerry_discard_draft(device_, 1)), "not_found");
    EXPECT_STREQ(skerry_code_name(skerry_edit_draft(device_, 1, "item", "a", nullptr, 0)), "not_found");
    EXPECT_STREQ(skerry_code_name(skerry_resolve(device_, "none", SKERRY_MINE, nullptr, 0)), "not_found");
    EXPECT_STREQ(skerry_code_name(skerry_resolve(device_, "none", static_cast<skerry_choice>(0), nullptr, 0)), "invalid_argument");
    for (const int none : {-1, 0, 29, 65536, 65536 + 90}) EXPECT_STREQ(skerry_code_name(none), "internal");
    EXPECT_EQ(code_name(static_cast<Code>(29)), "internal") << "in C++ as in C";
}

TEST_F(CapiTest, a_live_query_is_told_and_ends) {
    open();
    std::vector<std::int64_t> seen;
    std::uint64_t watch = 0;
    const auto changed = [](const skerry_table* table, void* data) {
        static_cast<std::vector<std::int64_t>*>(data)->push_back(skerry_table_value(table, 0, 0).integer);
    };
    ASSERT_EQ(skerry_watch(device_, "SELECT count(*) FROM item", changed, &seen, &watch), 0);
    ASSERT_EQ(skerry_sql(device_, "INSERT INTO item (id) VALUES ('a')", nullptr, 0, nullptr), 0);
    skerry_poll(device_);
    skerry_unwatch(device_, watch);
    ASSERT_EQ(skerry_sql(device_, "INSERT INTO item (id) VALUES ('b')", nullptr, 0, nullptr), 0);
    skerry_poll(device_);
    EXPECT_EQ(seen, (std::vector<std::int64_t>{0, 1}));

    skerry_status status{};
    status.size = sizeof status;
    ASSERT_EQ(skerry_get_status(device_, &status), 0);
    EXPECT_STREQ(status.phase, "idle");
    EXPECT_EQ(status.waiting_to_send, 2u);
    // Of a caller with an older, smaller struct nothing behind its end is touched.
    skerry_status old{};
    old.size = offsetof(skerry_status, drafts);
    old.problem = -1;
    ASSERT_EQ(skerry_get_status(device_, &old), 0);
    EXPECT_EQ(old.waiting_to_send, 2u);
    EXPECT_EQ(old.problem, -1);
    char key[37];
    skerry_new_uuid(device_, key);
    EXPECT_EQ(std::string(key).size(), 36u);
    skerry_table* drafts = nullptr;
    ASSERT_EQ(skerry_drafts(device_, &drafts), 0);
    EXPECT_EQ(skerry_table_rows(drafts), 0u);
    skerry_table_free(drafts);
}

// With drafts, which only a server makes: its checkpoints are applied to the store before it is opened in C.
class CapiDraftTest : public store::StoreTest {
  protected:
    ~CapiDraftTest() override { skerry_close(device_); }
    static Value json(const char* form) { return Value{*model::canonical_json(form)}; }
    Piece record(std::string state) {
        const auto t = [](std::string_view content) { return Value{std::string(content)}; };
        const Value at = t("2026-01-01T00:00:00.000000Z");
        return row("skerry_conflict", kRecord,
                   {t("house"), t("a"), t("name"), t("ann"), t("00112233"), Value{std::int64_t{3}}, t(""), t("update"), t("both_changed"), json("{\"name\":\"old\"}"),
                    json("{\"name\":\"mine\"}"), Value{Null{}}, at, at, t(state), t(state == "open" ? "" : "theirs"), Value{Null{}}, Value{Null{}}});
    }
    void reject(std::uint64_t no, const std::vector<Piece>& pieces) {
        apply({.outcomes = {{{no}, wire::Verdict::kRejected, Code::kCheckFailed, {no}, "no"}}, .token = "rejected " + std::to_string(no)}, pieces);
    }
    void open_in_c() {
        store_.reset();
        skerry_options options{};
        options.size = sizeof options;
        options.path = path().c_str();
        ASSERT_EQ(skerry_open(&options, &device_, nullptr), 0);
    }
    static constexpr const char* kRecord = "00000000-0000-7000-8000-000000000001";
    skerry_device* device_ = nullptr;
};

TEST_F(CapiDraftTest, a_draft_that_is_done_again_tells_what_others_have_decided_and_what_is_left) {
    apply({.scopes = all_scopes()}, {row("house", "a", {Value{std::string("theirs")}, Value{std::int64_t{1}}}), record("open")});
    ASSERT_TRUE(store::Records(*store_).resolve(kRecord, {.choice = Choice::kTheirs, .values = {}}));
    sql("INSERT INTO house VALUES('b', 'new', 1)");
    reject(1, {record("closed")});
    reject(2, {});
    open_in_c();
    std::uint64_t transaction = 0;
    int nothing_left = 0;
    skerry_table* decided = nullptr;
    ASSERT_EQ(skerry_retry_draft(device_, 1, &transaction, &nothing_left, &decided), 0) << skerry_message(device_);
    EXPECT_EQ(transaction, 3u);
    EXPECT_EQ(nothing_left, 1);
    ASSERT_EQ(skerry_table_rows(decided), 1u);
    EXPECT_STREQ(skerry_table_column(decided, 0), "conflict");
    EXPECT_STREQ(static_cast<const char*>(skerry_table_value(decided, 0, 0).bytes), kRecord);
    skerry_table_free(decided);
    ASSERT_EQ(skerry_retry_draft(device_, 2, &transaction, &nothing_left, &decided), 0) << skerry_message(device_);
    EXPECT_EQ(transaction, 4u);
    EXPECT_EQ(nothing_left, 0);
    EXPECT_EQ(skerry_table_rows(decided), 0u);
    skerry_table_free(decided);
}

}  // namespace
}  // namespace skerry
