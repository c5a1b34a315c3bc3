// Comparing what a device holds with what the server has, without sending rows.
//
//   POST /v1/check   kCheck kEnd  ->  (kDiffers* kEnd) | kMoved kEnd | kError       heartbeats between
//
// The device sends a digest of each of some ranges of keys; the server answers for those where its own differs, with
// what narrows the difference: every row's hash where it has few rows there, else digests of parts. Both sides digest
// the base rows of the scopes that the device holds whole, as of the device's cursor; where that is not the server's last batch, or the
// grants are others by now, the answer is kMoved: pull, then ask again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "wire/messages.hpp"

namespace skerry::wire {

inline constexpr std::size_t kCheckRangesMax = 1000;  // in a request; together they are read at most once
inline constexpr std::size_t kCheckRowsMax = 256;     // listed one by one in an answer to one range
inline constexpr std::size_t kCheckPartsMax = 64;     // of one range; even

// Count and sum of row hashes: whatever the order, and rows can be left out of it. XXH3 finds accidents, not forgeries;
// nobody gains by a digest that matches wrongly but the device whose rows they are.
struct RangeDigest {
    std::uint64_t count = 0;
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    void add(const Hash128& row);
    void add(const RangeDigest& other);
    friend bool operator==(const RangeDigest&, const RangeDigest&) = default;
};

// A row with its key and the scopes (ascending) that bring it; no scopes where the entity is held whole.
Hash128 held_hash(const model::Entity& entity, std::string_view key, const model::Row& row, const std::vector<ScopeId>& lines);

struct CheckRange {
    KeyRange range;
    RangeDigest digest;
    friend bool operator==(const CheckRange&, const CheckRange&) = default;
};

struct Check {
    DeviceId device;
    std::uint64_t model_hash = 0;
    Bytes token;
    std::vector<Chosen> chosen{};
    std::vector<CheckRange> ranges{};  // by entity and key, none overlapping another
};

// Keys after the part before it, or the range's begin, up to `upto`; the last one reaches the range's end.
struct DigestPart {
    std::optional<std::string> upto;
    RangeDigest digest;
    friend bool operator==(const DigestPart&, const DigestPart&) = default;
};

struct HeldRow {
    std::string key;
    Hash128 hash{};
    friend bool operator==(const HeldRow&, const HeldRow&) = default;
};

struct Differs {
    std::uint32_t index = 0;        // of Check::ranges
    std::vector<HeldRow> rows{};    // all that the server has in the range, by key, …
    std::vector<DigestPart> parts{};  // … or, where that is more than kCheckRowsMax, digests of parts
};

// Makes the answer for one range out of its rows, taken by key, in a bounded memory: parts of few rows at first, two made
// one whenever they become too many.
class RangeSummary {
  public:
    void add(std::string key, const Hash128& hash);
    const RangeDigest& digest() const { return total_; }
    Differs differs(std::uint32_t index);

  private:
    RangeDigest total_;
    std::vector<HeldRow> rows_;      // all, as long as they are few
    std::vector<DigestPart> parts_;  // of rows_per_part_ rows each; the last may have fewer
    std::uint64_t rows_per_part_ = 16;
};

void put(Bytes& out, const Check& m);
void put(Bytes& out, const Differs& m);
Result<Check> get_check(BytesView payload);
Result<Differs> get_differs(BytesView payload);

}  // namespace skerry::wire
