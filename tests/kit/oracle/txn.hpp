// A transaction as the oracle sees it: what it says, and what became of each part of it.
#pragma once

#include "kit/oracle/facts.hpp"

namespace skerry::kit {

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
    Image base;                   // what the author had before
    Label prev_row = 0;           // the author's own unsettled one that last touched the row
    bool lost_prev_row = false;   // by a move to a new identity
};

enum class Part { kApplied, kMerged, kLost, kConflict };

struct PartResult {
    Part code = Part::kApplied;
    Value left;
    std::uint64_t record = 0;  // serial of the record that it waits in
};

struct Txn {
    std::string user;
    Said said;
    std::vector<Op> ops;
    std::set<Label> needs;
    bool malformed = false;  // holds a value that has no canonical form
    std::optional<Prediction> verdict;
    std::map<Cell, PartResult> cells;
    struct RowResult {
        Part code = Part::kApplied;
        Image left;
        std::uint64_t record = 0;
    };
    std::map<RowId, RowResult> rows;
};

struct Record {
    std::uint64_t serial = 0;
    std::string id;  // learned from the table
    RowId row;
    std::string attribute;  // empty: the whole row
    std::string author;
    Label opened_by = 0;
    Label batch = 0;
    Kind operation = Kind::kUpdate;
    std::set<Code> why;
    std::map<std::string, std::string> base, mine;  // as JSON, by attribute: what must be there
    bool mine_gone = false;
    bool joined = false;
    bool open = true;
    std::string choice;
};

// Everything that a server holds.
struct State {
    Images rows;
    Images gone;  // last images of deleted rows
    std::vector<Record> records;
    // What was met, for the coverage of worlds: "first lost", "row came back", …
    std::map<std::string, std::uint64_t> met;

    Record* record(std::uint64_t serial);
    Record* open_record(const RowId& row, const std::string& attribute, const std::string& author);
};

}  // namespace skerry::kit
