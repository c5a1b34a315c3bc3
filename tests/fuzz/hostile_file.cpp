#include "hostile_file.hpp"

#include <sqlite3.h>

#include "base/text.hpp"
#include "sqlite/database.hpp"

namespace skerry::fuzz {

namespace {

constexpr int kChangesMax = 12;

struct Patch {
    std::size_t at = 0;
    Bytes bytes;
};

std::vector<std::string> texts(sqlite::Database& db, const std::string& query) {
    std::vector<std::string> all;
    auto get = db.prepare_once(query);
    if (!get || !*get) return all;
    for (auto row = (*get)->step(); row && *row; row = (*get)->step()) all.emplace_back((*get)->text(0));
    return all;
}

std::string chosen(const std::vector<std::string>& all, Choices& in) { return all.empty() ? "" : all[in.byte() % all.size()]; }

// A value in the place of `was`: any, or nearly the same.
Value changed(const Value& was, Choices& in) {
    static const std::int64_t kNumbers[] = {0, 1, -1, 2, 3, 255, 256, INT32_MAX, INT64_MAX, INT64_MIN, 1'000'000'007, -5};
    const auto bent = [&](auto bytes) {
        const std::uint32_t how = in.byte();
        const std::size_t at = bytes.empty() ? 0 : in.below(1u << 16) % bytes.size();
        using Byte = typename decltype(bytes)::value_type;
        if (how % 4 == 0 && !bytes.empty()) bytes.resize(at);
        else if (how % 4 == 1) bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), static_cast<Byte>(in.byte()));
        else if (!bytes.empty()) bytes[at] = static_cast<Byte>(in.byte());
        return bytes;
    };
    switch (in.byte() % 8) {
        case 0: return Null{};
        case 1: return kNumbers[in.byte() % std::size(kNumbers)];
        case 2: return std::int64_t{in.byte()};
        case 3: return std::string(in.piece());
        case 4: {
            const BytesView piece = in.piece();
            return Blob(piece.begin(), piece.end());
        }
        default: break;
    }
    if (const auto* text = std::get_if<std::string>(&was)) return bent(*text);
    if (const auto* blob = std::get_if<Blob>(&was)) return bent(*blob);
    if (const auto* number = std::get_if<std::int64_t>(&was)) return static_cast<std::int64_t>(static_cast<std::uint64_t>(*number) + in.byte() - 128);
    return static_cast<double>(in.byte()) - 0.5;
}

// The columns that name a row, as they stand in SQL: the key, or the rowid.
std::string names_of_row(sqlite::Database& db, const std::string& table) {
    std::string names;
    for (const std::string& name : texts(db, "SELECT name FROM pragma_table_info(" + quote_text(table) + ") WHERE pk > 0 ORDER BY pk"))
        names += (names.empty() ? "" : ", ") + quote_name(name);
    return names.empty() ? "rowid" : names;
}

std::string of_row(sqlite::Database& db, const std::string& table, Choices& in) {
    const std::string names = names_of_row(db, table);
    return " WHERE (" + names + ") = (SELECT " + names + " FROM " + quote_name(table) + " LIMIT 1 OFFSET " + std::to_string(in.byte() % 16) + ")";
}

void change_cell(sqlite::Database& db, const std::string& table, Choices& in) {
    const std::string column = chosen(texts(db, "SELECT name FROM pragma_table_info(" + quote_text(table) + ")"), in);
    if (column.empty()) return;
    const std::string row = of_row(db, table, in);
    Value was = Null{};
    if (auto get = db.prepare_once("SELECT " + quote_name(column) + " FROM " + quote_name(table) + row); get && (*get)->step().value_or(false)) was = (*get)->value(0);
    auto put = db.prepare_once("UPDATE OR REPLACE " + quote_name(table) + " SET " + quote_name(column) + " = ?1" + row);
    const Value now = changed(was, in);
    if (put) static_cast<void>((*put)->bind(1, now).run());
}

// A row once more, with one other value: under another key, or instead of what was there.
void copy_row(sqlite::Database& db, const std::string& table, Choices& in) {
    const std::vector<std::string> columns = texts(db, "SELECT name FROM pragma_table_info(" + quote_text(table) + ")");
    if (columns.empty()) return;
    const std::size_t other = in.byte() % columns.size();
    std::string list;
    for (std::size_t i = 0; i < columns.size(); ++i) list += (i == 0 ? "" : ", ") + (i == other ? std::string("?1") : quote_name(columns[i]));
    auto put = db.prepare_once("INSERT OR REPLACE INTO " + quote_name(table) + " SELECT " + list + " FROM " + quote_name(table) + of_row(db, table, in));
    const Value now = changed(Value{std::int64_t{7}}, in);
    if (put) static_cast<void>((*put)->bind(1, now).run());
}

void change_schema(sqlite::Database& db, Choices& in) {
    const std::string name = chosen(texts(db, "SELECT name FROM sqlite_schema WHERE sql IS NOT NULL"), in);
    const std::uint8_t how = in.byte();
    if (how % 3 == 0) {
        const std::string type = chosen(texts(db, "SELECT upper(type) FROM sqlite_schema WHERE name = " + quote_text(name)), in);
        static_cast<void>(db.exec("DROP " + type + " " + quote_name(name)));
        return;
    }
    sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_DEFENSIVE, 0, nullptr);
    static_cast<void>(db.exec("PRAGMA writable_schema = ON"));
    const std::vector<std::string> was = texts(db, "SELECT sql FROM sqlite_schema WHERE name = " + quote_text(name));
    auto put = db.prepare_once("UPDATE sqlite_schema SET " + std::string(how % 3 == 1 ? "sql" : "rootpage") + " = ?1 WHERE name = " + quote_text(name));
    if (put && !was.empty()) {
        const Value now = how % 3 == 1 ? changed(Value{was[0]}, in) : Value{std::int64_t{in.byte()}};
        static_cast<void>((*put)->bind(1, now).run());
    }
    static_cast<void>(db.exec("PRAGMA writable_schema = OFF"));
}

void change_by_sql(sqlite::Database& db, std::uint8_t what, Choices& in, Changed& changed) {
    const std::string table = chosen(texts(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"), in);
    switch (what % 16) {
        case 0:
        case 1: static_cast<void>(db.exec("DELETE FROM " + quote_name(table) + of_row(db, table, in))); return;
        case 2:
        case 3: copy_row(db, table, in); return;
        case 4: changed.schema = true; change_schema(db, in); return;
        default: change_cell(db, table, in); return;
    }
}

Bytes patched(Bytes file, const std::vector<Patch>& patches, std::optional<std::size_t> cut) {
    for (const Patch& patch : patches)
        for (std::size_t i = 0; i < patch.bytes.size() && !file.empty(); ++i) file[(patch.at + i) % file.size()] = patch.bytes[i];
    if (cut && !file.empty()) file.resize(*cut % file.size());
    return file;
}

}  // namespace

Changed change_file(kit::CrashDisk& disk, const std::string& file, Choices& in) {
    Changed changed;
    std::vector<Patch> patches;
    std::optional<std::size_t> cut;
    {
        auto db = sqlite::Database::open(file, {.vfs = disk.vfs_name(), .busy_timeout_ms = 0});
        SKERRY_ASSERT(db);
        db->enable_triggers(false);
        static_cast<void>(db->exec("PRAGMA ignore_check_constraints = ON"));
        for (int i = 0; i < kChangesMax && !in.empty(); ++i) {
            const std::uint8_t what = in.byte();
            if (what >= 240) {
                cut = in.below(1u << 16) * 64u;
            } else if (what >= 200) {
                // The head of the file, the head of a page, or anywhere.
                const std::size_t page = what % 3 == 0 ? 0 : in.byte();
                patches.push_back({page * 4096 + (what % 3 == 2 ? in.below(4096) : in.byte() % 112u), Bytes(in.piece().substr(0, 64))});
            } else {
                change_by_sql(*db, what, in, changed);
            }
        }
        static_cast<void>(db->exec("PRAGMA wal_checkpoint(TRUNCATE)"));
    }
    changed.bytes = cut || !patches.empty();
    if (changed.bytes) disk.import_file(file, patched(Bytes(disk.bytes(file)), patches, cut));
    return changed;
}

}  // namespace skerry::fuzz
