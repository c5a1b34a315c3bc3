// One transaction against one state of the server (docs/sync.md and docs/model.md): the order of checks, then each
// operation by its kind, then what is asked of the whole at its end.
#pragma once

#include "kit/oracle/policies.hpp"
#include "kit/oracle/txn.hpp"

namespace skerry::kit {

class Judging {
  public:
    Judging(const model::Model& model, const Holds& holds, std::map<Label, Txn>& txns, const State& before, Label label, std::uint64_t& next_record, Observed observed)
        : model_(model), holds_(holds), txns_(txns), before_(before), state_(before), label_(label), txn_(txns.at(label)), next_record_(next_record), observed_(observed) {}

    // Sets the transaction's verdict and results; gives the state after it.
    State run();

  private:
    const model::Entity& entity(const RowId& row) const { return model_.entity(row.entity); }
    // Survives a transaction that is held or rejected: it was met all the same.
    void meet(const std::string& what) { ++met_[what]; }
    bool is_record(const RowId& row) const { return entity(row).builtin(); }
    void reject(Code code, Label root, const std::string& why);
    State judge();
    // What stands before any look at a row.
    void depends();
    void refer_to_waiting(const Op& op);
    void asserts();
    void apply(const Op& op);
    void close(const Op& op);
    void insert(const Op& op);
    void update(const Op& op);
    void erase(const Op& op);
    void change(const Op& op, const Change& change, model::Row& row, bool came_back);
    void merge_insert(const Op& op);
    void write(const RowId& row, model::Row values);
    void remove(const RowId& row);
    // The open record of a creation that this transaction needs and that is in conflict.
    Record* waiting_creation(const RowId& row);
    bool earlier_change_waits(const Op& op);
    bool differs_from_known(const Op& op, const model::Row& current);
    // records
    Record& open_or_join(const RowId& row, const std::string& attribute, Kind operation, Code why);
    void record_cell(const Op& op, const Change& change, Code why);
    void record_row(const Op& op, Code why);
    void into(Record& record, const Op& op);
    void put(Record& record, const RowId& row, std::uint32_t attribute, const Value& was, const Value& now);
    void strict_conflict();
    // at the end
    void children();
    void references();
    void uniques();
    void finish();

    const model::Model& model_;
    const Holds& holds_;
    std::map<Label, Txn>& txns_;
    const State& before_;
    State state_;
    const Label label_;
    Txn& txn_;
    std::uint64_t& next_record_;
    const Observed observed_;
    Prediction verdict_;
    std::set<RowId> touched_, removed_;
    std::set<RowId> gave_a_part_;  // created by it, and merged into a row
    std::set<Code> rejected_, asked_;
    bool only_refers_ = false;  // rejected, so far, for a reference to a row that waits
    std::set<Label> roots_;
    std::string why_;
    bool lost_ = false, merged_ = false, open_verdict_ = false;
    std::map<std::string, std::uint64_t> met_;
    std::map<RowId, Code> causes_;  // rows that lose, are asked or in conflict, and why
};

}  // namespace skerry::kit
