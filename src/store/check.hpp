// Comparing this device with the server by digests, range by range: what differs is narrowed down to single rows, read
// anew by slices (Pull::repair), and looked at once more. Rows are read again, local operations are not touched.
//
//   begin ──> kAsk: a request ── kDiffers* ──> narrowed ──> kAsk …        queue empty, or repairs enough for a pull
//               ^                                  |                          |
//               └── the cursor moved: again        └── single rows ──> repairs ──> kRepair: a pull ──> kAsk (they alone) ──> kDone
//
// What was found and not mended yet lives in memory: after a restart a check begins anew. Thread rule: that of its Store.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "store/store.hpp"
#include "wire/check.hpp"

namespace skerry::store {

inline constexpr Micros kCheckEvery = std::chrono::hours(24 * 7);
// One digest: small enough to be listed after one narrowing.
inline constexpr std::uint64_t kCheckRowsPerRange = 2'048;
// One request: what is read before the app is served again, some 50 ms on a phone.
inline constexpr std::uint64_t kCheckRowsPerRequest = 10'000;
// The server divides a range at least in two; a range that it divides more often is read anew as it is.
inline constexpr int kCheckDepthMax = 30;
inline constexpr std::size_t kCheckMovedMax = 50;      // in a row
inline constexpr std::size_t kCheckExamplesMax = 100;  // rows named in a report

struct CheckReport {
    std::uint64_t rows = 0;       // compared
    std::uint64_t different = 0;  // rows that differed, or that only one side had
    std::uint64_t left = 0;       // of these, those that differ still
    std::vector<std::pair<EntityIx, std::string>> examples;
};

enum class CheckNext { kAsk, kRepair, kDone };

class Checker {
  public:
    explicit Checker(Store& store) : store_(store) {}

    // Whether kCheckEvery is over since the last check, or since the first was due.
    static Result<bool> due(Store& store);

    Result<void> begin();
    bool running() const { return running_; }
    // What to do now. kAsk fills `request`; kDone ends the check and notes it. busy: other programs write all the time.
    Result<CheckNext> next(wire::Check& request);
    // The answer to it. damaged_frame: it does not belong to what was asked.
    Result<void> differs(const wire::Differs& answer);
    Result<void> answered();
    // The server is not where our cursor is, or there was no answer: what was asked is asked again. server_busy when that
    // happens again and again.
    Result<void> moved();
    void ask_again();
    // Of kRepair, at most kRepairRangesMax; mended when a pull with them has caught up.
    const std::vector<wire::KeyRange>& repairs() const { return repairing_; }
    void repaired();

    const CheckReport& report() const { return report_; }

  private:
    struct Piece {
        wire::KeyRange range;
        int depth = 0;
    };
    Result<void> fill(wire::Check& request);
    Result<void> digest_next(wire::Check& request, std::uint64_t& rows);
    Result<void> narrow(const Piece& piece, const std::vector<wire::DigestPart>& parts);
    Result<void> list(const Piece& piece, const std::vector<wire::HeldRow>& theirs);
    Result<CheckNext> done();
    Result<bool> nothing_open();
    Result<Bytes> token();

    Store& store_;
    bool running_ = false;
    bool again_ = false;           // this is the look at what was repaired
    std::deque<Piece> queue_;      // by entity and key, like all lists here
    std::vector<Piece> asked_;
    std::uint64_t asked_rows_ = 0;  // looked at for the first time
    Bytes asked_token_;
    std::vector<Piece> narrowed_;  // of the answer being read
    std::vector<wire::KeyRange> found_;                          // of the answer being read
    std::vector<std::pair<EntityIx, std::string>> found_rows_;  // the same
    std::deque<wire::KeyRange> repairs_;
    std::vector<wire::KeyRange> repairing_;
    std::vector<Piece> recheck_;
    std::size_t moved_ = 0;
    CheckReport report_;
};

}  // namespace skerry::store
