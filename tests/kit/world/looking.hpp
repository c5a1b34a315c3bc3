// Small helpers of what looks at a database.
#pragma once

#include <functional>
#include <string>

#include "sqlite/database.hpp"

namespace skerry::kit {

// A journalled payload begins with its number and its 16 random bytes.
inline std::string id_of_payload(BytesView payload) {
    Reader in(payload);
    in.varint();
    const BytesView id = in.raw(16);
    return in.ok() ? std::string(id) : std::string{};
}

// Runs `row` for every row of a query; false when it failed.
inline bool each(sqlite::Database& db, std::string_view sql, const std::function<void(sqlite::Statement&)>& row) {
    auto statement = db.prepare(sql);
    if (!statement) return false;
    for (;;) {
        const auto more = statement->step();
        if (!more) return false;
        if (!*more) break;
        row(*statement);
    }
    statement->reset();
    return true;
}

// SQLite's own judgement of a database; "" if it has nothing to say against it.
inline std::string wrong_with(sqlite::Database& db) {
    std::string wrong;
    const bool read = each(db, "PRAGMA integrity_check", [&](sqlite::Statement& s) {
        if (s.text(0) != "ok") wrong += " " + std::string(s.text(0));
    }) && each(db, "PRAGMA foreign_key_check", [&](sqlite::Statement& s) { wrong += " foreign key of " + std::string(s.text(0)); });
    return read ? wrong : "it cannot be checked";
}

}  // namespace skerry::kit
