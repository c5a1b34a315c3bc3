// The reference model: what a server and its devices must come to, written from the documentation
// (docs/sync.md) and never from the code. It includes base and model values only; a lint test holds that.
//
// It is told facts: what an app committed (rows before and after, as the app itself read them), which of the
// device's own transactions were unsettled then, in which order the server judged, what other programs wrote
// on the server. It predicts every verdict and every row.
//
// Scope: policy `last` for every attribute, delete-wins, create against create rejected as key_taken, chains.
//
// Thread rule: one thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "model/model.hpp"
#include "model/value.hpp"

namespace skerry::kit {

// Names a transaction in the whole world, whatever number its device gives it; ascending on each device.
using Label = std::uint64_t;

struct RowId {
    EntityIx entity;
    std::string key;
    friend auto operator<=>(const RowId&, const RowId&) = default;
};
using Image = std::optional<model::Row>;  // absent: no row
using Images = std::map<RowId, model::Row>;

struct Touched {
    RowId row;
    Image before;
    Image after;
};
// The rows that differ, each with both images.
std::vector<Touched> difference(const Images& before, const Images& after);

enum class Judgement { kApplied, kMerged, kConflict, kRejected };
std::string_view judgement_name(Judgement judgement);

struct Prediction {
    Judgement judgement = Judgement::kApplied;
    Code code = Code::kInternal;  // of a rejection or conflict
    Label root = 0;               // of a rejection: the first of its draft group
    // The documents leave open whether it is "applied" or "merged": a delete whose predecessor stayed with an earlier
    // identity is compared with the row that the device holds when it moves, and the oracle cannot know that one.
    bool merged_or_applied = false;
    std::string why;              // for a person who looks at a failed world
};

// The verdict that was given is the predicted one.
bool agrees(const Prediction& predicted, Judgement judgement, Code code);

class Oracle {
  public:
    explicit Oracle(const model::Model& model) : model_(model) {}

    // `touched` may be empty: then there is no transaction and false is returned. `unsettled`: the author's own.
    bool committed(Label label, const std::string& user, const std::vector<Touched>& touched, const std::set<Label>& unsettled);
    // These moved to a new identity: what they name outside this set is no predecessor any more.
    void moved(const std::set<Label>& labels);
    // The server judged it now. Precondition: committed, not judged.
    const Prediction& judged(Label label);
    // Another program on the server left the row like this.
    void server_wrote(const RowId& row, const Image& after);

    const Images& rows() const { return rows_; }
    const Prediction* verdict(Label label) const;
    bool knows(Label label) const { return txns_.contains(label); }
    std::set<Label> rejected() const;
    // Open records: row, attribute (by number), user.
    using RecordId = std::tuple<RowId, std::uint32_t, std::string>;
    const std::set<RecordId>& open_records() const { return records_; }
    std::string describe(Label label) const;

  private:
    enum class Kind { kInsert, kUpdate, kDelete };
    struct Change {
        std::uint32_t attribute = 0;
        Value was;
        Value now;
        Label prev = 0;
    };
    struct Op {
        Kind kind = Kind::kInsert;
        RowId row;
        model::Row values;            // insert
        std::vector<Change> changes;  // update
        Image base;                   // delete: what the author had before
        Label prev_row = 0;           // insert, delete
        bool lost_prev_row = false;   // by a move to a new identity
    };
    struct Txn {
        std::string user;
        std::vector<Op> ops;
        std::set<Label> needs;
        std::optional<Prediction> verdict;
        std::set<std::pair<RowId, std::uint32_t>> in_conflict;  // attributes of an update that did not land
        std::map<RowId, Image> left;                            // rows as it left them
    };

    Op make_op(const Touched& touched, const std::set<Label>& unsettled, Txn& txn) const;
    bool wrote(const Txn& txn, const RowId& row, std::optional<std::uint32_t> attribute, bool* created) const;
    bool is_rejected(Label label) const;
    std::optional<Prediction> refused(Label label, const Txn& txn) const;
    Prediction reject(Code code, Label root, std::string why) const;
    void apply_update(const Op& op, Txn& txn, Prediction& verdict);
    void apply_delete(const Op& op, const Txn& txn, Prediction& verdict);

    const model::Model& model_;
    Images rows_;
    std::map<Label, Txn> txns_;
    std::set<RecordId> records_;
};

}  // namespace skerry::kit
