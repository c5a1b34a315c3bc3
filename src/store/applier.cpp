#include "store/applier.hpp"

#include "base/planted.hpp"
#include "store/numbering.hpp"

namespace skerry::store {

namespace {
std::int64_t as_int(EntityIx ix) { return static_cast<std::int64_t>(ix.value); }

Result<wire::ScopeId> get_scope(BytesView payload) {
    SKERRY_ASSIGN(const std::uint64_t number, wire::get_number(payload));
    if (number > UINT32_MAX) return fail(Code::kDamagedFrame, "a scope has a number beyond the limit");
    return wire::ScopeId{static_cast<std::uint32_t>(number)};
}
}  // namespace

Result<void> Applier::take_profile(const std::string& profile) {
    SKERRY_ASSIGN(const auto had, store_.meta().bytes(key::kProfile));
    if (had.value_or("") != profile) {
        SKERRY_TRY(store_.meta().set_text(key::kProfile, profile));
        // What only this device had until now is sent from now on: operations, before slices say what is on the server.
        Numbering numbering(store_.db(), store_.meta(), tables_, store_.clock(), store_.random());
        SKERRY_TRY(numbering.number_released());
    }
    SKERRY_ASSIGN(modes_, Modes::load(store_.meta(), store_.model()));
    return {};
}

Result<void> Applier::begin(const wire::Begin& begin) {
    SKERRY_ASSIGN(journal_empty_, tables_.journal_is_empty());
    SKERRY_ASSIGN(const std::int64_t quarantined, store_.db().integer("SELECT EXISTS (SELECT 1 FROM skerry_quarantine)"));
    some_quarantined_ = quarantined != 0;
    caught_up_ = begin.caught_up;
    SKERRY_TRY(left_.begin());
    if (!begin.verify) return lines_.grant(begin.scopes);
    // The list is all that is granted: lines of any other scope are of an older world.
    SKERRY_TRY(lines_.replace_all(begin.scopes));
    return store_.meta().erase(key::kVerify);
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
            return lines_.add_if_here(lines.entity, lines.keys, lines.scope);
        }
        case wire::FrameType::kRows: {
            SKERRY_ASSIGN(const auto rows, wire::get_rows(payload, model));
            for (const wire::RowEntry& entry : rows.rows) {
                for (const wire::ScopeId scope : entry.lines) SKERRY_TRY(lines_.add(rows.entity, entry.key, scope));
                SKERRY_TRY(body(rows.entity, entry));
            }
            report_.rows += rows.rows.size();
            changed_.insert(rows.entity);
            return {};
        }
        case wire::FrameType::kLeaves: {
            SKERRY_ASSIGN(const auto leaves, wire::get_leaves(payload));
            if (!model.has(leaves.entity)) return fail(Code::kDamagedFrame, "leaves name an unknown entity");
            report_.rows += leaves.keys.size();
            return leave(leaves);
        }
        case wire::FrameType::kLostScope: {
            SKERRY_ASSIGN(const wire::ScopeId scope, get_scope(payload));
            return lines_.lost(scope);
        }
        case wire::FrameType::kSlice: {
            SKERRY_ASSIGN(const auto part, wire::get_slice(payload, model));
            report_.rows += part.rows.size();
            changed_.insert(part.entity);
            return slice(part);
        }
        case wire::FrameType::kComplete: {
            SKERRY_ASSIGN(const wire::ScopeId scope, get_scope(payload));
            return lines_.complete(scope);
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
    SKERRY_ASSIGN(const auto txn, settling_.take(outcome));
    if (!txn) return {};
    const bool landed = outcome.verdict != wire::Verdict::kRejected;
    for (const wire::Op& op : txn->ops) {
        recompute_.insert({op.entity, op.key});
        changed_.insert(op.entity);
        if (!landed) continue;
        if (modes_.nothing_comes(op.entity)) SKERRY_TRY(keep_as_base(txn->no, op));
        if (op.kind == wire::OpKind::kDelete) {
            written_.erase({op.entity, op.key});
        } else {
            written_.insert({op.entity, op.key});
        }
    }
    SKERRY_TRY(settling_.finish(*txn));
    report_.settled.push_back(outcome);
    return {};
}

// No frame brings the row as the server has it now: what was written here is what is known of it.
Result<void> Applier::keep_as_base(TxnNo no, const wire::Op& op) {
    EntityTable& table = tables_.of(op.entity);
    SKERRY_ASSIGN(auto base, table.base(op.key));
    const auto row = rebase(table.entity(), std::move(base), {JournalOp{no, op}});
    return row ? table.put_base(op.key, *row) : table.erase_base(op.key);
}

Result<void> Applier::body(EntityIx ix, const wire::RowEntry& entry) {
    EntityTable& table = tables_.of(ix);
    SKERRY_TRY(left_.forget(ix, entry.key));
    gone_.erase({ix, entry.key});
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

Result<void> Applier::leave(const wire::Leaves& leaves) {
    changed_.insert(leaves.entity);
    SKERRY_ASSIGN(const bool whole, lines_.is_whole(leaves.scope));
    if (!whole && !planted(Plant::kLeaveTakesTheRow)) return lines_.leave(leaves.entity, leaves.keys, leaves.scope, leaves.why);
    for (const std::string& key : leaves.keys) SKERRY_TRY(remove(leaves.entity, key, leaves.why));
    return {};
}

Result<void> Applier::remove(EntityIx ix, const std::string& key, wire::Left why) {
    SKERRY_TRY(lines_.drop(ix, key));
    if (modes_.stays(ix)) return {};
    // No base from now on: what unsettled operations make of that decides what is visible.
    SKERRY_TRY(tables_.of(ix).erase_base(key));
    SKERRY_TRY(release(ix, key));
    if (why != wire::Left::kDeleted) right_lost_ = true;
    recompute_.insert({ix, key});
    gone_.insert_or_assign({ix, key}, why);
    changed_.insert(ix);
    return {};
}

Result<void> Applier::slice(const wire::Slice& part) {
    EntityTable& table = tables_.of(part.entity);
    bool whole = false;
    for (const wire::ScopeId scope : part.scopes) {
        SKERRY_ASSIGN(const bool one, lines_.is_whole(scope));
        whole = whole || one;
    }
    SKERRY_ASSIGN(const auto here, table.keys_in_range(part.after, part.upto, whole ? SIZE_MAX : 1));
    // Not even a row that settled above and is not here now: body() takes it from what is recomputed at the end.
    const bool fresh = here.empty() && journal_empty_ && recompute_.empty();
    if (!whole) SKERRY_TRY(lines_.slice(part));
    for (const wire::RowEntry& entry : part.rows) {
        if (!fresh) {
            SKERRY_TRY(body(part.entity, entry));
        } else if (auto put = table.insert_visible(entry.key, entry.row); !put) {
            SKERRY_TRY(quarantine(part.entity, entry.key, entry.row, put.error()));
        } else {
            SKERRY_TRY(release(part.entity, entry.key));
            SKERRY_TRY(left_.forget(part.entity, entry.key));
        }
    }
    if (!whole) return {};
    // What is here in the range and not in the slice is gone on the server, or was made here and is unsettled.
    auto next = part.rows.begin();
    for (const std::string& key : here) {
        while (next != part.rows.end() && next->key < key) ++next;
        if (next == part.rows.end() || next->key != key) SKERRY_TRY(remove(part.entity, key, wire::Left::kDeleted));
    }
    return {};
}

// Rows of which a line was lost, and that have no other now.
Result<void> Applier::sweep(EntityIx ix) {
    const bool stay = !store_.model().has(ix) || modes_.stays(ix);
    SKERRY_TRY(lines_.settle_marks(ix, stay ? Lines::Keep::kAll : Lines::Keep::kHeld));
    if (stay) return {};
    SKERRY_ASSIGN(const bool right_lost, lines_.right_lost(ix));
    right_lost_ = right_lost_ || right_lost;
    changed_.insert(ix);
    // One by one where there is more to a row than its removal: operations that are judged still, and triggers of the app's own.
    SKERRY_ASSIGN(const auto some, lines_.marked(ix, tables_.guarded() ? Lines::Which::kAll : Lines::Which::kWithOps));
    for (const Lines::Marked& row : some) SKERRY_TRY(remove(ix, row.key, row.why));
    SKERRY_TRY(left_.note_marked(ix));
    SKERRY_TRY(tables_.of(ix).erase_marked(ix));
    if (some_quarantined_) {
        SKERRY_ASSIGN(sqlite::Statement drop, store_.db().prepare(
            "DELETE FROM skerry_quarantine WHERE entity = ?1 AND key IN (SELECT key FROM skerry_scope_row WHERE scope < 0 AND +entity = ?1)"));
        SKERRY_TRY(drop.bind(1, as_int(ix)).run());
    }
    return lines_.drop_marks(ix);
}

Result<void> Applier::recompute(EntityIx ix, const std::string& key) {
    EntityTable& table = tables_.of(ix);
    SKERRY_ASSIGN(const bool was_here, table.is_here(key));
    if (modes_.of(ix) == model::Download::kNoneClear) {
        SKERRY_ASSIGN(const bool unsettled, tables_.has_ops(ix, key));
        if (!unsettled) SKERRY_TRY(table.erase_base(key));
    }
    if (auto done = tables_.recompute(ix, key); !done) {
        // The base row stays as the server has it: what could not be stored is what it makes visible.
        SKERRY_ASSIGN(const auto base, table.base(key));
        if (!base) return fail(std::move(done.error()));
        return quarantine(ix, key, *base, done.error());
    }
    SKERRY_TRY(release(ix, key));
    if (!was_here) return {};
    SKERRY_ASSIGN(const bool is_here, table.is_here(key));
    if (is_here) return {};
    if (const auto gone = gone_.find({ix, key}); gone != gone_.end()) return left_.note(ix, key, gone->second);
    return written_.contains({ix, key}) ? left_.note(ix, key, wire::Left::kOutside) : Result<void>{};
}

Result<void> Applier::finish() {
    SKERRY_ASSIGN(const auto marked, lines_.marked_entities());
    for (const EntityIx ix : marked) SKERRY_TRY(sweep(ix));
    for (const auto& [ix, key] : recompute_) SKERRY_TRY(recompute(ix, key));
    if (planted(Plant::kRecomputeBeforeSettle))
        SKERRY_TRY(store_.db().exec("DELETE FROM skerry_op WHERE txn NOT IN (SELECT no FROM skerry_txn)"));
    for (const EntityIx ix : changed_) SKERRY_TRY(tables_.mark_changed(ix));
    SKERRY_TRY(left_.trim());
    report_.left = left_.counts();
    Meta& meta = store_.meta();
    if (right_lost_) SKERRY_TRY(meta.set(key::kScrub, 1));
    const std::int64_t now = store_.clock().wall().count();
    SKERRY_TRY(meta.set(key::kSyncedAt, now));
    return caught_up_ ? meta.set(key::kFreshAt, now) : Result<void>{};
}

}  // namespace skerry::store
