#include "store/applier.hpp"

#include "base/planted.hpp"

namespace skerry::store {

namespace {
std::int64_t as_int(EntityIx ix) { return static_cast<std::int64_t>(ix.value); }
std::int64_t as_int(wire::ScopeId id) { return static_cast<std::int64_t>(id.value); }
}  // namespace

Result<void> Applier::begin(const wire::Begin& begin) {
    SKERRY_ASSIGN(journal_empty_, tables_.journal_is_empty());
    SKERRY_ASSIGN(const std::int64_t quarantined, store_.db().integer("SELECT EXISTS (SELECT 1 FROM skerry_quarantine)"));
    some_quarantined_ = quarantined != 0;
    if (begin.verify) {
        // The list is all that is granted: lines of any other scope are of an older world.
        SKERRY_TRY(store_.db().exec("UPDATE skerry_scope SET complete = -1"));
        for (const wire::ScopeInfo& scope : begin.scopes) SKERRY_TRY(put_scope(scope));
        SKERRY_ASSIGN(sqlite::Statement gone, store_.db().prepare("SELECT id FROM skerry_scope WHERE complete = -1"));
        std::vector<wire::ScopeId> lost;
        for (;;) {
            SKERRY_ASSIGN(const bool row, gone.step());
            if (!row) break;
            lost.push_back(wire::ScopeId{static_cast<std::uint32_t>(gone.integer(0))});
        }
        gone.reset();
        for (const wire::ScopeId scope : lost) SKERRY_TRY(lost_scope(scope));
        return store_.meta().erase(key::kVerify);
    }
    for (const wire::ScopeInfo& scope : begin.scopes) SKERRY_TRY(put_scope(scope));
    return {};
}

Result<void> Applier::put_scope(const wire::ScopeInfo& scope) {
    if (!store_.model().has(scope.entity)) return fail(Code::kDamagedFrame, "a scope names an unknown entity");
    SKERRY_ASSIGN(sqlite::Statement put, store_.db().prepare(
        "INSERT OR REPLACE INTO skerry_scope(id, name, entity, whole, complete) VALUES(?1, ?2, ?3, ?4, 0)"));
    put.bind(1, as_int(scope.id)).bind_text(2, scope.name).bind(3, as_int(scope.entity));
    return put.bind(4, std::int64_t{scope.whole ? 1 : 0}).run();
}

Result<void> Applier::frame(wire::FrameType type, BytesView payload) {
    const model::Model& model = store_.model();
    switch (type) {
        case wire::FrameType::kOutcomes: {
            SKERRY_ASSIGN(const auto outcomes, wire::get_outcomes(payload));
            for (const wire::Outcome& outcome : outcomes) SKERRY_TRY(settle(outcome));
            SKERRY_ASSIGN(journal_empty_, tables_.journal_is_empty());
            return {};
        }
        case wire::FrameType::kLines: {
            SKERRY_ASSIGN(const auto lines, wire::get_lines(payload));
            if (!model.has(lines.entity)) return fail(Code::kDamagedFrame, "lines name an unknown entity");
            for (const std::string& key : lines.keys) {
                SKERRY_ASSIGN(const auto row, tables_.of(lines.entity).visible(key));
                SKERRY_ASSIGN(const auto base, tables_.of(lines.entity).base(key));
                if (row || base) SKERRY_TRY(put_line(lines.entity, key, lines.scope));
            }
            return {};
        }
        case wire::FrameType::kRows: {
            SKERRY_ASSIGN(const auto rows, wire::get_rows(payload, model));
            for (const wire::RowEntry& entry : rows.rows) {
                SKERRY_TRY(lines(rows.entity, entry));
                SKERRY_TRY(body(rows.entity, entry));
            }
            report_.rows += rows.rows.size();
            return changed(rows.entity);
        }
        case wire::FrameType::kLeaves: {
            SKERRY_ASSIGN(const auto leaves, wire::get_leaves(payload));
            if (!model.has(leaves.entity)) return fail(Code::kDamagedFrame, "leaves name an unknown entity");
            for (const std::string& key : leaves.keys) SKERRY_TRY(leave(leaves.entity, leaves.scope, key));
            report_.rows += leaves.keys.size();
            return changed(leaves.entity);
        }
        case wire::FrameType::kLostScope: {
            SKERRY_ASSIGN(const std::uint64_t scope, wire::get_number(payload));
            return lost_scope(wire::ScopeId{static_cast<std::uint32_t>(scope)});
        }
        case wire::FrameType::kSlice: {
            SKERRY_ASSIGN(const auto part, wire::get_slice(payload, model));
            report_.rows += part.rows.size();
            SKERRY_TRY(slice(part));
            return changed(part.entity);
        }
        case wire::FrameType::kComplete: {
            SKERRY_ASSIGN(const std::uint64_t scope, wire::get_number(payload));
            SKERRY_ASSIGN(sqlite::Statement done, store_.db().prepare("UPDATE skerry_scope SET complete = 1 WHERE id = ?1"));
            return done.bind(1, static_cast<std::int64_t>(scope)).run();
        }
        case wire::FrameType::kCheckpoint: {
            SKERRY_ASSIGN(auto checkpoint, wire::get_checkpoint(payload));
            token_ = std::move(checkpoint.token);
            return {};
        }
        default: return fail(Code::kDamagedFrame, "a frame of type " + std::to_string(static_cast<int>(type)) + " inside a checkpoint");
    }
}

Result<void> Applier::settle(const wire::Outcome& outcome) {
    SKERRY_ASSIGN(sqlite::Statement have, store_.db().prepare("SELECT id FROM skerry_txn WHERE no = ?1"));
    have.bind(1, static_cast<std::int64_t>(outcome.no.value));
    SKERRY_ASSIGN(const bool unsettled, have.step());
    // The number may be another's: of the device that this file was copied from, or of a life after the backup. Ours
    // is not judged then; the push finds out and this store takes a new identity.
    const bool ours = unsettled && (outcome.id8 == 0 || Reader(have.blob(0)).u64() == outcome.id8);
    have.reset();
    if (unsettled && !ours) return {};
    if (!unsettled) return {};  // settled by an earlier checkpoint; the server repeats outcomes in verify mode
    Journal journal(store_);
    SKERRY_ASSIGN(const wire::Transaction txn, journal.load(outcome.no));
    SKERRY_TRY(archive(outcome, txn));
    for (const wire::Op& op : txn.ops) {
        recompute_.insert({op.entity, op.key});
        changed_.insert(op.entity);
    }
    if (!planted(Plant::kRecomputeBeforeSettle)) {
        SKERRY_ASSIGN(sqlite::Statement ops, store_.db().prepare("DELETE FROM skerry_op WHERE txn = ?1"));
        SKERRY_TRY(ops.bind(1, static_cast<std::int64_t>(outcome.no.value)).run());
    }
    SKERRY_ASSIGN(sqlite::Statement head, store_.db().prepare("DELETE FROM skerry_txn WHERE no = ?1"));
    SKERRY_TRY(head.bind(1, static_cast<std::int64_t>(outcome.no.value)).run());
    report_.settled.push_back(outcome);
    return {};
}

Result<void> Applier::archive(const wire::Outcome& outcome, const wire::Transaction& txn) {
    SKERRY_ASSIGN(const DeviceId device, store_.meta().device());
    const std::int64_t now = store_.clock().wall().count();
    Bytes payload;
    Writer out(payload);
    wire::put_transaction(out, txn);
    const auto no = static_cast<std::int64_t>(outcome.no.value);
    const auto code = static_cast<std::int64_t>(outcome.code);
    const auto root = static_cast<std::int64_t>(outcome.root.value);
    SKERRY_ASSIGN(sqlite::Statement keep, store_.db().prepare(
        "INSERT OR REPLACE INTO skerry_archive(device, no, verdict, code, root, message, settled_at_us, payload) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"));
    keep.bind_blob(1, device.view()).bind(2, no).bind(3, static_cast<std::int64_t>(outcome.verdict)).bind(4, code);
    SKERRY_TRY(keep.bind(5, root).bind_text(6, outcome.message).bind(7, now).bind_blob(8, payload).run());
    if (outcome.verdict != wire::Verdict::kRejected || txn.ops.empty()) return {};
    return keep_draft(outcome, txn, payload);
}

// A draft is named by its transaction's number; where a draft of an earlier identity has that name, by the next free one.
Result<void> Applier::keep_draft(const wire::Outcome& outcome, const wire::Transaction& txn, BytesView payload) {
    SKERRY_ASSIGN(const DeviceId device, store_.meta().device());
    SKERRY_ASSIGN(sqlite::Statement draft, store_.db().prepare(
        "INSERT INTO skerry_draft(number, device, no, code, root, message, rejected_at_us, payload, state, mended_by, told) "
        "VALUES(CASE WHEN EXISTS (SELECT 1 FROM skerry_draft WHERE number = ?2) THEN (SELECT max(number) + 1 FROM skerry_draft) ELSE ?2 END, "
        "?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, 0, 0) ON CONFLICT(device, no) DO NOTHING"));
    draft.bind_blob(1, device.view()).bind(2, static_cast<std::int64_t>(outcome.no.value)).bind(3, static_cast<std::int64_t>(outcome.code));
    const TxnNo root = outcome.root ? outcome.root : txn.no;
    draft.bind(4, static_cast<std::int64_t>(root.value)).bind_text(5, outcome.message).bind(6, store_.clock().wall().count());
    return draft.bind_blob(7, payload).run();
}

Result<bool> Applier::is_whole(wire::ScopeId scope) {
    SKERRY_ASSIGN(sqlite::Statement get, store_.db().prepare("SELECT whole FROM skerry_scope WHERE id = ?1"));
    get.bind(1, as_int(scope));
    SKERRY_ASSIGN(const bool found, get.step());
    const bool whole = found && get.integer(0) != 0;
    get.reset();
    return whole;
}

Result<void> Applier::put_line(EntityIx ix, std::string_view key, wire::ScopeId scope) {
    SKERRY_ASSIGN(sqlite::Statement put, store_.db().prepare("INSERT OR IGNORE INTO skerry_scope_row(entity, key, scope) VALUES(?1, ?2, ?3)"));
    return put.bind(1, as_int(ix)).bind_text(2, key).bind(3, as_int(scope)).run();
}

Result<void> Applier::lines(EntityIx ix, const wire::RowEntry& entry) {
    for (const wire::ScopeId scope : entry.lines) SKERRY_TRY(put_line(ix, entry.key, scope));
    return {};
}

Result<void> Applier::body(EntityIx ix, const wire::RowEntry& entry) {
    EntityTable& table = tables_.of(ix);
    bool unsettled = false;
    if (!journal_empty_) {
        SKERRY_ASSIGN(unsettled, tables_.has_ops(ix, entry.key));
    }
    if (unsettled) {
        SKERRY_TRY(table.put_base(entry.key, entry.row));
        recompute_.insert({ix, entry.key});
        return {};
    }
    // A row settled in this checkpoint may have a base row still: the frame has a newer one.
    if (recompute_.erase({ix, entry.key}) != 0) SKERRY_TRY(table.erase_base(entry.key));
    if (auto put = table.put_visible(entry.key, entry.row); !put) return quarantine(ix, entry.key, entry.row, put.error());
    return release(ix, entry.key);
}

// A newer version of the row could be stored, or it is gone.
Result<void> Applier::release(EntityIx ix, std::string_view key) {
    if (!some_quarantined_) return {};
    SKERRY_ASSIGN(sqlite::Statement drop, store_.db().prepare("DELETE FROM skerry_quarantine WHERE entity = ?1 AND key = ?2"));
    return drop.bind(1, as_int(ix)).bind_text(2, key).run();
}

Result<void> Applier::quarantine(EntityIx ix, std::string_view key, const model::Row& row, const Error& why) {
    // Only what the row itself breaks is set aside (an index or a trigger of the app's own); a failing disk ends the
    // checkpoint, and so does a trigger that rolled the whole transaction back.
    if ((why.code != Code::kConstraint && why.code != Code::kSql) || !store_.db().in_transaction()) return fail(why);
    some_quarantined_ = true;
    Bytes payload;
    Writer out(payload);
    model::put_row(out, row);
    SKERRY_ASSIGN(sqlite::Statement put, store_.db().prepare("INSERT OR REPLACE INTO skerry_quarantine(entity, key, reason, at_us, payload) VALUES(?1, ?2, ?3, ?4, ?5)"));
    put.bind(1, as_int(ix)).bind_text(2, key).bind_text(3, why.message).bind(4, store_.clock().wall().count());
    return put.bind_blob(5, payload).run();
}

Result<void> Applier::leave(EntityIx ix, wire::ScopeId scope, const std::string& key) {
    SKERRY_ASSIGN(const bool whole, is_whole(scope));
    if (whole) return remove(ix, key);
    SKERRY_ASSIGN(sqlite::Statement drop, store_.db().prepare("DELETE FROM skerry_scope_row WHERE entity = ?1 AND key = ?2 AND scope = ?3"));
    SKERRY_TRY(drop.bind(1, as_int(ix)).bind_text(2, key).bind(3, as_int(scope)).run());
    lost_lines_.insert({ix, key});
    return {};
}

Result<void> Applier::remove(EntityIx ix, const std::string& key) {
    // No base from now on: what unsettled operations make of that decides what is visible.
    SKERRY_TRY(tables_.of(ix).erase_base(key));
    SKERRY_ASSIGN(sqlite::Statement drop, store_.db().prepare("DELETE FROM skerry_scope_row WHERE entity = ?1 AND key = ?2"));
    SKERRY_TRY(drop.bind(1, as_int(ix)).bind_text(2, key).run());
    SKERRY_TRY(release(ix, key));
    recompute_.insert({ix, key});
    changed_.insert(ix);
    return {};
}

Result<void> Applier::lost_scope(wire::ScopeId scope) {
    SKERRY_ASSIGN(const bool whole, is_whole(scope));
    if (whole) {
        SKERRY_ASSIGN(sqlite::Statement get, store_.db().prepare("SELECT entity FROM skerry_scope WHERE id = ?1"));
        get.bind(1, as_int(scope));
        SKERRY_ASSIGN(const bool found, get.step());
        const EntityIx ix{static_cast<std::uint32_t>(found ? get.integer(0) : 0)};
        get.reset();
        SKERRY_ASSIGN(const auto keys, tables_.of(ix).keys_in_range("", std::nullopt, SIZE_MAX));
        for (const std::string& key : keys) lost_lines_.insert({ix, key});
    } else {
        SKERRY_ASSIGN(sqlite::Statement get, store_.db().prepare("SELECT entity, key FROM skerry_scope_row WHERE scope = ?1"));
        get.bind(1, as_int(scope));
        for (;;) {
            SKERRY_ASSIGN(const bool row, get.step());
            if (!row) break;
            lost_lines_.insert({EntityIx{static_cast<std::uint32_t>(get.integer(0))}, std::string(get.text(1))});
        }
        get.reset();
        SKERRY_ASSIGN(sqlite::Statement drop, store_.db().prepare("DELETE FROM skerry_scope_row WHERE scope = ?1"));
        SKERRY_TRY(drop.bind(1, as_int(scope)).run());
    }
    SKERRY_ASSIGN(sqlite::Statement forget, store_.db().prepare("DELETE FROM skerry_scope WHERE id = ?1"));
    return forget.bind(1, as_int(scope)).run();
}

Result<void> Applier::slice(const wire::Slice& part) {
    EntityTable& table = tables_.of(part.entity);
    bool whole = false;
    for (const wire::ScopeId scope : part.scopes) {
        SKERRY_ASSIGN(const bool one, is_whole(scope));
        whole = whole || one;
    }
    // What is here in the range and not in the slice is gone on the server, or was made here and is unsettled.
    std::set<std::string, std::less<>> stale;
    SKERRY_ASSIGN(const auto here, table.keys_in_range(part.after, part.upto, SIZE_MAX));
    if (whole) {
        stale.insert(here.begin(), here.end());
    } else {
        for (const wire::ScopeId scope : part.scopes) {
            SKERRY_ASSIGN(sqlite::Statement get, store_.db().prepare(
                "SELECT key FROM skerry_scope_row WHERE entity = ?1 AND scope = ?2 AND key > ?3 AND (?4 IS NULL OR key <= ?4)"));
            get.bind(1, as_int(part.entity)).bind(2, as_int(scope)).bind_text(3, part.after);
            if (part.upto) get.bind_text(4, *part.upto);
            std::vector<std::string> keys;
            for (;;) {
                SKERRY_ASSIGN(const bool row, get.step());
                if (!row) break;
                keys.emplace_back(get.text(0));
            }
            get.reset();
            for (std::string& key : keys) {
                SKERRY_ASSIGN(sqlite::Statement drop, store_.db().prepare("DELETE FROM skerry_scope_row WHERE entity = ?1 AND key = ?2 AND scope = ?3"));
                SKERRY_TRY(drop.bind(1, as_int(part.entity)).bind_text(2, key).bind(3, as_int(scope)).run());
                stale.insert(std::move(key));
            }
        }
    }
    // Not even a row that settled above and is not here now: body() takes it from what is recomputed at the end.
    const bool fresh = here.empty() && journal_empty_ && recompute_.empty();
    for (const wire::RowEntry& entry : part.rows) {
        stale.erase(entry.key);
        SKERRY_TRY(lines(part.entity, entry));
        if (!fresh) {
            SKERRY_TRY(body(part.entity, entry));
        } else if (auto put = table.insert_visible(entry.key, entry.row); !put) {
            SKERRY_TRY(quarantine(part.entity, entry.key, entry.row, put.error()));
        } else {
            SKERRY_TRY(release(part.entity, entry.key));
        }
    }
    for (const std::string& key : stale) {
        if (whole) {
            SKERRY_TRY(remove(part.entity, key));
        } else {
            lost_lines_.insert({part.entity, key});
        }
    }
    return {};
}

Result<void> Applier::changed(EntityIx ix) {
    changed_.insert(ix);
    return {};
}

Result<void> Applier::recompute(EntityIx ix, const std::string& key) {
    auto done = tables_.recompute(ix, key);
    if (done) return release(ix, key);
    // The base row stays as the server has it: what could not be stored is what it makes visible.
    SKERRY_ASSIGN(const auto base, tables_.of(ix).base(key));
    if (!base) return fail(std::move(done.error()));
    return quarantine(ix, key, *base, done.error());
}

Result<void> Applier::finish() {
    for (const auto& [ix, key] : lost_lines_) {
        SKERRY_ASSIGN(sqlite::Statement left, store_.db().prepare(
            "SELECT EXISTS (SELECT 1 FROM skerry_scope_row WHERE entity = ?1 AND key = ?2) OR "
            "EXISTS (SELECT 1 FROM skerry_scope WHERE entity = ?1 AND whole = 1)"));
        left.bind(1, as_int(ix)).bind_text(2, key);
        SKERRY_ASSIGN(const bool row, left.step());
        static_cast<void>(row);
        const bool held = left.integer(0) != 0;
        left.reset();
        if (!held) SKERRY_TRY(remove(ix, key));
    }
    for (const auto& [ix, key] : recompute_) SKERRY_TRY(recompute(ix, key));
    if (planted(Plant::kRecomputeBeforeSettle))
        SKERRY_TRY(store_.db().exec("DELETE FROM skerry_op WHERE txn NOT IN (SELECT no FROM skerry_txn)"));
    for (const EntityIx ix : changed_) SKERRY_TRY(tables_.mark_changed(ix));
    return {};
}

}  // namespace skerry::store
