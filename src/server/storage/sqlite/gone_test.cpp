// The last image of a deleted row, as intake reads it: what other programs wrote is in its canonical form there, or not at all.
#include <gtest/gtest.h>

#include <filesystem>

#include "server/storage/sqlite/backend.hpp"
#include "sqlite/database.hpp"

namespace skerry::server::storage {
namespace {

struct Gone : testing::Test {
    Gone() {
        using model::Type;
        model.app = "test";
        model.entities.push_back({"place", {"id", Type::kText}, {{"name", Type::kText}, {"data", Type::kJson}, {"tags", Type::kSet}, {"share", Type::kReal}}});
        model::complete(model);
        path = testing::TempDir() + "skerry_gone_" + std::to_string(::getpid()) + ".db";
        clean();
        EXPECT_TRUE(SqliteBackend::create(path, {}, model, random));
        backend = *SqliteBackend::open(path, {});
    }
    ~Gone() override {
        backend.reset();
        clean();
    }
    void clean() const {
        for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
    }
    // Another program, between two batches.
    void deleted(const std::string& values) const {
        auto other = *sqlite::Database::open(path);
        ASSERT_TRUE(other.exec("INSERT INTO place VALUES(" + values + "); DELETE FROM place"));
    }
    std::optional<model::Row> image(const std::string& key) const { return *(*backend->begin_write())->gone({EntityIx{0}, key}); }

    SeededRandom random{1};
    model::Model model;
    std::string path;
    std::unique_ptr<Backend> backend;
};

TEST_F(Gone, a_foreign_spelling_comes_back_canonical) {
    deleted(R"('a', 'x', ' {"b": 1.0, "a": [ true ]}', '["z", "y", "z"]', -0.0)");
    const model::Row wanted{std::string("x"), std::string(R"({"a":[true],"b":1})"), std::string(R"(["y","z"])"), 0.0};
    const auto found = image("a");
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, wanted);
    EXPECT_TRUE(model::check_row(model.entities[0], "a", *found)) << "it can be written, sent and hashed as any row";
}

TEST_F(Gone, what_has_no_canonical_form_is_NULL_and_the_rest_comes_back) {
    deleted(R"('a', CAST(x'ff' AS TEXT), '{"a":1,"a":2}', '["y"]', 0.5)");
    const model::Row wanted{Null{}, Null{}, std::string(R"(["y"])"), 0.5};
    EXPECT_EQ(image("a"), wanted);
}

TEST_F(Gone, the_latest_image_counts_and_a_row_that_never_was_has_none) {
    deleted("'a', 'first', NULL, NULL, NULL");
    deleted("'a', 'second', NULL, NULL, NULL");
    EXPECT_EQ(image("a")->front(), Value{std::string("second")});
    EXPECT_FALSE(image("b"));
}

}  // namespace
}  // namespace skerry::server::storage
