#include "server/intake/judge.hpp"

#include <map>
#include <set>

#include "merge/last.hpp"
#include "server/intake/records.hpp"

namespace skerry::server::intake {

namespace {

using storage::KeyRef;
using storage::ResultCode;
using storage::ResultRow;
using wire::Op;
using wire::OpKind;
using wire::Outcome;
using wire::Verdict;

constexpr std::size_t kAttributeLeft = 8;
constexpr std::size_t kRowLeft = 16;

Bytes left_of(const Value& value) {
    Bytes bytes;
    Writer(bytes).u64(merge::value_hash(value));
    return bytes;
}

Hash128 row_hash_of(const model::Entity& entity, const std::optional<model::Row>& row) { return row ? model::row_hash(entity, *row) : Hash128{}; }

Bytes row_left(const model::Entity& entity, const std::optional<model::Row>& row, OpKind kind) {
    Bytes bytes{view_of(row_hash_of(entity, row))};
    if (kind == OpKind::kInsert && row)
        for (const Value& value : *row) bytes += left_of(value);
    return bytes;
}

// What an earlier transaction of the author did to an attribute.
struct Prior {
    ResultCode code = ResultCode::kApplied;
    std::optional<std::uint64_t> left;
    storage::RecordId record;
};

class Judge {
  public:
    Judge(const JudgeContext& context, const wire::Transaction& transaction) : c_(context), t_(transaction) {}

    Result<Outcome> run() {
        SKERRY_ASSIGN(auto refused, depends_on_rejected());
        if (refused) return std::move(*refused);
        SKERRY_TRY(read_current());
        for (std::size_t i = 0; i < t_.ops.size(); ++i) {
            SKERRY_ASSIGN(refused, apply(t_.ops[i], current_[i]));
            if (refused) return std::move(*refused);
        }
        SKERRY_TRY(read_back());
        return verdict();
    }

  private:
    // What needs, or goes on from, a rejected transaction goes into its draft group, and does so as a whole.
    Result<std::optional<Outcome>> depends_on_rejected() {
        std::set<TxnNo> named(t_.needs.begin(), t_.needs.end());
        for (const Op& op : t_.ops) {
            if (op.prev_row) named.insert(op.prev_row);
            for (const wire::Change& change : op.changes)
                if (change.prev) named.insert(change.prev);
        }
        for (const TxnNo no : named) {
            if (no >= t_.no)
                return rejection(t_.no, Code::kMalformedTxn, t_.no, "a transaction builds on a later one");
            // Unknown: forgotten because it settled, or of an earlier identity of the device. Counts as none.
            SKERRY_ASSIGN(const auto outcome, c_.txn.outcome(c_.device, no));
            if (outcome && outcome->verdict == Verdict::kRejected)
                return rejection(t_.no, Code::kDependency, outcome->root,
                                 "it builds on transaction " + std::to_string(no.value) + ", which was rejected");
        }
        return std::optional<Outcome>{};
    }

    // The rows as they were before this transaction: what its own writes and the app's triggers on them change
    // meanwhile is nobody else's change. Ops lie in order of entity, so each run of one entity is one read.
    Result<void> read_rows(std::vector<std::optional<model::Row>>& rows) {
        rows.clear();
        for (std::size_t from = 0; from < t_.ops.size();) {
            std::vector<std::string> keys;
            std::size_t to = from;
            while (to < t_.ops.size() && t_.ops[to].entity == t_.ops[from].entity) keys.push_back(t_.ops[to++].key);
            SKERRY_ASSIGN(auto found, c_.txn.rows(t_.ops[from].entity, keys));
            std::move(found.begin(), found.end(), std::back_inserter(rows));
            from = to;
        }
        return {};
    }
    Result<void> read_current() { return read_rows(current_); }

    Result<std::optional<Outcome>> apply(const Op& op, const std::optional<model::Row>& current) {
        const model::Entity& entity = c_.model.entity(op.entity);
        const access::Action action = op.kind == OpKind::kInsert   ? access::Action::kCreate
                                      : op.kind == OpKind::kUpdate ? access::Action::kUpdate
                                                                   : access::Action::kDelete;
        if (!access::may(c_.principal, action, entity))
            return rejection(t_.no, Code::kUnauthorized, t_.no, "not allowed on " + entity.name);
        switch (op.kind) {
            case OpKind::kInsert:
                if (current)
                    return rejection(t_.no, Code::kKeyTaken, t_.no,
                                     "a row of " + entity.name + " with the key " + op.key + " exists already");
                SKERRY_TRY(c_.txn.insert(op.entity, op.key, op.row));
                add_row_result(op, ResultCode::kApplied, {});
                break;
            case OpKind::kUpdate: SKERRY_TRY(update(op, current)); break;
            case OpKind::kDelete: SKERRY_TRY(remove(op, current)); break;
        }
        return std::optional<Outcome>{};
    }

    // CONFLICT    An update arrives for a row that was deleted.
    // RESOLUTION  delete-wins: the row stays deleted; a record keeps base and mine for a person.
    // WHY         To bring a row back against somebody's decision needs a decision too; nothing written is lost.
    Result<void> update(const Op& op, const std::optional<model::Row>& current) {
        if (!current) {
            SKERRY_ASSIGN(const auto record, record_update(c_, op, t_.no, std::nullopt));
            add_row_result(op, ResultCode::kConflict, record);
            return {};
        }
        const model::Entity& entity = c_.model.entity(op.entity);
        // A creation is never in conflict (create against create is rejected), so none that this needs can be waiting.
        // When one can be, results have to tell who created a row from who changed it.
        std::vector<storage::Assignment> writes;
        Op joining = op;
        joining.changes.clear();
        std::vector<ResultRow> results;
        for (const wire::Change& change : op.changes) {
            const std::string& name = entity.attributes[change.attribute].name;
            SKERRY_ASSIGN(const auto before, prior(op, change, name));
            SKERRY_ASSIGN(const bool waits, is_open(before));
            ResultRow result{t_.no, {op.entity, op.key}, name, ResultCode::kApplied, {}, {}};
            if (waits) {
                joining.changes.push_back(change);
                result.code = ResultCode::kConflict;
            } else {
                const Value& now = (*current)[change.attribute];
                const auto left = before ? before->left : std::nullopt;
                const merge::LastOutput out = merge::last({change.old_value, change.new_value, now, left});
                if (out.write) writes.emplace_back(change.attribute, &change.new_value);
                if (out.to_history) {
                    result.code = ResultCode::kMerged;
                    Bytes lost;
                    Writer w(lost);
                    model::put_value(w, now);
                    SKERRY_TRY(to_history(op, name, storage::HistoryWhy::kOverwritten, std::move(lost)));
                }
            }
            results.push_back(std::move(result));
        }
        SKERRY_TRY(c_.txn.update(op.entity, op.key, writes));
        storage::RecordId record;
        if (!joining.changes.empty()) {
            SKERRY_ASSIGN(record, record_update(c_, joining, t_.no, current));
        }
        ResultCode worst = ResultCode::kApplied;
        for (ResultRow& result : results) {
            if (result.code == ResultCode::kConflict) result.record = record;
            worst = std::max(worst, result.code);
            results_.push_back(std::move(result));
        }
        add_row_result(op, worst, record);
        return {};
    }

    // CONFLICT    A delete arrives for a row that was changed since its author last saw it.
    // RESOLUTION  delete-wins: the row goes, its last image goes to history, the verdict is "merged".
    // WHY         The author decided about the row, not about one value of it; history can bring it back.
    // Deleting what is gone already is as its author wished: applied.
    Result<void> remove(const Op& op, const std::optional<model::Row>& current) {
        if (!current) {
            add_row_result(op, ResultCode::kApplied, {});
            return {};
        }
        SKERRY_ASSIGN(const bool as_seen, as_its_author_knew_it(op, *current));
        if (!as_seen) {
            Bytes image;
            Writer w(image);
            model::put_row(w, *current);
            SKERRY_TRY(to_history(op, {}, storage::HistoryWhy::kDeleted, std::move(image)));
        }
        SKERRY_TRY(c_.txn.remove(op.entity, op.key));
        add_row_result(op, as_seen ? ResultCode::kApplied : ResultCode::kMerged, {});
        return {};
    }

    Result<bool> as_its_author_knew_it(const Op& op, const model::Row& current) {
        const Hash128 now = model::row_hash(c_.model.entity(op.entity), current);
        if (!op.prev_row) return now == op.base_hash;
        SKERRY_ASSIGN(const auto before, c_.txn.result(c_.device, op.prev_row, {op.entity, op.key}, {}));
        // A forgotten predecessor cannot be compared with; the image is kept rather than lost.
        return before && BytesView(before->left).substr(0, kRowLeft) == view_of(now);
    }

    Result<std::optional<Prior>> prior(const Op& op, const wire::Change& change, const std::string& name) {
        if (!change.prev) return std::nullopt;
        const KeyRef at{op.entity, op.key};
        SKERRY_ASSIGN(const auto own, c_.txn.result(c_.device, change.prev, at, name));
        if (own) return Prior{own->code, Reader(own->left).u64(), own->record};
        SKERRY_ASSIGN(const auto row, c_.txn.result(c_.device, change.prev, at, {}));
        if (!row) return std::nullopt;
        Prior found{row->code, std::nullopt, row->record};
        const std::size_t offset = kRowLeft + change.attribute * kAttributeLeft;
        if (row->left.size() >= offset + kAttributeLeft) found.left = Reader(BytesView(row->left).substr(offset)).u64();
        return found;
    }

    Result<bool> is_open(const std::optional<Prior>& before) {
        if (!before || before->code != ResultCode::kConflict || !before->record) return false;
        SKERRY_ASSIGN(const auto record, c_.txn.record(before->record));
        return record && record->state == storage::RecordState::kOpen;
    }

    Result<void> to_history(const Op& op, std::string attribute, storage::HistoryWhy why, Bytes value) {
        return c_.txn.put_history({{op.entity, op.key}, std::move(attribute), why, c_.device, t_.no,
                                   c_.principal.user, std::move(value), c_.now_us});
    }

    void add_row_result(const Op& op, ResultCode code, storage::RecordId record) {
        results_.push_back({t_.no, {op.entity, op.key}, {}, code, {}, record});
    }

    // What the transaction left, after the app's triggers had their say: the next one in the chain compares with
    // this, not with what the device believes, or its author would be in conflict with himself (pitfall 12).
    Result<void> read_back() {
        std::vector<std::optional<model::Row>> after;
        SKERRY_TRY(read_rows(after));
        std::map<KeyRef, std::size_t> op_of;
        for (std::size_t i = 0; i < t_.ops.size(); ++i) op_of[{t_.ops[i].entity, t_.ops[i].key}] = i;
        for (ResultRow& result : results_) {
            const std::size_t i = op_of.at(result.at);
            if (result.attribute.empty()) {
                result.left = row_left(c_.model.entity(t_.ops[i].entity), after[i], t_.ops[i].kind);
            } else {
                result.left = left_of(after[i] ? (*after[i])[attribute_of(result)] : Value{Null{}});
            }
            SKERRY_TRY(c_.txn.put_result(c_.device, result));
        }
        return {};
    }

    std::size_t attribute_of(const ResultRow& result) const {
        const auto& attributes = c_.model.entity(result.at.entity).attributes;
        for (std::size_t i = 0; i < attributes.size(); ++i)
            if (attributes[i].name == result.attribute) return i;
        return 0;
    }

    Outcome verdict() const {
        ResultCode worst = ResultCode::kApplied;
        for (const ResultRow& result : results_) worst = std::max(worst, result.code);
        Outcome outcome;
        outcome.no = t_.no;
        if (worst == ResultCode::kMerged) outcome.verdict = Verdict::kMerged;
        if (worst == ResultCode::kConflict) {
            outcome.verdict = Verdict::kConflict;
            outcome.code = Code::kRowDeleted;
            outcome.message = "a row that it changes was deleted by somebody else; the change is kept for a person to decide";
        }
        return outcome;
    }

    const JudgeContext& c_;
    const wire::Transaction& t_;
    std::vector<std::optional<model::Row>> current_;  // by op
    std::vector<ResultRow> results_;
};

}  // namespace

Result<Outcome> judge(const JudgeContext& context, const wire::Transaction& transaction) {
    return Judge(context, transaction).run();
}

bool is_refusal(const Error& error) {
    switch (error.code) {
        case Code::kConstraint:
        case Code::kValueInvalid:
        case Code::kKeyMissing:
        case Code::kKeyUpdate:
        case Code::kRowTooBig: return true;
        // An app's trigger may fail with any SQL error while it runs. One that already fails to prepare says that
        // the tables are not as they should be: no transaction is to be rejected for that.
        case Code::kSql: return error.context.empty();
        default: return false;
    }
}

Outcome rejection(TxnNo no, Code code, TxnNo root, std::string message) {
    return Outcome{no, Verdict::kRejected, code, root, std::move(message)};
}

}  // namespace skerry::server::intake
