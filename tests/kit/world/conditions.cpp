#include "kit/world/conditions.hpp"

#include <memory>

#include "base/assert.hpp"
#include "rules/rules.hpp"
#include "sqlite/database.hpp"

namespace skerry::kit {

namespace {

// A question is prepared once: the row's values are its parameters.
std::string question(const model::Entity& entity, const std::string& condition) {
    const auto parsed = rules::parse(condition, entity);
    SKERRY_ASSERT(parsed.has_value());  // the model was checked
    std::string columns = "?1 AS " + sqlite::quote_name(entity.key.name);
    for (std::size_t i = 0; i < entity.attributes.size(); ++i) columns += ", ?" + std::to_string(i + 2) + " AS " + sqlite::quote_name(entity.attributes[i].name);
    return "SELECT " + rules::to_sql(*parsed, "here.") + " FROM (SELECT " + columns + ") AS here";
}

}  // namespace

Holds conditions_in_sql() {
    struct Asked {
        sqlite::Database db;
        std::map<std::pair<const model::Entity*, std::string>, std::string> questions;
    };
    auto db = sqlite::Database::open(":memory:");
    SKERRY_ASSERT(db.has_value());
    // Shared by the copies of the function.
    auto asked = std::make_shared<Asked>(Asked{std::move(*db), {}});
    return [asked](const model::Entity& entity, const std::string& key, const model::Row& row, const std::string& condition) -> std::optional<bool> {
        std::string& sql = asked->questions[{&entity, condition}];
        if (sql.empty()) sql = question(entity, condition);
        auto statement = asked->db.prepare(sql);
        SKERRY_ASSERT(statement.has_value());
        statement->bind_text(1, key);
        for (std::size_t i = 0; i < row.size(); ++i) statement->bind(static_cast<int>(i) + 2, row[i]);
        const auto there = statement->step();
        SKERRY_ASSERT(there && *there);
        const auto answer = statement->is_null(0) ? std::nullopt : std::optional(statement->integer(0) != 0);
        statement->reset();
        return answer;
    };
}

}  // namespace skerry::kit
