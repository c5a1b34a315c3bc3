// What the oracle is told: rows as an app itself read them, and what an app said beside them.
#pragma once

#include <functional>
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
using Cell = std::pair<RowId, std::uint32_t>;  // an attribute of a row

struct Touched {
    RowId row;
    Image before;
    Image after;
};
// The rows that differ, each with both images.
std::vector<Touched> difference(const Images& before, const Images& after);
// json and sets in their canonical form; what cannot be made canonical stays as it is.
Images canonical(Images images, const model::Model& model);
// Without conflict records: those are compared by content, because their ids and times are not predicted.
Images without_records(Images images, const model::Model& model);

// A condition of the form `attribute operator literal`, with = <> < <= > >= and an integer or 'text'.
struct Assertion {
    RowId row;
    std::string expression;
};
// True, false, or nothing where NULL makes it undecided.
std::optional<bool> holds(const model::Entity& entity, const model::Row& row, const std::string& expression);
// The same of any condition, of a row under this key.
using Holds = std::function<std::optional<bool>(const model::Entity&, const std::string& key, const model::Row&, const std::string& expression)>;
inline Holds simple_conditions() {
    return [](const model::Entity& entity, const std::string&, const model::Row& row, const std::string& expression) { return holds(entity, row, expression); };
}

// What an app said in a transaction beside its writes.
struct Said {
    bool strict = false;
    std::vector<Assertion> asserts;
    std::set<Label> redo_of;     // drafts that this replaces or, without writes, discards
    std::map<Cell, Value> shown;  // what a form showed, where it is not what the store held
    std::map<Cell, Value> edited;  // what its user made of it, where numbering may have joined it with what the store held
    bool empty() const { return !strict && asserts.empty() && redo_of.empty() && shown.empty(); }
};

enum class Judgement { kApplied, kMerged, kConflict, kRejected };
std::string_view judgement_name(Judgement judgement);

struct Prediction {
    Judgement judgement = Judgement::kApplied;
    // Of a rejection or conflict. More than one where several reasons are there and the documents give no order.
    std::set<Code> codes;
    std::set<Label> roots;  // of a rejection: the first of its draft group
    // The documents leave open whether it is "applied" or "merged": a delete whose predecessor stayed with an earlier
    // identity is compared with the row that the device holds when it moves, and the oracle cannot know that one.
    bool merged_or_applied = false;
    std::string why;  // for a person who looks at a failed world
};

// What the server did say. Where the documents leave two results open, the oracle goes on with the one that was given.
struct Observed {
    Judgement judgement = Judgement::kApplied;
    Code code = Code::kInternal;
};

// The verdict that was given is the predicted one.
bool agrees(const Prediction& predicted, const Observed& observed);

// A conflict record as it is in the table of records.
struct SeenRecord {
    std::string id, entity, row, attribute, author, batch, operation, why, state, choice;
    std::optional<std::string> base, mine, theirs;  // JSON objects
};

}  // namespace skerry::kit
