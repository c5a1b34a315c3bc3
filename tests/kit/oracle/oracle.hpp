// The reference model: what a server and its devices must come to, written from the documentation
// (docs/sync.md, docs/model.md) and never from the code. It includes base and model values only; a lint test holds that.
//
// It is told facts: what an app committed (rows before and after, as the app itself read them), which of the
// device's own transactions were unsettled then, in which order the server judged, what other programs wrote
// on the server. It predicts every verdict, every row, every conflict record and every draft.
//
//   facts.hpp      what it is told          txn.hpp       transactions and the server's state
//   judging.hpp    one transaction          policies.hpp  one attribute
//   records.cpp    conflict records         relations.cpp children, references, uniques
//
// Thread rule: one thread.
#pragma once

#include "kit/oracle/txn.hpp"

namespace skerry::kit {

class Oracle {
  public:
    explicit Oracle(const model::Model& model) : model_(model) {}
    // Who says whether a condition holds; without it only the simple ones of holds() are known.
    void judge_conditions_by(Holds holds) { holds_ = std::move(holds); }

    // `touched` may be empty: then there is no transaction, unless it names drafts, and false is returned.
    // `unsettled`: the author's own.
    bool committed(Label label, const std::string& user, const std::vector<Touched>& touched, const std::set<Label>& unsettled, const Said& said = {});
    // These moved to a new identity: what they name outside this set is no predecessor any more.
    void moved(const std::set<Label>& labels);
    // The server judged it now. Precondition: committed, not judged.
    const Prediction& judged(Label label, Observed observed);
    // Another program on the server left the row like this; called after each of its statements.
    void server_wrote(const RowId& row, const Image& after);
    // For a server restored from a backup: what was judged since is judged again, when devices send it again.
    struct Past {
        State state;
        std::map<Label, Txn> txns;
        std::set<Label> closed_drafts;
    };
    Past remember() const { return {state_, txns_, closed_drafts_}; }
    void back_to(const Past& past);
    std::set<Label> not_judged() const;
    // The retention is over: closed records and last images that the server has no more are forgotten here too. False: it
    // forgot what is open.
    bool forgot(const std::set<std::string>& kept_records, const std::set<RowId>& kept_images);
    // "" when the table of records holds what it must; else what is wrong. Learns the ids of new records.
    std::string compare_records(const std::vector<SeenRecord>& seen);

    const Images& rows() const { return state_.rows; }
    const Prediction* verdict(Label label) const;
    // The one that a server gave which was lost since. A device may hold it: it settled before the server was restored.
    const Prediction* lost_verdict(Label label) const;
    bool knows(Label label) const { return txns_.contains(label); }
    std::set<Label> rejected() const;
    // Rejected, and not replaced or discarded by a transaction that the server took.
    bool draft_is_open(Label label) const;
    const Txn& txn(Label label) const { return txns_.at(label); }
    std::size_t open_records() const;
    const std::map<std::string, std::uint64_t>& met() const { return state_.met; }
    std::string describe(Label label) const;

  private:
    Op make_op(const Touched& touched, const std::set<Label>& unsettled, Txn& txn) const;
    static bool wrote(const Txn& txn, const RowId& row, std::optional<std::uint32_t> attribute, bool* created);
    void need_creators(const RowId& row, const std::set<Label>& unsettled, Txn& txn) const;
    std::string compare_record(const Record& record, const SeenRecord& seen) const;

    const model::Model& model_;
    Holds holds_ = simple_conditions();
    State state_;
    std::map<Label, Txn> txns_;
    std::set<Label> closed_drafts_;
    std::map<Label, Prediction> lost_verdicts_;
    std::uint64_t next_record_ = 0;
};

}  // namespace skerry::kit
