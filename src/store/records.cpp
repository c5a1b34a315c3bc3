#include "store/records.hpp"

#include <algorithm>

#include "merge/merge.hpp"
#include "model/json.hpp"

namespace skerry::store {

namespace {

using Members = std::vector<std::pair<std::string, Value>>;

std::string_view choice_name(Choice choice) {
    switch (choice) {
        case Choice::kMine: return "mine";
        case Choice::kTheirs: return "theirs";
        case Choice::kMix: return "mix";
    }
    return {};
}

std::string text_of(const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    return text == nullptr ? std::string() : *text;
}

// {"name": "x"} of a record. NULL is no row: no members.
Result<Members> members(const model::Entity& entity, const Value& json) {
    Members out;
    if (is_null(json)) return out;
    SKERRY_ASSIGN(const auto parts, model::json_members(text_of(json)));
    for (const auto& [name, text] : parts) {
        const auto at = entity.attribute_named(name);
        if (!at) continue;  // of a newer model than this device has yet
        SKERRY_ASSIGN(Value value, model::value_from_json(entity, entity.attributes[*at], text));
        out.emplace_back(name, std::move(value));
    }
    return out;
}

std::optional<Value> find(const Members& members, std::string_view name) {
    for (const auto& [member, value] : members)
        if (member == name) return value;
    return std::nullopt;
}

bool is_difference(const model::Entity& entity, std::uint32_t at) {
    const model::Merge merge = entity.attributes[at].merge;
    return entity.conflict != model::Conflict::kLast && (merge == model::Merge::kCounter || merge == model::Merge::kSet);
}

// The row as the server has it, as far as is known here.
Result<std::optional<model::Row>> server_row(Store& store, EntityIx ix, std::string_view key) {
    SKERRY_ASSIGN(const bool unsettled, store.tables().has_ops(ix, key));
    return unsettled ? store.tables().of(ix).base(key) : store.tables().of(ix).visible(key);
}

}  // namespace

Result<std::vector<std::string>> Records::ids(std::string_view query, std::string_view first, std::string_view second) {
    SKERRY_ASSIGN(sqlite::Statement get, store_.db().prepare(query));
    if (get.parameters() > 0) get.bind_text(1, first);
    if (get.parameters() > 1) get.bind_text(2, second);
    std::vector<std::string> out;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        out.emplace_back(get.text(0));
    }
    get.reset();
    return out;
}

Result<std::vector<ConflictRecord>> Records::list(bool also_closed) {
    SKERRY_ASSIGN(const auto found, ids(also_closed ? "SELECT id FROM skerry_conflict ORDER BY \"at\", id"
                                                    : "SELECT id FROM skerry_conflict WHERE state = 'open' ORDER BY \"at\", id"));
    std::vector<ConflictRecord> out;
    for (const std::string& id : found) {
        SKERRY_ASSIGN(out.emplace_back(), get(id));
    }
    return out;
}

Result<ConflictRecord> Records::get(std::string_view id) {
    namespace at = model::record;
    SKERRY_ASSIGN(const auto row, store_.tables().of(store_.model().conflicts()).visible(id));
    if (!row) return fail(Code::kNotFound, "there is no conflict record '" + std::string(id) + "'");
    const auto text = [&](std::uint32_t attribute) { return text_of((*row)[attribute]); };
    ConflictRecord record;
    record.id = id;
    record.entity = text(at::kEntity);
    record.key = text(at::kRow);
    record.attribute = text(at::kAttribute);
    record.author = text(at::kAuthor);
    record.device = text(at::kDevice);
    if (const auto* no = std::get_if<std::int64_t>(&(*row)[at::kTransaction])) record.transaction = static_cast<std::uint64_t>(*no);
    record.batch = text(at::kBatch);
    record.operation = text(at::kOperation);
    record.why = text(at::kWhy);
    record.made_at = text(at::kMadeAt);
    record.at = text(at::kAt);
    record.state = text(at::kState);
    record.choice = text(at::kChoice);
    record.closed_by = text(at::kClosedBy);
    record.closed_at = text(at::kClosedAt);
    EntityIx ix;
    const model::Entity* entity = store_.model().find(record.entity, &ix);
    if (entity == nullptr) return record;  // of a newer model than this device has yet
    SKERRY_ASSIGN(const Members base, members(*entity, (*row)[at::kBase]));
    SKERRY_ASSIGN(const Members mine, members(*entity, (*row)[at::kMine]));
    SKERRY_ASSIGN(const auto theirs, server_row(store_, ix, record.key));
    record.row_exists = theirs.has_value();
    for (std::size_t i = 0; i < entity->attributes.size(); ++i) {
        const std::string& name = entity->attributes[i].name;
        ConflictField field{name, find(base, name), find(mine, name), std::nullopt};
        if (!field.base && !field.mine) continue;
        if (theirs) field.theirs = (*theirs)[i];
        record.fields.push_back(std::move(field));
    }
    return record;
}

// The author's values on the row as it is now. `shown` is what the server has: the choice was made with that in view.
Result<void> Records::write_mine(EntityIx ix, const ConflictRecord& record) {
    EntityTable& table = store_.tables().of(ix);
    SKERRY_ASSIGN(const auto row, table.visible(record.key));
    if (record.operation == "delete") return row ? table.erase_visible(record.key) : Result<void>{};
    if (!row) return bring_back(ix, record, nullptr);
    for (const ConflictField& field : record.fields) {
        if (!field.mine) continue;
        SKERRY_ASSIGN(const std::uint32_t at, store_.attribute_named(ix, field.attribute));
        const Value& visible = (*row)[at];
        if (is_difference(table.entity(), at)) {
            SKERRY_TRY(store_.change(ix, record.key, at, field.base.value_or(Value{Null{}}), *field.mine));
        } else {
            SKERRY_TRY(store_.change(ix, record.key, at, field.theirs.value_or(visible), *field.mine));
        }
    }
    return {};
}

// The row is gone: it comes back from the image in the record and the author's values.
Result<void> Records::bring_back(EntityIx ix, const ConflictRecord& record, const Resolution* mix) {
    const model::Entity& entity = store_.model().entity(ix);
    if (!record.attribute.empty() || (record.operation == "update" && record.why != code_name(Code::kRowDeleted)))
        return fail(Code::kNotFound, "the row '" + record.key + "' of " + entity.name + " is gone, and the record does not hold all of it");
    model::Row row;
    for (const model::Attribute& attribute : entity.attributes) row.push_back(model::default_of(attribute));
    for (const ConflictField& field : record.fields) {
        SKERRY_ASSIGN(const std::uint32_t at, store_.attribute_named(ix, field.attribute));
        if (field.mine || field.base) row[at] = field.mine ? *field.mine : *field.base;
    }
    if (mix != nullptr) {
        for (const auto& [name, value] : mix->values) {
            SKERRY_ASSIGN(const std::uint32_t at, store_.attribute_named(ix, name));
            row[at] = value;
        }
    }
    return store_.tables().of(ix).insert_visible(record.key, row);
}

Result<void> Records::write_mix(EntityIx ix, const ConflictRecord& record, const Resolution& resolution) {
    EntityTable& table = store_.tables().of(ix);
    SKERRY_ASSIGN(const auto row, table.visible(record.key));
    if (!row) return bring_back(ix, record, &resolution);
    SKERRY_ASSIGN(const auto theirs, server_row(store_, ix, record.key));
    for (const auto& [name, value] : resolution.values) {
        SKERRY_ASSIGN(const std::uint32_t at, store_.attribute_named(ix, name));
        // A value that a person chose with the present one in view: for counters and sets the difference between them.
        const bool difference = is_difference(table.entity(), at) || !theirs;
        SKERRY_TRY(store_.change(ix, record.key, at, difference ? (*row)[at] : (*theirs)[at], value));
    }
    return {};
}

Result<void> Records::close(const ConflictRecord& record, Choice choice) {
    SKERRY_ASSIGN(sqlite::Statement close, store_.db().prepare("UPDATE skerry_conflict SET state = 'closed', choice = ?2 WHERE id = ?1"));
    return close.bind_text(1, record.id).bind_text(2, choice_name(choice)).run();
}

Result<void> Records::decide(const ConflictRecord& record, Choice choice, const Resolution& resolution) {
    if (choice != Choice::kTheirs) {
        SKERRY_ASSIGN(const EntityIx ix, store_.entity_named(record.entity));
        SKERRY_TRY(choice == Choice::kMine ? write_mine(ix, record) : write_mix(ix, record, resolution));
    }
    return close(record, choice);
}

Result<void> Records::resolve(std::string_view id, const Resolution& resolution) {
    if (resolution.choice == Choice::kMix && resolution.values.empty())
        return fail(Code::kInvalidArgument, "a mix needs the values to write");
    if (resolution.choice != Choice::kMix && !resolution.values.empty())
        return fail(Code::kInvalidArgument, "values are given with a mix only");
    SKERRY_TRY(store_.begin());
    const auto work = [&]() -> Result<void> {
        SKERRY_ASSIGN(const ConflictRecord chosen, get(id));
        if (chosen.state != "open")
            return fail(Code::kInvalidArgument, "the conflict record is closed already" + (chosen.closed_by.empty() ? "" : ", by " + chosen.closed_by));
        // All are read before any is decided: what deciding one does to the row of another (on_delete) is not what the server has.
        std::vector<ConflictRecord> others;
        if (!chosen.batch.empty()) {
            SKERRY_ASSIGN(const auto open, ids("SELECT id FROM skerry_conflict WHERE batch = ?1 AND state = 'open' AND id <> ?2 ORDER BY id", chosen.batch, chosen.id));
            for (const std::string& other : open) {
                SKERRY_ASSIGN(others.emplace_back(), get(other));
            }
        }
        SKERRY_TRY(decide(chosen, resolution.choice, resolution));
        const Choice choice = resolution.choice == Choice::kMix ? Choice::kMine : resolution.choice;
        for (const ConflictRecord& record : others) SKERRY_TRY(decide(record, choice, resolution));
        return store_.commit();
    };
    auto done = work();
    if (!done) store_.rollback();
    return done;
}

Result<std::vector<ConflictRecord>> Records::take_untold() {
    std::vector<ConflictRecord> out;
    // Records change when a checkpoint or a decision changes them, which is counted for live queries.
    SKERRY_ASSIGN(const auto counted, store_.meta().integer(key::changed(store_.model().conflicts())));
    const std::int64_t changes = counted.value_or(0);
    if (changes == seen_changes_) return out;
    // Marked before anybody is told: a process that dies in between keeps silent rather than telling twice.
    SKERRY_ASSIGN(auto tx, sqlite::Transaction::begin_write(store_.db()));
    SKERRY_TRY(store_.db().exec("DELETE FROM skerry_told WHERE record NOT IN (SELECT id FROM skerry_conflict WHERE state = 'open')"));
    SKERRY_ASSIGN(const auto fresh, ids("SELECT id FROM skerry_conflict WHERE state = 'open' AND id NOT IN (SELECT record FROM skerry_told) ORDER BY \"at\", id"));
    for (const std::string& id : fresh) {
        SKERRY_ASSIGN(out.emplace_back(), get(id));
        SKERRY_ASSIGN(sqlite::Statement told, store_.db().prepare("INSERT INTO skerry_told(record) VALUES(?1)"));
        SKERRY_TRY(told.bind_text(1, id).run());
    }
    SKERRY_TRY(tx.commit());
    seen_changes_ = changes;
    return out;
}

}  // namespace skerry::store
