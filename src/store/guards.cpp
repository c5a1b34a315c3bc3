// Guards: while the engine applies, only the row that it named is written.
//
// The app's triggers fire for arriving rows too (an FTS5 table needs them). What they write to synced tables is dropped:
// it was done where the row was first written, and arrives from there; done again here it would differ from everybody
// else's, uncaptured. A flag that arms the next write would let such a write through (INSERT … SELECT): the guard
// compares the whole row with the one that the engine put into skerry_named_<entity>.
//
// RAISE(IGNORE) in a BEFORE trigger drops the one row; the app's trigger goes on with its next statement.
#include "sqlite/database.hpp"
#include "store/schema_parts.hpp"

namespace skerry::store::schema {

using sqlite::quote_name;

std::string guard_triggers(const model::Entity& entity) {
    const std::string key = quote_name(entity.key.name);
    const std::string named = quote_name("skerry_named_" + entity.name);
    const auto guard = [&](std::string_view suffix, std::string_view event, const std::string& allowed) {
        return "CREATE TRIGGER " + quote_name("skerry_guard_" + std::string(suffix) + "_" + entity.name) + " BEFORE " + std::string(event) +
               " ON " + quote_name(entity.name) + " WHEN (SELECT applying FROM skerry_state) = 1 BEGIN\nSELECT RAISE(IGNORE) WHERE NOT EXISTS (SELECT 1 FROM " +
               named + " n WHERE " + allowed + ");\nEND;\n";
    };
    const std::string same = "n.skerry_gone = 0 AND (NEW." + key + columns(entity, "NEW.", ", ") + ") IS (n.skerry_key" + columns(entity, "n.", ", ") + ")";
    return guard("insert", "INSERT", same) + guard("update", "UPDATE", same + " AND OLD." + key + " = n.skerry_key") +
           guard("delete", "DELETE", "n.skerry_gone = 1 AND OLD." + key + " = n.skerry_key");
}

}  // namespace skerry::store::schema
