#include "store/drafts.hpp"

#include <algorithm>
#include <set>

#include "base/error_table.hpp"
#include "base/text.hpp"

namespace skerry::store {

struct Drafts::Kept {
    std::int64_t number = 0;
    bool of_this_identity = true;
    Code code = Code::kInternal;
    TxnNo root;
    std::string message;
    std::int64_t rejected_at_us = 0;
    wire::Transaction txn;
};

namespace {

// "house.people must be…" names house.people, if the transaction touches house.
std::string member_in(std::string_view message, const model::Model& model, const wire::Transaction& txn) {
    std::string found;
    for (const wire::Op& op : txn.ops) {
        const model::Entity& entity = model.entity(op.entity);
        const auto look = [&](const model::Attribute& attribute) {
            const std::string place = entity.name + "." + attribute.name;
            if (place.size() > found.size() && message.find(place) != std::string_view::npos) found = place;
        };
        look(entity.key);
        for (const model::Attribute& attribute : entity.attributes) look(attribute);
    }
    return found;
}

bool refers_to(const model::Attribute& attribute, EntityIx ix, const Value& value, const std::string& key) {
    const auto* text = std::get_if<std::string>(&value);
    return attribute.references == ix && text != nullptr && *text == key;
}

}  // namespace

std::string_view draft_state_name(std::int64_t state) {
    switch (static_cast<DraftState>(state)) {
        case DraftState::kOpen: return "open";
        case DraftState::kRedone: return "redone";
        case DraftState::kDiscarded: return "discarded";
    }
    return {};
}

Result<std::vector<Drafts::Kept>> Drafts::load(std::string_view condition, std::int64_t value) {
    SKERRY_ASSIGN(const DeviceId device, store_.meta().device());
    SKERRY_ASSIGN(sqlite::Statement get, store_.db().prepare(
        "SELECT number, device, code, root, message, rejected_at_us, payload FROM skerry_draft WHERE state = 1 AND " + std::string(condition) +
        " ORDER BY number"));
    if (get.parameters() > 0) get.bind(1, value);
    std::vector<Kept> out;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        Kept& kept = out.emplace_back();
        kept.number = get.integer(0);
        kept.of_this_identity = get.blob(1) == device.view();
        kept.code = code_from_number(static_cast<std::uint16_t>(get.integer(2)));
        kept.root.value = static_cast<std::uint64_t>(get.integer(3));
        kept.message = get.text(4);
        kept.rejected_at_us = get.integer(5);
        auto txn = wire::get_kept_transaction(get.blob(6), store_.model());
        if (!txn) {
            get.reset();
            return fail(std::move(txn.error()), "reading draft " + std::to_string(kept.number));
        }
        kept.txn = std::move(*txn);
    }
    get.reset();
    return out;
}

Result<std::vector<Drafts::Kept>> Drafts::group_of(std::uint64_t number) {
    SKERRY_ASSIGN(auto group, load("(device, root) = (SELECT device, root FROM skerry_draft WHERE number = ?1)", static_cast<std::int64_t>(number)));
    const bool here = std::any_of(group.begin(), group.end(), [&](const Kept& kept) { return kept.number == static_cast<std::int64_t>(number); });
    if (!here) return fail(Code::kNotFound, "there is no open draft " + std::to_string(number));
    std::sort(group.begin(), group.end(), [](const Kept& a, const Kept& b) { return a.txn.no < b.txn.no; });
    return group;
}

Result<Draft> Drafts::shown(const Kept& kept) {
    Draft draft;
    draft.number = static_cast<std::uint64_t>(kept.number);
    draft.transaction = kept.txn.no.value;
    // Of the root's draft, which may have another number than its transaction; it may be mended already.
    SKERRY_ASSIGN(sqlite::Statement get, store_.db().prepare(
        "SELECT number FROM skerry_draft WHERE device = (SELECT device FROM skerry_draft WHERE number = ?1) AND no = ?2"));
    get.bind(1, kept.number).bind(2, static_cast<std::int64_t>(kept.root.value));
    SKERRY_ASSIGN(const bool found, get.step());
    draft.root = found ? static_cast<std::uint64_t>(get.integer(0)) : kept.root.value;
    get.reset();
    if (kept.root != kept.txn.no) draft.waiting_for = draft.root;
    draft.code = code_name(kept.code);
    draft.message = kept.message;
    draft.member = member_in(kept.message, store_.model(), kept.txn);
    draft.made_at = timestamp_text(Micros{kept.txn.made_at_us});
    draft.rejected_at = timestamp_text(Micros{kept.rejected_at_us});
    draft.changes = changes_of(store_.model(), kept.txn);
    return draft;
}

Result<std::vector<Draft>> Drafts::list() {
    SKERRY_ASSIGN(const auto all, load("1", 0));
    std::vector<Draft> out;
    for (const Kept& kept : all) {
        SKERRY_ASSIGN(out.emplace_back(), shown(kept));
    }
    return out;
}

Result<Draft> Drafts::get(std::uint64_t number) {
    SKERRY_ASSIGN(const auto found, load("number = ?1", static_cast<std::int64_t>(number)));
    if (found.empty()) return fail(Code::kNotFound, "there is no open draft " + std::to_string(number));
    return shown(found.front());
}

Result<void> Drafts::save(const Kept& kept) {
    Bytes payload;
    Writer out(payload);
    wire::put_transaction(out, kept.txn);
    SKERRY_ASSIGN(sqlite::Statement put, store_.db().prepare("UPDATE skerry_draft SET payload = ?2 WHERE number = ?1"));
    return put.bind(1, kept.number).bind_blob(2, payload).run();
}

// The row and what in the group names it.
Result<void> Drafts::move_key(std::vector<Kept>& group, EntityIx ix, const std::string& from, const std::string& to) {
    SKERRY_TRY(model::check_key(store_.model().entity(ix), to));
    for (Kept& kept : group) {
        for (wire::Op& op : kept.txn.ops) {
            if (op.entity == ix && op.key == to) return fail(Code::kKeyTaken, "the group has another row '" + to + "' in " + store_.model().entity(ix).name);
            if (op.entity == ix && op.key == from) op.key = to;
            const auto& attributes = store_.model().entity(op.entity).attributes;
            for (std::size_t at = 0; at < op.row.size(); ++at)
                if (refers_to(attributes[at], ix, op.row[at], from)) op.row[at] = to;
            for (wire::Change& change : op.changes)
                if (refers_to(attributes[change.attribute], ix, change.new_value, from)) change.new_value = to;
        }
        for (wire::Assert& one : kept.txn.asserts)
            if (one.entity == ix && one.key == from) one.key = to;
        wire::sort_ops(kept.txn.ops);
    }
    return {};
}

Result<void> Drafts::edit(std::uint64_t number, std::string_view entity_name, std::string_view key_text, const Values& values) {
    std::string key(key_text);
    SKERRY_ASSIGN(auto tx, sqlite::Transaction::begin_write(store_.db()));
    SKERRY_TRY(store_.reload_model());
    SKERRY_ASSIGN(const EntityIx ix, store_.entity_named(entity_name));
    const model::Entity& entity = store_.model().entity(ix);
    SKERRY_ASSIGN(auto group, group_of(number));
    Kept& kept = *std::find_if(group.begin(), group.end(), [&](const Kept& k) { return k.number == static_cast<std::int64_t>(number); });
    const auto op_of = [&]() { return std::find_if(kept.txn.ops.begin(), kept.txn.ops.end(), [&](const wire::Op& o) { return o.entity == ix && o.key == key; }); };
    if (op_of() == kept.txn.ops.end())
        return fail(Code::kNotFound, "draft " + std::to_string(number) + " does not touch a row '" + key + "' of " + entity.name);
    for (const auto& [name, value] : values) {
        wire::Op& op = *op_of();
        if (op.kind == wire::OpKind::kDelete)
            return fail(Code::kInvalidArgument, "draft " + std::to_string(number) + " deletes the row; there is nothing to edit");
        if (name == entity.key.name) {
            const auto* to = std::get_if<std::string>(&value);
            if (op.kind != wire::OpKind::kInsert || to == nullptr)
                return fail(Code::kKeyUpdate, entity.name + "." + name + " can only be changed where the draft creates the row");
            if (*to != key) SKERRY_TRY(move_key(group, ix, key, *to));
            key = *to;
            continue;
        }
        SKERRY_ASSIGN(const std::uint32_t at, store_.attribute_named(ix, name));
        SKERRY_ASSIGN(Value canonical, model::canonical(entity, entity.attributes[at], value));
        if (op.kind == wire::OpKind::kInsert) {
            op.row[at] = std::move(canonical);
            continue;
        }
        auto change = std::find_if(op.changes.begin(), op.changes.end(), [&](const wire::Change& c) { return c.attribute >= at; });
        if (change == op.changes.end() || change->attribute != at) {
            // New in the draft: it is changed from what is visible now.
            SKERRY_ASSIGN(const auto row, store_.tables().of(ix).visible(key));
            change = op.changes.insert(change, wire::Change{at, row ? (*row)[at] : Value{Null{}}, Null{}, TxnNo{}});
        }
        change->new_value = std::move(canonical);
    }
    for (const Kept& one : group) SKERRY_TRY(save(one));
    return tx.commit();
}

// CONFLICT    The draft decides a conflict record that others have decided meanwhile (or that the server keeps no more).
// RESOLUTION  Their decision stands: this change is left out, the rest is done again.
// WHY         A closed record cannot be written, and a draft whose only fault is to be late must not be stuck.
Result<bool> Drafts::is_decided(const wire::Op& op) {
    if (op.entity != store_.model().conflicts()) return false;
    SKERRY_ASSIGN(const auto record, store_.tables().of(op.entity).visible(op.key));
    return !record || (*record)[model::record::kState] != Value{std::string("open")};
}

// In one statement: a record that is closed takes no choice any more.
Result<void> Drafts::decide_again(const wire::Op& op) {
    SKERRY_ASSIGN(auto row, store_.tables().of(op.entity).visible(op.key));
    for (const wire::Change& change : op.changes) (*row)[change.attribute] = change.new_value;
    SKERRY_ASSIGN(sqlite::Statement put, store_.db().prepare("UPDATE skerry_conflict SET state = ?2, choice = ?3 WHERE id = ?1"));
    return put.bind_text(1, op.key).bind(2, (*row)[model::record::kState]).bind(3, (*row)[model::record::kChoice]).run();
}

// As a person would do it once more: through the same triggers as any other write.
Result<bool> Drafts::do_again(const Kept& kept, std::vector<std::string>& decided) {
    std::size_t left_out = 0;
    for (const wire::Op& op : kept.txn.ops) {
        SKERRY_ASSIGN(const bool late, is_decided(op));
        if (late) {
            ++left_out;
            if (std::ranges::find(decided, op.key) == decided.end()) decided.push_back(op.key);
            continue;
        }
        EntityTable& table = store_.tables().of(op.entity);
        SKERRY_ASSIGN(const auto row, table.visible(op.key));
        switch (op.kind) {
            case wire::OpKind::kInsert:
                if (row) return fail(Code::kKeyTaken, table.entity().name + " has a row '" + op.key + "' already");
                SKERRY_TRY(table.insert_visible(op.key, op.row));
                break;
            case wire::OpKind::kUpdate:
                if (op.entity == store_.model().conflicts()) {
                    SKERRY_TRY(decide_again(op));
                    break;
                }
                for (const wire::Change& change : op.changes) {
                    if (change.old_value == change.new_value && !change.old_hash) continue;
                    // What a large blob was changed from is not kept: it is changed from what is here.
                    const bool has_old = !change.old_hash || !row;
                    SKERRY_TRY(store_.change(op.entity, op.key, change.attribute, has_old ? change.old_value : (*row)[change.attribute], change.new_value));
                }
                break;
            case wire::OpKind::kDelete:
                if (row) SKERRY_TRY(table.erase_visible(op.key));
                break;
        }
    }
    if (left_out > 0 && left_out == kept.txn.ops.size()) return false;
    for (const wire::Assert& one : kept.txn.asserts)
        SKERRY_TRY(store_.assert_row(store_.model().entity(one.entity).name, one.key, one.expression));
    return true;
}

Result<void> Drafts::mark(const std::vector<Kept>& group, DraftState state) {
    SKERRY_ASSIGN(const TxnNo no, store_.meta().next_no());
    SKERRY_ASSIGN(sqlite::Statement put, store_.db().prepare("UPDATE skerry_draft SET state = ?2, mended_by = ?3 WHERE number = ?1"));
    for (const Kept& kept : group)
        SKERRY_TRY(put.bind(1, kept.number).bind(2, static_cast<std::int64_t>(state)).bind(3, static_cast<std::int64_t>(no.value)).run());
    return {};
}

Result<DraftRetry> Drafts::mend(std::uint64_t number, DraftState state) {
    SKERRY_TRY(store_.begin());
    const auto work = [&]() -> Result<DraftRetry> {
        DraftRetry out;
        SKERRY_ASSIGN(const auto group, group_of(number));
        Terms& terms = store_.terms();
        std::set<TxnNo> mended;
        for (const Kept& kept : group) {
            if (!kept.of_this_identity) continue;
            mended.insert(kept.txn.no);
            // A draft of an earlier try: what that one was to mend is still open on the server.
            mended.insert(kept.txn.redo_of.begin(), kept.txn.redo_of.end());
        }
        terms.redo_of.assign(mended.begin(), mended.end());
        if (state == DraftState::kRedone) {
            out.nothing_left = true;
            for (const Kept& kept : group) {
                auto done = do_again(kept, out.decided);
                if (!done) return fail(std::move(done.error()), "doing draft " + std::to_string(kept.number) + " again");
                if (!*done) continue;
                out.nothing_left = false;
                terms.strict = terms.strict || kept.txn.strict;
            }
        }
        SKERRY_TRY(mark(group, out.nothing_left ? DraftState::kDiscarded : state));
        SKERRY_ASSIGN(const TxnNo no, store_.meta().next_no());
        SKERRY_TRY(store_.commit());
        SKERRY_ASSIGN(const TxnNo next, store_.meta().next_no());
        if (next != no) out.transaction = no.value;
        return out;
    };
    auto done = work();
    if (!done) store_.rollback();
    return done;
}

Result<DraftRetry> Drafts::retry(std::uint64_t number) { return mend(number, DraftState::kRedone); }

Result<TxnNo> Drafts::discard(std::uint64_t number) {
    SKERRY_ASSIGN(const DraftRetry done, mend(number, DraftState::kDiscarded));
    return TxnNo{done.transaction};
}

Result<std::vector<Draft>> Drafts::take_untold() {
    SKERRY_ASSIGN(const std::int64_t some, store_.db().integer("SELECT EXISTS (SELECT 1 FROM skerry_draft WHERE told = 0)"));
    if (some == 0) return std::vector<Draft>{};
    // Marked before anybody is told: a process that dies in between keeps silent rather than telling twice.
    SKERRY_ASSIGN(auto tx, sqlite::Transaction::begin_write(store_.db()));
    SKERRY_ASSIGN(const auto fresh, load("told = 0", 0));
    std::vector<Draft> out;
    for (const Kept& kept : fresh) {
        SKERRY_ASSIGN(out.emplace_back(), shown(kept));
    }
    SKERRY_TRY(store_.db().exec("UPDATE skerry_draft SET told = 1 WHERE told = 0"));
    SKERRY_TRY(tx.commit());
    return out;
}

}  // namespace skerry::store
