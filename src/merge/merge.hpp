// The policies: what becomes of an attribute that its author changed, and perhaps others too. One file each, with its
// CONFLICT, RESOLUTION and WHY. Pure functions; what a row, a transaction or a record is they do not know.
//
//   old      in the author's store just before his transaction, or what his form showed
//   mine     what he wrote
//   current  on the server now
//   prior    what became of the attribute in his own earlier, unsettled transaction that wrote it, if there was one;
//            `left` is what that one left there. Where there is a prior, current is compared with `left` and not
//            with old: the server may have normalised what it stored, and the author would be in conflict with himself.
//
// Value policies write nothing where current equals mine already. Counters and sets always apply their difference.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "model/model.hpp"
#include "model/value.hpp"

namespace skerry::merge {

// kApplied: written as it was meant. kMerged: written, mixed with or over somebody else's. kLost: the other value
// stayed. kDecided: it was put to a person, who has decided since.
enum class Prior : std::uint8_t { kNone, kApplied, kMerged, kLost, kDecided };

struct Input {
    const Value& old_value;
    const Value& mine;
    const Value& current;
    // value_hash() of the old value, where the value itself did not travel (large blobs); old_value is NULL then.
    std::optional<std::uint64_t> old_hash;
    Prior prior = Prior::kNone;
    // value_hash(). Empty: there is no prior, or it is not known what that one left: a row that was put to a person as a whole
    // has no value of its own for each attribute, and none at all where it was deleted.
    std::optional<std::uint64_t> left;
};

enum class Decision : std::uint8_t {
    kNothing = 1,  // current is as it is meant
    kWrite = 2,    // store `value`
    kLose = 3,     // current stays; mine goes to history
    kAsk = 4,      // current stays; a person decides
};

struct Output {
    Decision decision = Decision::kNothing;
    Value value;                      // kWrite
    bool current_to_history = false;  // kWrite: it was somebody else's, and `value` does not contain it
    bool merged = false;              // somebody else's change was met: the verdict is "merged", not "applied"
    friend bool operator==(const Output&, const Output&) = default;
};

// By the attribute's policy. value_invalid: a sum does not fit the type.
Result<Output> merge(const model::Attribute& attribute, const Input& in);

// The policies themselves; merge() chooses.
Output last(const Input& in);
Output first(const Input& in);
Output max(const Input& in);
Output min(const Input& in);
Result<Output> counter(const model::Attribute& attribute, const Input& in);
Output set(const Input& in);
Output text(const Input& in);
Output ask(const Input& in);

// What the author's device shows: his change on top of another base. A difference for counters, three-way for sets
// and text (his own words where both changed the same), his value for everything else. Never fails: a sum that does
// not fit stays at the type's end until the server has refused the transaction.
Value rebase(const model::Attribute& attribute, const Value& old_value, const Value& mine, const Value& base);

// Nobody else has changed the attribute since what the author built on.
bool as_built_on(const Input& in);

// Three-way merge by words; empty where both changed the same words.
std::optional<std::string> merge_words(std::string_view old_text, std::string_view mine, std::string_view current);

// Additions and removals of both: current + (mine - old) - (old - mine). Canonical sets; NULL is the empty set.
Value merge_sets(const Value& old_value, const Value& mine, const Value& current);

}  // namespace skerry::merge
