// What people met in the worlds of a model, counted and with examples. The facts are the server's (verdicts and their codes,
// results, history, conflict records), and what the plan's apps wrote; nothing is predicted here.
//
// A change met another's when the server's value, as the change arrived, was not the one that its author had seen, and
// somebody else had written it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kit/world/scene.hpp"

namespace skerry::sim {

using kit::Cell;
using kit::Label;
using kit::RowId;

// What became of a change that met another's.
enum class Fate {
    kSame,       // both wrote the same
    kMerged,     // both are in
    kReplaced,   // it stayed, the other's value gave way to the history
    kGaveWay,    // it went to the history
    kAsked,      // a conflict record waits
    kTransaction,  // its whole transaction was rejected
};
std::string_view fate_name(Fate fate);

// What became of rows and whole transactions.
enum class Happening {
    kChangedAfterDeletion,   // a conflict record keeps the change
    kCameBack,               // update_wins
    kDeletedWithChanges,     // delete_wins: the last version is in the history
    kDeletionGaveWay,        // update_wins
    kDeletionAsked,          // a conflict record
    kCreatedTwice,           // create_create: merge
    kRowAsked,               // conflict: detect, or held as a whole
};
std::string_view happening_name(Happening happening);

struct Counted {
    std::uint64_t n = 0;
    std::vector<std::string> examples;  // the first few
};

struct AttributeFindings {
    std::uint64_t changes = 0;
    std::uint64_t met = 0;
    std::map<Fate, Counted> fates;
    // Of values that gave way to another's:
    std::uint64_t additions_lost = 0;  // both had added to the number
    std::uint64_t text_would_keep = 0;  // `merge: text` would hold the words of both
    std::uint64_t not_even_changed = 0;  // conflict: last: the one that replaced it had not changed this attribute
};

struct Rejection {
    std::string code;
    std::string entity;
    std::string about;  // the attributes of a unique, a check, an attribute; may be empty
    friend auto operator<=>(const Rejection&, const Rejection&) = default;
};

struct Findings {
    std::uint64_t transactions = 0;
    std::uint64_t unexplained = 0;  // met another's, and the server's tables do not say what became of it; none, or this file is wrong
    std::map<kit::Judgement, std::uint64_t> verdicts;
    std::map<std::pair<std::uint32_t, std::uint32_t>, AttributeFindings> attributes;  // (entity, attribute)
    std::map<std::uint32_t, std::uint64_t> rows_written;                              // by entity
    std::map<std::pair<std::uint32_t, Happening>, Counted> happenings;
    std::map<Rejection, Counted> rejections;
};

class Meetings final : public kit::Witness {
  public:
    Meetings(const model::Model& model, kit::Holds holds) : model_(model), holds_(std::move(holds)) {}

    void begin_world();
    void committed(Label label, const std::string& user, const std::vector<kit::Write>* writes) override;
    void judged(const kit::Judged& judged, const kit::Txn& txn, sqlite::Database& db) override;
    const Findings& findings() const { return findings_; }

  private:
    struct Told;  // what the server's tables say of one transaction
    struct Seen;
    void look(const kit::Judged& judged, const kit::Txn& txn, const Told& told);
    void operation(const Seen& seen, const kit::Op& op);
    void change(const Seen& seen, const kit::Op& op, const kit::Change& one);
    void replaced(const Seen& seen, const RowId& row, std::uint32_t attribute, const Value& was, const Value& now, const Value& current, AttributeFindings& of);
    void rejected(const Seen& seen);
    Rejection why_rejected(const Seen& seen) const;
    void remember(const Seen& seen, const kit::Op& op);
    void happened(const RowId& row, Happening what, std::string example);
    bool added(Label label, const Cell& cell) const { return additions_.contains({label, cell}); }

    std::string person(Label label) const;
    std::string where(const RowId& row) const;
    std::string shown(const RowId& row, std::uint32_t attribute, const Value& value) const;
    std::string summary(const kit::Txn& txn) const;

    const model::Model& model_;
    kit::Holds holds_;
    Findings findings_;
    // of the present world
    std::map<Label, std::string> users_;
    std::set<std::pair<Label, Cell>> additions_;
    std::map<Cell, Label> writers_;
    std::map<RowId, Label> row_writers_, deleters_;
};

// "ann" of "user0".
std::string person_name(const std::string& user);

}  // namespace skerry::sim
