// A plan: what happens in a world, as data. It is generated from a seed, executed by the runner, printed and
// parsed as text, so that a failure is replayed from a file and can be made smaller step by step.
//
// Text form: first a line of settings, then one step a line:
//
//   world seed=7 devices=3 users=2 ...
//   1200 txn d1 commit ; insert note k1 text=s:x n=i:5 ; delete item ...
//   1900 crash d2 loss=power-torn call=4 back=2500
//
// Numbers at the left are milliseconds of world time. Values: n (NULL), i:<integer>, r:<real, hexadecimal>,
// s:<text, percent-encoded>, b:<bytes, hexadecimal>.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <skerry/value.hpp>

#include "base/result.hpp"
#include "model/model.hpp"

namespace skerry::kit {

// One thing that an app says to its database inside a transaction.
enum class WriteKind {
    kInsert,        // plain: fails where the key exists, and the transaction goes on
    kInsertIgnore,  // INSERT OR IGNORE
    kReplace,       // REPLACE INTO, all attributes given or NULL
    kUpsert,        // ON CONFLICT DO UPDATE
    kUpdate,        // some attributes of one row
    kUpdateMany,    // some attributes of every row with a key <= this
    kDelete,
    kReinsert,      // DELETE and INSERT of one key
    kGroup,         // `count` rows of grp named after `key` and one of total: seen all or none
    kDeleteGroup,   // the whole of a group, its total included
    kSavepoint,
    kRollbackTo,    // of the last savepoint
    kRelease,
    // An UPDATE of one row that goes on from what is there, as apps write it; values: attribute and
    kAddTo,    // what is added to a number
    kReword,   // a word of the vocabulary (plan/vocabulary.hpp) that takes the place of another of its kind
    kPutIn,    // a text that a set gets
    kTakeOut,  // a text that a set loses
    // Only in a transaction of the library:
    kEditShown,  // some attributes of one row, as a form does that was opened by the last `show`
    kAssert,     // values: if=<condition>
};

struct Write {
    WriteKind kind = WriteKind::kInsert;
    std::string entity;
    std::string key;
    std::vector<std::pair<std::string, Value>> values;
    std::int64_t count = 0;
    friend bool operator==(const Write&, const Write&) = default;
};

enum class StepKind {
    kTxn,          // the app's transaction through the library; args end=commit|rollback, strict=1
    kForeign,      // another SQLite program: each "commit" of `commits` is one of its transactions; recursive=0|1
    kLook,         // the library looks at the file (app_wrote)
    kSync,
    kLive,         // on=0|1
    kNet,          // conditions of a device's link from now on: fates by name in permille, latency, chunk, gap
    kPartition,    // way=none|requests|responses|both
    kCrash,        // loss, call (0 = now), back (ms until it restarts)
    kServerCrash,
    kDiskFull,     // room bytes more fit on the device's disk; for=ms
    kDiskFails,    // of its calls of what=write or what=sync, skip succeed and count fail; for=ms
    kServerDiskFails,
    kServerDiskFull,
    kServerSql,    // a foreign writer on the server's database
    kClock,        // the device's wall clock jumps by ms
    kClone,        // a new device from a copy of this one's file
    kBackup,       // remember a copy of the file
    kRestore,      // back to the copy
    kJoin,         // a new, empty device of the same user
    kBadToken,     // the device shows a token that the server does not know; for=ms
    kShow,         // the app reads all rows, as its forms show them
    kResolve,      // a person decides an open conflict record: nth, choice=mine|theirs|mix
    kDraft,        // a person looks at an open draft: nth, do=retry|edit|discard
    kSleep,        // the device is switched off
    kWake,
    kLeap,         // days in which nobody does anything
    kServerBackup,   // remember a copy of the server's file
    kServerRestore,  // a server made from the copy takes its place
};

struct Step {
    std::int64_t at_ms = 0;
    StepKind kind = StepKind::kTxn;
    std::uint32_t device = 0;
    std::map<std::string, std::string> args;
    std::vector<std::vector<Write>> commits;
    std::int64_t number(std::string_view name, std::int64_t otherwise = 0) const;
    std::string text(std::string_view name) const;
    friend bool operator==(const Step&, const Step&) = default;
};

struct Plan {
    std::uint64_t seed = 0;
    std::map<std::string, std::int64_t> settings;  // devices, users, …
    std::vector<Step> steps;                       // by time
    std::int64_t setting(std::string_view name, std::int64_t otherwise = 0) const;
    friend bool operator==(const Plan&, const Plan&) = default;
};

// The model of every random world: note (text keys), item (uuid keys), grp and total (groups, written together),
// tick (only the server writes), and entities for every type, policy and kind of reference (world_model.cpp).
const model::Model& world_model();
// The same with profiles: who takes what follows from claims and from `member`, which only the server writes, and `leaf`
// follows its visit, which follows its site. The profiles in words are in world_model.cpp, as SQL in world/views.cpp.
const model::Model& scoped_model();
inline const model::Model& model_of(const Plan& plan) { return plan.setting("scoped") != 0 ? scoped_model() : world_model(); }

// Claims of the plan's users: settings role<n> and profile<n>.
std::string plan_user(std::int64_t n);
using Claims = std::map<std::string, std::string>;
Claims claims_of(const Plan& plan, std::int64_t user);
inline constexpr std::string_view kPlanProfiles[] = {"part", "wide", "whole"};

Plan generate_plan(std::uint64_t seed);

std::string print(const Step& step);
std::string print(const Plan& plan);
Result<Plan> parse_plan(std::string_view text);

}  // namespace skerry::kit
