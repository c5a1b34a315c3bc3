// For the unit tests of this room: a store on a file of its own with a small model (or one of the test's own), and a second, foreign
// connection to it that knows nothing of Skerry.
#pragma once

#include <gtest/gtest.h>
#ifndef __wasm__
#include <unistd.h>

#include <filesystem>
#endif

#include "base/random.hpp"
#include "store/checkpoint.hpp"
#include "store/journal.hpp"
#include "store/store.hpp"
#include "wire/continuing.hpp"

namespace skerry::store {

inline model::Model test_model() {
    model::Model model{"test", 1, {}};
    using model::Type;
    model.entities.push_back({"site", {"id", Type::kText}, {{"name", Type::kText}}});
    model.entities.push_back({"house", {"id", Type::kText}, {{"name", Type::kText}, {"people", Type::kInt}}});
    model::complete(model);
    return model;
}

struct FixedClock final : Clock {
    Micros now{1'700'000'000'000'000};
    Micros wall() const override { return now; }
    Micros mono() const override { return now; }
};

class StoreTest : public testing::Test {
  protected:
    StoreTest() : StoreTest(test_model()) {}
    explicit StoreTest(model::Model model) : model_(std::move(model)) {
        const auto* info = testing::UnitTest::GetInstance()->current_test_info();
        const std::string name = "skerry-" + std::string(info->test_suite_name()) + "-" + info->name();
#ifdef __wasm__
        path_ = "/" + name;  // the VFS of the WebAssembly tests is memory
#else
        folder_ = std::filesystem::temp_directory_path() / (name + "-" + std::to_string(getpid()));
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        path_ = (folder_ / "device.db").string();
#endif
        open();
    }
    ~StoreTest() override {
        store_.reset();
#ifndef __wasm__
        std::filesystem::remove_all(folder_);
#endif
    }

    const std::string& path() const { return path_; }
    void open() {
        store_.reset();
        auto store = Store::open({.path = path(), .vfs = "", .device_name = "test", .model = model_.compile()}, clock_, random_);
        ASSERT_TRUE(store) << describe(store.error());
        store_ = std::move(*store);
    }
    sqlite::Database foreign() {
        auto db = sqlite::Database::open(path());
        EXPECT_TRUE(db);
        return std::move(*db);
    }
    Code refused(std::string_view text) {
        const auto done = store_->sql(text);
        EXPECT_FALSE(done) << text;
        return done ? Code::kInternal : done.error().code;
    }
    Code refused_to(sqlite::Database& db, std::string_view text) {
        const auto done = db.exec(text);
        EXPECT_FALSE(done) << text;
        return done ? Code::kInternal : done.error().code;
    }
    void sql(std::string_view text) {
        const auto done = store_->sql(text);
        ASSERT_TRUE(done) << text << ": " << describe(done.error());
    }
    void in_one(const std::vector<std::string>& texts) {
        ASSERT_TRUE(store_->begin());
        for (const std::string& text : texts) sql(text);
        ASSERT_TRUE(store_->commit());
    }
    std::string rows(std::string_view query) {
        const auto table = store_->sql(query);
        if (!table) return describe(table.error());
        std::string out;
        for (const auto& row : table->rows) {
            if (!out.empty()) out += "; ";
            for (std::size_t i = 0; i < row.size(); ++i) out += (i > 0 ? "," : "") + model::to_text(row[i]);
        }
        return out;
    }
    // "I house a" or "U house a name:'x'->'y'<1" (after < the prev) for every op of a transaction.
    std::string ops(std::uint64_t no) {
        const auto txn = Journal(*store_).load(TxnNo{no});
        if (!txn) return "none";
        std::string out;
        for (const wire::Op& op : txn->ops) {
            const auto& entity = store_->model().entity(op.entity);
            if (!out.empty()) out += "; ";
            out += op.kind == wire::OpKind::kInsert ? "I " : op.kind == wire::OpKind::kUpdate ? "U " : "D ";
            out += entity.name + " " + op.key;
            for (const Value& value : op.row) out += " " + model::to_text(value);
            for (const auto& change : op.changes)
                out += " " + entity.attributes[change.attribute].name + ":" + model::to_text(change.old_value) + "->" +
                       model::to_text(change.new_value) + (change.prev ? "<" + std::to_string(change.prev.value) : "");
            if (op.prev_row) out += " <" + std::to_string(op.prev_row.value);
        }
        if (!txn->needs.empty()) {
            out += " needs";
            for (const TxnNo need : txn->needs) out += " " + std::to_string(need.value);
        }
        return out;
    }
    std::int64_t transactions() { return *store_->db().integer("SELECT count(*) FROM skerry_txn"); }

    // A checkpoint as the server would send it, from the store's present cursor.
    struct Sent {
        std::vector<wire::Outcome> outcomes;
        std::vector<wire::ScopeInfo> scopes;
        bool verify = false;
        std::string token = "next";
        std::optional<std::uint64_t> from;
        std::string profile{};
    };
    using Piece = std::pair<wire::FrameType, Bytes>;
    ApplyReport apply(Sent sent, std::vector<Piece> pieces = {}) {
        Staging staging(*store_);
        stage(staging, [&](Bytes& out) {
            wire::put(out, wire::Begin{.from = sent.from.value_or(continued()), .verify = sent.verify,
                                       .caught_up = true, .seen = {}, .rows_left = 0, .profile = sent.profile, .scopes = sent.scopes});
        });
        if (!sent.outcomes.empty()) stage(staging, [&](Bytes& out) { wire::put_outcomes(out, sent.outcomes); });
        for (const Piece& piece : pieces) EXPECT_TRUE(staging.stage(piece.first, piece.second));
        stage(staging, [&](Bytes& out) { wire::put(out, wire::Checkpoint{sent.token, false}); });
        auto report = staging.apply();
        EXPECT_TRUE(report) << describe(report.error());
        return report ? *report : ApplyReport{};
    }
    // What a checkpoint says that continues the store's present cursor.
    std::uint64_t continued() {
        return wire::continues(*store_->meta().device(), store_->meta().bytes(key::kToken)->value_or(Bytes{}));
    }
    template <class Put>
    static Piece piece(Put put) {
        Bytes bytes;
        put(bytes);
        wire::FrameReader reader(wire::Kind::kPullResponse);
        Bytes body;
        wire::put_header(body, wire::Kind::kPullResponse);
        reader.feed(body + bytes);
        const auto frame = *reader.next();
        return {frame->type, Bytes(frame->payload)};
    }
    template <class Put>
    static void stage(Staging& staging, Put put) {
        const Piece made = piece(put);
        ASSERT_TRUE(staging.stage(made.first, made.second));
    }
    static Piece house(std::string key, std::string name, std::int64_t people, std::vector<wire::ScopeId> lines = {}) {
        return piece([&](Bytes& out) { wire::put(out, wire::Rows{{1}, {{key, lines, {Value{name}, Value{people}}}}}); });
    }
    static Piece house_slice(std::string after, std::optional<std::string> upto, std::vector<wire::RowEntry> rows, wire::ScopeId scope = {2}) {
        return piece([&](Bytes& out) { wire::put(out, wire::Slice{{1}, {scope}, after, upto, rows}); });
    }
    static Piece leave(std::string key, wire::ScopeId scope) {
        return piece([&](Bytes& out) { wire::put(out, wire::Leaves{{1}, scope, {key}}); });
    }
    static Piece lost(std::uint64_t scope) {
        return piece([&](Bytes& out) { wire::put_number(out, wire::FrameType::kLostScope, scope); });
    }
    static std::vector<wire::ScopeInfo> whole_scopes() {
        return {{{1}, "entity/site", {0}, true}, {{2}, "entity/house", {1}, true}};
    }

    // A row by entity name, with its attributes' values in order.
    Piece row(std::string_view entity, std::string key, model::Row values) {
        EntityIx ix;
        EXPECT_NE(store_->model().find(entity, &ix), nullptr);
        return piece([&](Bytes& out) { wire::put(out, wire::Rows{ix, {{key, {}, values}}}); });
    }
    Piece gone(std::string_view entity, std::string key) {
        EntityIx ix;
        EXPECT_NE(store_->model().find(entity, &ix), nullptr);
        return piece([&](Bytes& out) { wire::put(out, wire::Leaves{ix, {ix.value + 1}, {key}}); });
    }
    // Every entity whole, under the scope of its position + 1.
    std::vector<wire::ScopeInfo> all_scopes() {
        std::vector<wire::ScopeInfo> scopes;
        for (std::uint32_t ix = 0; ix < store_->model().entities.size(); ++ix)
            scopes.push_back({{ix + 1}, "entity/" + store_->model().entities[ix].name, {ix}, true});
        return scopes;
    }
    wire::Op op(std::uint64_t no, std::size_t at = 0) {
        const auto txn = Journal(*store_).load(TxnNo{no});
        EXPECT_TRUE(txn && txn->ops.size() > at);
        return txn && txn->ops.size() > at ? txn->ops[at] : wire::Op{};
    }

    model::Model model_;
    FixedClock clock_;
    SeededRandom random_{1};
#ifndef __wasm__
    std::filesystem::path folder_;
#endif
    std::string path_;
    std::unique_ptr<Store> store_;
};

}  // namespace skerry::store
