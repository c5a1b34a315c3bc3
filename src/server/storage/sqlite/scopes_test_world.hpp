// A small model with rules of every kind, and what a test needs to write to it as any other program does.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <stdexcept>

#include "server/storage/sqlite/backend.hpp"
#include "sqlite/database.hpp"

namespace skerry::server::storage {

// A row in a scope, by names.
struct LineAt {
    std::string rule;
    std::string key;
    std::string place;
    friend auto operator<=>(const LineAt&, const LineAt&) = default;
};
using Lines = std::map<LineAt, std::pair<Seq, bool>>;  // when it moved last; live

class ScopesWorld {
  public:
    static constexpr EntityIx kTeam{0}, kHouse{1}, kVisit{2}, kPhoto{3};

    ScopesWorld() {
        using model::OnDelete;
        using model::Type;
        model_.app = "test";
        model_.entities.push_back({"team", {"id", Type::kText}, {{"region", Type::kText}}});
        model_.entities.push_back({"house",
                                   {"id", Type::kText},
                                   {{.name = "team", .references = kTeam, .on_delete = OnDelete::kSetNull},
                                    {"worker", Type::kText},
                                    {"status", Type::kText},
                                    {"rooms", Type::kInt},
                                    {"open", Type::kBool}}});
        model_.entities.push_back({"visit",
                                   {"id", Type::kText},
                                   {{.name = "house", .references = kHouse, .on_delete = OnDelete::kCascade}, {"note", Type::kText}}});
        model_.entities.push_back({"photo",
                                   {"id", Type::kText},
                                   {{.name = "visit", .references = kVisit, .on_delete = OnDelete::kCascade}, {"size", Type::kInt}}});
        model::complete(model_);
        static int count = 0;
        path_ = testing::TempDir() + "skerry_scopes_" + std::to_string(::getpid()) + "_" + std::to_string(count++) + ".db";
        clean();
        const auto created = SqliteBackend::create(path_, {}, model_, random_);
        if (!created) throw std::runtime_error(describe(created.error()));
        open();
        other_ = std::move(*sqlite::Database::open(path_));
    }
    ~ScopesWorld() {
        backend_.reset();
        other_ = {};
        clean();
    }

    void open() {
        backend_.reset();
        backend_ = *SqliteBackend::open(path_, {});
    }

    void adopt(std::vector<ScopeRule> rules) {
        rules_ = std::move(rules);
        auto txn = *backend_->begin_write();
        const auto adopted = txn->adopt_rules(rules_, random_.u64(), Micros{1});
        ASSERT_TRUE(adopted) << describe(adopted.error());
        ASSERT_TRUE(txn->commit());
    }
    // By another program.
    void sql(const std::string& text) {
        const auto done = other_.exec(text);
        ASSERT_TRUE(done) << describe(done.error()) << "\n" << text;
    }
    Seq sequence() {
        auto txn = *backend_->begin_write();
        const auto done = txn->sequence(random_.u64(), rules_, Micros{1});
        if (!done) ADD_FAILURE() << describe(done.error());
        if (!done || !txn->commit()) return {};
        return done->mark.seq;
    }
    Seq batch(const std::string& text) {
        sql(text);
        return sequence();
    }

    // All lines of membership.
    Lines lines() {
        Lines found;
        auto get = *other_.prepare("SELECT r.name, m.key, s.key, m.seq, m.live FROM skerry_member m JOIN skerry_scope s ON s.id = m.scope JOIN skerry_rule r ON r.id = s.rule");
        while (*get.step())
            found[{std::string(get.text(0)), std::string(get.text(1)), std::string(get.text(2))}] = {Seq{from_sql(get.integer(3))}, get.integer(4) == 1};
        get.reset();
        return found;
    }
    std::int64_t integer(const std::string& text) { return *other_.integer(text); }
    std::vector<std::pair<std::string, std::string>> pairs(const std::string& text) {
        std::vector<std::pair<std::string, std::string>> found;
        auto get = *other_.prepare_once(text);
        while (*get->step()) found.emplace_back(get->text(0), get->text(1));
        return found;
    }
    wire::ScopeId scope(std::size_t rule, const std::string& key = {}) {
        const auto found = (*backend_->snapshot())->scopes(std::vector<ScopeKey>{{rule, key}});
        if (!found || !found->front()) {
            ADD_FAILURE() << "no scope of rule " << rule << " for " << key;
            return {};
        }
        return *found->front();
    }
    std::unique_ptr<Snapshot> view() { return std::move(*backend_->snapshot()); }

    SeededRandom random_{1};
    model::Model model_;
    std::string path_;
    std::unique_ptr<Backend> backend_;
    sqlite::Database other_;
    std::vector<ScopeRule> rules_;

  private:
    void clean() const {
        for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
    }
};

inline ScopeRule whole(std::string name, EntityIx entity) { return {.name = std::move(name), .entity = entity, .whole = true}; }
inline ScopeRule by_key(std::string name, EntityIx entity, std::uint32_t attribute, std::string where = {}) {
    return {.name = std::move(name), .entity = entity, .key = attribute, .where = std::move(where)};
}
inline ScopeRule some(std::string name, EntityIx entity, std::string where) {
    return {.name = std::move(name), .entity = entity, .where = std::move(where)};
}
inline ScopeRule with(std::string name, EntityIx entity, std::size_t parent, std::string where = {}) {
    return {.name = std::move(name), .entity = entity, .parent = parent, .association = 0, .where = std::move(where)};
}

}  // namespace skerry::server::storage
