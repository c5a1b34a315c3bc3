// Rows that went from this device, and why: what a person is told who looks for one of them. Written where checkpoints are applied.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "store/checkpoint.hpp"

namespace skerry::store {

// A lost right may take a million rows; a person asks for one that he had in hand lately.
inline constexpr std::int64_t kLeftKept = 10'000;

struct LeftRow {
    wire::Left why = wire::Left::kDeleted;
    std::int64_t at_us = 0;
};

std::string_view left_name(wire::Left why);  // "deleted", "moved", "lost", "outside"

class LeftRows {
  public:
    explicit LeftRows(Store& store) : store_(store) {}

    Result<std::optional<LeftRow>> find(EntityIx ix, std::string_view key);
    // For the transaction that notes and forgets.
    Result<void> begin();
    Result<void> note(EntityIx ix, std::string_view key, wire::Left why);
    // All rows of the entity that are marked as leaving (lines.hpp).
    Result<void> note_marked(EntityIx ix);
    // The row is here again.
    Result<void> forget(EntityIx ix, std::string_view key);
    Result<void> trim();

    const LeftCounts& counts() const { return counts_; }

  private:
    Store& store_;
    LeftCounts counts_;
    std::int64_t now_us_ = 0;
    bool some_ = false;  // rows are remembered, or may be by now
};

}  // namespace skerry::store
