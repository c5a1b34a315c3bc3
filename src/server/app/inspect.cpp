#include "server/app/inspect.hpp"

#include <algorithm>

#include "base/error_table.hpp"
#include "base/text.hpp"
#include "model/value.hpp"
#include "server/app/files.hpp"
#include "server/storage/sqlite/schema.hpp"
#include "server/storage/storage.hpp"
#include "sqlite/database.hpp"
#include "wire/transaction.hpp"

namespace skerry::server {

namespace {

using sqlite::Statement;

std::string operation_name(wire::OpKind kind) {
    switch (kind) {
        case wire::OpKind::kInsert: return "insert";
        case wire::OpKind::kUpdate: return "update";
        case wire::OpKind::kDelete: return "delete";
    }
    return "?";
}

RowChange change_of(const model::Model& model, const wire::Op& op) {
    const model::Entity& entity = model.entity(op.entity);
    RowChange change{entity.name, op.key, operation_name(op.kind), {}};
    for (std::size_t i = 0; i < op.row.size(); ++i) change.fields.push_back({entity.attributes[i].name, std::nullopt, op.row[i]});
    for (const wire::Change& one : op.changes)
        change.fields.push_back({entity.attributes[one.attribute].name,
                                 one.old_hash ? std::nullopt : std::optional<Value>(one.old_value), one.new_value});
    return change;
}

// Content that does not decode was rejected for just that: it has no changes to show.
void add_content(const model::Model& model, BytesView content, LogEntry& entry) {
    const auto transaction = wire::get_kept_transaction(content, model);
    if (!transaction) return;
    entry.made_at_us = transaction->made_at_us;
    for (const wire::Op& op : transaction->ops) entry.changes.push_back(change_of(model, op));
}

std::string verdict_text(std::int64_t verdict) { return std::string(wire::verdict_name(static_cast<wire::Verdict>(verdict))); }

std::string code_text(std::int64_t verdict, std::int64_t code) {
    const auto given = static_cast<wire::Verdict>(verdict);
    if (given != wire::Verdict::kRejected && given != wire::Verdict::kConflict) return {};
    return std::string(code_name(code_from_number(static_cast<std::uint16_t>(code))));
}

std::string draft_state(std::int64_t state) {
    switch (static_cast<storage::DraftState>(state)) {
        case storage::DraftState::kOpen: return "open";
        case storage::DraftState::kRedone: return "redone";
        case storage::DraftState::kDiscarded: return "discarded";
    }
    return "?";
}

std::string why_text(storage::HistoryWhy why) {
    switch (why) {
        case storage::HistoryWhy::kOverwritten: return "overwritten";
        case storage::HistoryWhy::kDeleted: return "deleted";
        case storage::HistoryWhy::kLost: return "lost";
        case storage::HistoryWhy::kImage: return "image";
    }
    return "?";
}

// Of a table that names a row by its entity's number.
Result<const model::Entity*> entity_at(const model::Model& model, const Statement& row, int column) {
    const std::int64_t number = row.integer(column);
    if (number < 0 || static_cast<std::uint64_t>(number) >= model.entities.size())
        return fail(Code::kCorruptStore, "the database names an entity that the model does not have");
    return &model.entities[static_cast<std::size_t>(number)];
}

// Columns 0 to 9: at_us, user, id, name, no, verdict, code, message, content.
LogEntry entry_of(const model::Model& model, const Statement& row) {
    LogEntry entry;
    entry.at_us = row.integer(0);
    entry.user = row.text(1);
    entry.device = hex(row.blob(2));
    entry.device_name = row.text(3);
    entry.number = static_cast<std::uint64_t>(row.integer(4));
    entry.verdict = verdict_text(row.integer(5));
    entry.code = code_text(row.integer(5), row.integer(6));
    entry.message = row.text(7);
    add_content(model, row.blob(8), entry);
    return entry;
}

std::vector<FieldChange> values_of(const model::Entity& entity, std::string_view attribute, BytesView bytes) {
    Reader in(bytes);
    if (!attribute.empty()) return {{std::string(attribute), model::get_value(in), std::nullopt}};
    std::vector<FieldChange> values;
    const model::Row row = model::get_counted_row(in, entity);
    for (std::size_t i = 0; i < row.size(); ++i) values.push_back({entity.attributes[i].name, row[i], std::nullopt});
    return values;
}

}  // namespace

struct Inspector::Impl {
    sqlite::Database db;
    model::Model model;

    // -1 for everything.
    Result<std::int64_t> number_of(const std::string& entity) const {
        if (entity.empty()) return std::int64_t{-1};
        EntityIx ix;
        if (model.find(entity, &ix) == nullptr) return fail(Code::kNotFound, "the model has no entity '" + entity + "'");
        return std::int64_t{ix.value};
    }
};

Inspector::Inspector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Inspector::Inspector(Inspector&&) noexcept = default;
Inspector& Inspector::operator=(Inspector&&) noexcept = default;
Inspector::~Inspector() = default;

Result<Inspector> Inspector::open(const Place& place) {
    auto db = sqlite::Database::open(database_path(place), {.vfs = place.vfs, .mode = sqlite::Open::kReadWrite});
    if (!db) {
        if (db.error().code == Code::kIo) return fail(Code::kNotFound, "there is no server in " + place.dir);
        return fail(std::move(db.error()));
    }
    SKERRY_ASSIGN(storage::Meta meta, storage::read_meta(*db));
    SKERRY_TRY(db->exec("PRAGMA query_only = 1"));
    return Inspector(std::make_unique<Impl>(Impl{std::move(*db), std::move(meta.model)}));
}

const model::Model& Inspector::model() const { return impl_->model; }

Result<std::vector<ServerDraft>> Inspector::drafts(Drafts which) const {
    SKERRY_ASSIGN(Statement get,
                  impl_->db.prepare("SELECT d.at_us, d.user, v.id, v.name, d.no, 4, d.code, d.message, d.content, d.root, d.member, d.state "
                                    "FROM skerry_draft d CROSS JOIN skerry_device v ON v.ix = d.device WHERE d.state = 1 OR ?1 "
                                    "ORDER BY d.at_us, d.device, d.no"));
    get.bind(1, std::int64_t{which == Drafts::kAll});
    std::vector<ServerDraft> drafts;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        drafts.push_back({entry_of(impl_->model, get), static_cast<std::uint64_t>(get.integer(9)), std::string(get.text(10)), draft_state(get.integer(11))});
    }
    get.reset();
    return drafts;
}

Result<std::vector<LogEntry>> Inspector::log(const LogFilter& filter) const {
    SKERRY_ASSIGN(const std::int64_t entity, impl_->number_of(filter.entity));
    const std::string columns = "SELECT l.at_us, l.user, v.id, v.name, l.no, l.verdict, l.code, l.message, l.content FROM ";
    const std::string joined = "skerry_log l CROSS JOIN skerry_device v ON v.ix = l.device ";
    // Without a key: every transaction that wrote a row of the entity, once.
    const std::string of_row = columns + "skerry_log_row r CROSS JOIN " + joined + "WHERE r.entity = ?1 AND r.key = ?2 AND l.id = r.log ORDER BY r.log DESC LIMIT ?3";
    const std::string of_entity = columns + joined + "WHERE EXISTS (SELECT 1 FROM skerry_log_row r WHERE r.log = l.id AND r.entity = ?1) ORDER BY l.id DESC LIMIT ?3";
    SKERRY_ASSIGN(Statement get, impl_->db.prepare(entity < 0 ? columns + joined + "ORDER BY l.id DESC LIMIT ?3" : filter.key.empty() ? of_entity : of_row));
    if (entity >= 0) get.bind(1, entity);
    if (entity >= 0 && !filter.key.empty()) get.bind_text(2, filter.key);
    get.bind(3, static_cast<std::int64_t>(filter.limit));
    std::vector<LogEntry> entries;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        entries.push_back(entry_of(impl_->model, get));
    }
    get.reset();
    std::reverse(entries.begin(), entries.end());
    return entries;
}

Result<std::vector<LostValue>> Inspector::lost_values(const LogFilter& filter) const {
    SKERRY_ASSIGN(const std::int64_t entity, impl_->number_of(filter.entity));
    const std::string columns = "SELECT h.at_us, h.entity, h.key, h.attribute, h.why, h.user, v.id, h.no, h.value "
                                "FROM skerry_history h CROSS JOIN skerry_device v ON v.ix = h.device ";
    SKERRY_ASSIGN(Statement get, impl_->db.prepare(columns + (entity < 0 ? "" : filter.key.empty() ? "WHERE h.entity = ?1 " : "WHERE h.entity = ?1 AND h.key = ?2 ") +
                                                   "ORDER BY h.id DESC LIMIT ?3"));
    if (entity >= 0) get.bind(1, entity);
    if (entity >= 0 && !filter.key.empty()) get.bind_text(2, filter.key);
    get.bind(3, static_cast<std::int64_t>(filter.limit));
    std::vector<LostValue> values;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        SKERRY_ASSIGN(const model::Entity* entity_of, entity_at(impl_->model, get, 1));
        const model::Entity& of = *entity_of;
        LostValue& value = values.emplace_back();
        value.at_us = get.integer(0);
        value.entity = of.name;
        value.key = get.text(2);
        value.attribute = get.text(3);
        value.why = why_text(static_cast<storage::HistoryWhy>(get.integer(4)));
        value.user = get.text(5);
        value.device = hex(get.blob(6));
        value.number = static_cast<std::uint64_t>(get.integer(7));
        value.values = values_of(of, value.attribute, get.blob(8));
    }
    get.reset();
    std::reverse(values.begin(), values.end());
    return values;
}

Result<std::vector<QuarantinedRow>> Inspector::quarantine() const {
    SKERRY_ASSIGN(Statement get, impl_->db.prepare("SELECT entity, key, reason, at_us FROM skerry_quarantine ORDER BY at_us, entity, key"));
    std::vector<QuarantinedRow> rows;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        SKERRY_ASSIGN(const model::Entity* of, entity_at(impl_->model, get, 0));
        rows.push_back({of->name, std::string(get.text(1)),
                        std::string(get.text(2)), get.integer(3)});
    }
    get.reset();
    return rows;
}

}  // namespace skerry::server
