// Policy `last`: the later arrival wins.
//
// CONFLICT    An attribute was changed on the server after what the author built on.
// RESOLUTION  The author's value is written; the one it displaces goes to history, and the transaction is
//             told "merged" instead of "applied".
// WHY         It is what people expect of a field that two of them filled in, it needs no clock, and nothing is
//             lost: history keeps the other value.
//
// What the author built on is what his own unsettled transaction left there, if he had one (`left`), else the
// value that his store held (`old`). Not `old` in a chain: the server may have normalised what it stored, and
// the author would be in conflict with himself.
#pragma once

#include <cstdint>
#include <optional>

#include <skerry/value.hpp>

namespace skerry::merge {

struct LastInput {
    const Value& old_value;  // in the author's store, just before his transaction
    const Value& mine;       // what he wrote
    const Value& current;    // on the server now
    // Of value_hash(): what his earlier transaction left; empty when he had none there, or it is forgotten.
    std::optional<std::uint64_t> left;
};

struct LastOutput {
    bool write = false;        // store `mine`
    bool to_history = false;   // keep `current`: it was somebody else's and is displaced
    friend bool operator==(const LastOutput&, const LastOutput&) = default;
};

LastOutput last(const LastInput& in);

// Names a value: equal canonical values have equal hashes.
std::uint64_t value_hash(const Value& value);

}  // namespace skerry::merge
