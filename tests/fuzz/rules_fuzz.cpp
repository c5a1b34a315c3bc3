// Row conditions: from a model file, and in the asserts of transactions that a device pushes. What is taken has SQL that
// SQLite prepares.
#include "base/assert.hpp"
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
    const auto expression = rules::parse({reinterpret_cast<const char*>(data), size}, entity());
    if (!expression) return 0;
    const auto prepared = db.prepare_once("SELECT " + rules::to_sql(*expression, "e.") + " FROM e");
    SKERRY_ASSERT(prepared);
    return 0;
}
