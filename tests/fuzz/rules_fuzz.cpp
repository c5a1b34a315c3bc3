// Row conditions: from a model file, and in the asserts of transactions that a device pushes; download rules from a model
// file. What is taken has SQL that SQLite prepares, and so has what a rule is without its link.
#include "base/assert.hpp"
#include "rules/download.hpp"
#include "rules/rules.hpp"
#include "sqlite/database.hpp"

namespace {

const skerry::model::Entity& entity() {
    using skerry::model::Type;
    static const skerry::model::Entity e{
        .name = "e",
        .key = {.name = "id", .type = Type::kUuid},
        .attributes = {{.name = "n", .type = Type::kInt}, {.name = "t"}, {.name = "d", .type = Type::kDecimal, .precision = 10, .scale = 2},
                       {.name = "b", .type = Type::kBool}, {.name = "on", .type = Type::kDate}, {.name = "r", .type = Type::kReal},
                       {.name = "s", .type = Type::kEnum, .values = {"open", "it's"}}, {.name = "j", .type = Type::kJson}}};
    return e;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace skerry;
    static auto db = [] {
        auto opened = sqlite::Database::open(":memory:");
        SKERRY_ASSERT(opened && opened->exec("CREATE TABLE e(id TEXT, n INTEGER, t TEXT, d INTEGER, b INTEGER, \"on\" TEXT, r REAL, s TEXT, j TEXT)"));
        return std::move(*opened);
    }();
    const auto prepares = [&](const rules::Expression& expression) {
        return db.prepare_once("SELECT " + rules::to_sql(expression, "e.") + " FROM e").has_value();
    };
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto expression = rules::parse(text, entity());
    SKERRY_ASSERT(!expression || prepares(*expression));
    const auto rule = rules::parse_download(text, entity());
    SKERRY_ASSERT(!expression || rule);
    if (!rule || rule->where.empty()) return 0;
    const auto rest = rules::parse(rule->where, entity());
    SKERRY_ASSERT(rest && prepares(*rest));
    return 0;
}
