#include "store/outbox.hpp"

#include <algorithm>

#include "store/modes.hpp"

namespace skerry::store {

namespace {

using sqlite::quote_name;

// Of skerry_meta: what belongs to the rows that a sync brings, and what the bytes carry on their own.
constexpr std::string_view kLeftOut[] = {key::kFormat, key::kModel, key::kToken, key::kStaged, key::kVerify, key::kScrub, key::kSyncedAt, key::kFreshAt};
constexpr std::string_view kTables[] = {"skerry_txn", "skerry_op", "skerry_archive", "skerry_draft", "skerry_told", "skerry_left"};
constexpr int kNumberAttempts = 5;

tl::unexpected<Error> damaged() { return fail(Code::kCorruptStore, "the outbox does not decode"); }

bool left_out(std::string_view name, WithToken with_token) {
    if (name == key::kBearer) return with_token == WithToken::kNo;
    return std::find(std::begin(kLeftOut), std::end(kLeftOut), name) != std::end(kLeftOut);
}

// Tables that are packed whole: those of this file, and those of entities whose rows stay here.
Result<std::vector<std::string>> tables_of(Store& store) {
    std::vector<std::string> tables(std::begin(kTables), std::end(kTables));
    SKERRY_ASSIGN(const Modes modes, Modes::load(store.meta(), store.model()));
    for (std::uint32_t ix = 0; ix < store.model().entities.size(); ++ix) {
        if (!modes.stays({ix})) continue;
        const std::string& name = store.model().entities[ix].name;
        for (const char* beside : {"", "skerry_pre_", "skerry_base_"}) tables.push_back(beside + name);
    }
    return tables;
}

// 1 and the values of each row, then 0.
Result<void> put_rows(sqlite::Database& db, const std::string& sql, Writer& out) {
    SKERRY_ASSIGN(auto get, db.prepare_once(sql));
    SKERRY_ASSIGN(bool row, get->step());
    out.varint(static_cast<std::uint64_t>(get->columns()));
    for (int i = 0; i < get->columns(); ++i) out.bytes(get->column_name(i));
    while (row) {
        out.u8(1);
        for (int i = 0; i < get->columns(); ++i) model::put_value(out, get->value(i));
        SKERRY_ASSIGN(row, get->step());
    }
    out.u8(0);
    return {};
}

Result<void> get_rows(Reader& in, Store& store, const std::string& table) {
    std::string columns;
    std::string places;
    const std::size_t n = in.count(1);
    if (n == 0) return damaged();
    for (std::size_t i = 0; i < n; ++i) {
        columns += (i == 0 ? "" : ", ") + quote_name(std::string(in.bytes()));
        places += (i == 0 ? "?" : ", ?") + std::to_string(i + 1);
    }
    if (!in.ok()) return damaged();
    SKERRY_ASSIGN(auto put, store.db().prepare_once("INSERT OR REPLACE INTO " + quote_name(table) + "(" + columns + ") VALUES(" + places + ")"));
    while (in.u8() == 1) {
        std::vector<Value> values;
        for (std::size_t i = 0; i < n; ++i) values.push_back(model::get_value(in));
        if (!in.ok()) return damaged();
        for (std::size_t i = 0; i < n; ++i) put->bind(static_cast<int>(i) + 1, values[i]);
        SKERRY_TRY(put->run());
    }
    return in.ok() ? Result<void>{} : damaged();
}

struct Head {
    std::int64_t format = 0;
    Bytes model;
};

Result<Head> get_head(Reader& in) {
    Head head;
    head.format = in.zigzag();
    if (!in.ok()) return damaged();
    if (head.format > kStoreFormat)
        return fail(Code::kFormatTooNew, "the outbox has format " + std::to_string(head.format) + "; this program knows formats up to " + std::to_string(kStoreFormat));
    if (head.format < kStoreFormat) return fail(Code::kNotSupported, "the outbox has format " + std::to_string(head.format) + ", which was never released");
    head.model = in.bytes();
    if (!in.ok()) return damaged();
    return head;
}

}  // namespace

Result<Bytes> pack_outbox(Store& store, WithToken with_token) {
    for (int attempt = 0; attempt < kNumberAttempts; ++attempt) {
        SKERRY_TRY(store.reload_model());
        if (!store.has_model()) return fail(Code::kModelMissing, "the store has nothing to export yet");
        SKERRY_TRY(store.number_open());
        SKERRY_ASSIGN(auto view, sqlite::Transaction::begin_read(store.db()));
        SKERRY_ASSIGN(const std::int64_t open, store.db().integer("SELECT open_rows FROM skerry_state"));
        SKERRY_ASSIGN(const auto kept, store.meta().bytes(key::kKept));
        if (open != 0 && !kept) continue;  // another program committed in between
        Bytes bytes;
        Writer out(bytes);
        out.zigzag(kStoreFormat);
        SKERRY_ASSIGN(const auto model, store.meta().bytes(key::kModel));
        out.bytes(model.value_or(""));
        SKERRY_ASSIGN(sqlite::Statement meta, store.db().prepare("SELECT name, value FROM skerry_meta ORDER BY name"));
        for (;;) {
            SKERRY_ASSIGN(const bool row, meta.step());
            if (!row) break;
            if (left_out(meta.text(0), with_token)) continue;
            out.u8(1);
            out.bytes(meta.text(0));
            model::put_value(out, meta.value(1));
        }
        meta.reset();
        out.u8(0);
        SKERRY_ASSIGN(const auto tables, tables_of(store));
        for (const std::string& table : tables) {
            out.u8(1);
            out.bytes(table);
            SKERRY_TRY(put_rows(store.db(), "SELECT * FROM " + quote_name(table), out));
        }
        out.u8(0);
        return bytes;
    }
    return fail(Code::kBusy, "other programs write into the store faster than it can be exported");
}

Result<Bytes> model_of_outbox(BytesView outbox) {
    Reader in(outbox);
    SKERRY_ASSIGN(Head head, get_head(in));
    return std::move(head.model);
}

Result<void> unpack_outbox(BytesView outbox, Store& store) {
    Reader in(outbox);
    SKERRY_TRY(get_head(in));
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(store.db()));
    Applying applying(store.tables());
    SKERRY_TRY(applying.begin());
    SKERRY_ASSIGN(sqlite::Statement put, store.db().prepare("INSERT OR REPLACE INTO skerry_meta(name, value) VALUES(?1, ?2)"));
    while (in.u8() == 1) {
        const BytesView name = in.bytes();
        const Value value = model::get_value(in);
        if (!in.ok() || left_out(name, WithToken::kYes)) return damaged();
        SKERRY_TRY(put.bind_text(1, name).bind(2, value).run());
    }
    SKERRY_ASSIGN(const auto tables, tables_of(store));  // by the profile that was just written
    while (in.u8() == 1) {
        const std::string table(in.bytes());
        if (!in.ok() || std::find(tables.begin(), tables.end(), table) == tables.end()) return damaged();
        SKERRY_TRY(get_rows(in, store, table));
    }
    if (!in.at_end()) return damaged();
    // What was made here is visible before the first sync; changes of rows that the server has become so with it.
    SKERRY_ASSIGN(const Modes modes, Modes::load(store.meta(), store.model()));
    SKERRY_ASSIGN(auto rows, store.db().prepare_once("SELECT DISTINCT entity, key FROM skerry_op"));
    std::vector<std::pair<EntityIx, std::string>> made;
    for (;;) {
        SKERRY_ASSIGN(const bool row, rows->step());
        if (!row) break;
        const EntityIx ix{static_cast<std::uint32_t>(rows->integer(0))};
        if (!store.model().has(ix)) return damaged();
        if (!modes.stays(ix)) made.emplace_back(ix, rows->text(1));
    }
    for (const auto& [ix, key] : made) SKERRY_TRY(store.tables().recompute(ix, key));
    SKERRY_TRY(applying.end());
    // The cursor is not taken over: the rows are not here. The server then says too what it lacks.
    SKERRY_TRY(store.meta().set(key::kVerify, 1));
    return txn.commit();
}

}  // namespace skerry::store
