// What the server's core needs from a database, and nothing about which one it is. SQLite implements it in
// sqlite/; PostgreSQL will too, so reads take many keys at once, and sequencing, which touches every changed
// row, happens set-based inside the backend.
//
// A Backend hands out two kinds of object:
//
//   WriteTxn    one database transaction that may write. Rolled back unless commit() returned success.
//   Snapshot    one unmoving view for reading: grants, membership and rows of a checkpoint are read from one.
//
// Every method gives an Error only when the database failed (io, disk_full, busy, corrupt_store, …) or, for
// writes to rows, refused (constraint, sql, value_invalid, …); absence is an empty optional, never an Error.
// Thread rule: a Backend and all that it handed out belong to one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/model.hpp"
#include "model/value.hpp"
#include "wire/messages.hpp"
#include "wire/transaction.hpp"

namespace skerry::server::storage {

// A device's row number in this database: short, so that eight bytes a transaction stay eight bytes.
using DeviceIx = Number<struct DeviceIxTag, std::int64_t>;

struct DeviceRow {
    DeviceIx ix;  // 0 until stored
    DeviceId id;
    std::string user;
    std::string name;
    TxnNo seen;       // the highest number that has a verdict; all below have one too
    TxnNo keep_from;  // results of lower numbers are forgotten
    Seq acked;        // the cursor of the last token it presented: what it surely holds
    std::uint64_t held = 0;  // hash of the grants of that token
    std::int64_t enrolled_us = 0;
    std::int64_t heard_us = 0;  // when it last presented a cursor or enrolled, to the hour
    bool forgotten = false;     // by an operator: it has to enrol anew, and holds nothing back
};

// A batch: seq says where, mark (random) says which, so that a restored server's batch is not taken for
// the one that had its number before.
struct Mark {
    Seq seq;
    std::uint64_t mark = 0;
    friend bool operator==(const Mark&, const Mark&) = default;
};

struct KeyRef {
    EntityIx entity;
    std::string key;
    friend auto operator<=>(const KeyRef&, const KeyRef&) = default;
};

struct Sequenced {
    Mark mark;               // of the last batch
    std::uint64_t rows = 0;  // that the call gave their place
};

// Stored: do not change a number. Of several on one row the row's own is kConflict, else kMerged or kLost, else kApplied.
enum class ResultCode : std::uint8_t { kApplied = 1, kMerged = 2, kConflict = 3, kLost = 4 };

// What a transaction did to a row (attribute empty) or to one attribute of it, kept while a later transaction
// of the device may build on it.
struct ResultRow {
    TxnNo no;
    KeyRef at;
    std::string attribute;  // empty: the row
    ResultCode code = ResultCode::kApplied;
    // What it left, read back at its end. Of an attribute: 8 bytes. Of the row: 16 bytes (zero when absent), and
    // for an insert 8 more per attribute in model order, so that an insert needs one result row only.
    Bytes left;
    std::string record;  // key of the conflict record; empty: none
};

// Stored: do not change a number.
enum class HistoryWhy : std::uint8_t {
    kOverwritten = 1,  // `value` stood there and lost a merge
    kDeleted = 2,      // `value` is the image of a row that had changed since the base of who deleted it
    kLost = 3,         // `value` arrived and lost a merge
    kImage = 4,        // `value` is the image of a row that went with the row it referred to
};

struct HistoryRow {
    KeyRef at;
    std::string attribute;  // empty: the row, encoded by model::put_counted_row
    HistoryWhy why = HistoryWhy::kOverwritten;
    DeviceIx device;  // whose transaction displaced the value, or brought it
    TxnNo no;
    std::string user;
    Bytes value;  // canonical
    std::int64_t at_us = 0;
};

// Stored: do not change a number.
enum class DraftState : std::uint8_t { kOpen = 1, kRedone = 2, kDiscarded = 3 };

// The content of a rejected transaction, so that a lost phone loses no work.
struct Draft {
    DeviceIx device;
    TxnNo no;
    std::string user;
    Code code = Code::kInternal;
    TxnNo root;          // the first transaction of its group
    std::string message;
    std::string member;  // "entity.attribute" that the message is about; empty: none
    Bytes content;       // the payload as it was pushed
    std::int64_t at_us = 0;
    DraftState state = DraftState::kOpen;
};

// One pushed transaction and its verdict: who changed what, from which value to which, can be told from these.
struct LogRow {
    DeviceIx device;
    std::string user;
    wire::Outcome outcome;
    Bytes content;             // the payload as it was pushed
    std::vector<KeyRef> rows;  // that it names; none if it does not decode
    std::int64_t at_us = 0;
};

// Why a transaction cannot stay as it is.
struct Breach {
    Code code = Code::kInternal;  // reference_missing, still_referenced or not_unique
    std::string message;
    KeyRef parent;                // reference_missing: the row that is not there
};

struct TokenRow {
    Bytes hash;  // of the token; the token itself is stored nowhere
    std::string user;
    std::string label;
    std::int64_t created_us = 0;
    std::optional<std::int64_t> expires_us;
    std::string claims;  // canonical JSON object, name -> text; "" = none
};

// ---- scopes ----

// Which rows share a scope. The scopes room makes them from the model's profiles; the backend knows them by `name`, which says all
// of it, so that a changed model keeps the scopes whose rule stayed.
//
//   whole                     one scope, all rows, no conditions: its rows carry no lines
//   key                       one scope for each value of the attribute; a NULL is in none
//   parent                    one scope for each of the parent rule's; a row is where its parent (over `association`) is
//   none of them              one scope, the rows that meet `where`
struct ScopeRule {
    std::string name;
    EntityIx entity;
    bool whole = false;
    std::optional<std::uint32_t> key{};      // attribute index or model::kKeyAttribute
    std::optional<std::size_t> parent{};     // index into the list of rules, lower than this one's
    std::uint32_t association = 0;           // of `parent`
    std::string where{};                     // SQL on the row, its columns after "r."; empty: none
};

// A rule and the value that its rows share ("" where there is one scope only), as text: numbers in decimal, a bool 0 or 1.
struct ScopeKey {
    std::size_t rule = 0;  // index into the list of rules
    std::string key;
    friend auto operator<=>(const ScopeKey&, const ScopeKey&) = default;
};

// Scope ids: that of a whole scope is its entity's position plus one; others are given out from here on.
inline constexpr std::uint32_t kKeyedScopesFrom = 65'536;

struct Member {
    std::string key;
    wire::ScopeId scope;
};

// Members by key ascending, those of one key next to each other. Must not outlive its Snapshot.
class MemberCursor {
  public:
    virtual ~MemberCursor() = default;
    // Appends at most `limit`; none appended means the end.
    virtual Result<void> next(std::size_t limit, std::vector<Member>& members) = 0;
};

using Scopes = std::span<const wire::ScopeId>;  // ascending

// Which state of the database a snapshot shows, as far as it can be told cheaply: the same twice means that nothing was written between.
struct ViewOf {
    std::uint64_t reader = 0;
    std::uint64_t version = 0;
    friend bool operator==(const ViewOf&, const ViewOf&) = default;
};

// What changed in some scopes.
struct Changed {
    std::uint64_t members = 0;          // at most as many as were asked for
    std::vector<wire::ScopeId> scopes;  // that they are in, ascending; with so many members as were asked for, all of the scopes
};

// What devices that presented this set of grants last may still need: the lowest of their cursors.
struct Holding {
    std::uint64_t grants = 0;
    Seq acked;
};

// A tombstone's place among all, oldest first.
struct TombstoneAt {
    Seq seq;
    wire::ScopeId scope;
    EntityIx entity;
    std::string key;
};
struct Forgotten {
    TombstoneAt upto;  // looked at
    std::size_t looked = 0;
    std::size_t removed = 0;
};

struct ForgottenScopes {
    wire::ScopeId upto;  // looked at
    std::size_t looked = 0;
    std::size_t removed = 0;
};

// What a query of the model's `principal:` may use.
using Parameters = std::vector<std::pair<std::string, std::string>>;  // name without colon, value
inline constexpr std::size_t kPrincipalValuesMax = 20'000;            // rows of one query
inline constexpr Micros kPrincipalQueryTime = std::chrono::seconds(2);

enum class Live { kNo, kYes };

// Rows in the order of the keys asked for; empty where there is none.
using FoundRows = std::vector<std::optional<model::Row>>;

class Reads {
  public:
    virtual ~Reads() = default;
    virtual Result<std::optional<DeviceRow>> device(const DeviceId& id) = 0;
    virtual Result<std::optional<TokenRow>> token(BytesView hash) = 0;
    virtual Result<FoundRows> rows(EntityIx entity, std::span<const std::string> keys) = 0;
    virtual Result<std::optional<wire::Outcome>> outcome(DeviceIx device, TxnNo no) = 0;
    // The last batch; seq 0 and mark 0 before the first.
    virtual Result<Mark> last() = 0;
    // Nothing waits for the sequencer: no changed row, no outcome without a seq.
    virtual Result<bool> queue_empty() = 0;
};

class Snapshot : public Reads {
  public:
    virtual Result<ViewOf> of() = 0;
    virtual Result<bool> knows(const Mark& mark) = 0;
    // The mark of a batch; empty when there is no such batch.
    virtual Result<std::optional<std::uint64_t>> mark_of(Seq seq) = 0;
    // Outcomes with after < seq <= upto, by number.
    virtual Result<std::vector<wire::Outcome>> outcomes_between(DeviceIx device, Seq after, Seq upto) = 0;
    virtual Result<std::vector<wire::Outcome>> outcomes_from(DeviceIx device, TxnNo from) = 0;
    // The rows in results of these transactions, each once, by entity and key.
    virtual Result<std::vector<KeyRef>> result_keys_from(DeviceIx device, TxnNo from) = 0;
    // Ids of scopes, in the order asked for; empty where there is none yet (WriteTxn::make_scopes).
    virtual Result<std::vector<std::optional<wire::ScopeId>>> scopes(std::span<const ScopeKey> keys) = 0;
    // The scope ids of a set of grants that a cursor may name by its hash; empty when it is not known (any more).
    virtual Result<std::optional<std::vector<wire::ScopeId>>> grant_set(std::uint64_t hash) = 0;
    // The entity of each scope, in the order asked for; empty where its rule went, and with it what was in it.
    virtual Result<std::vector<std::optional<EntityIx>>> entities_of(Scopes scopes) = 0;
    // First column of a query of the model, as text, without NULLs. It may read the app's tables only; principal_failed
    // (naming the query by `name`) when it fails, writes, takes longer than kPrincipalQueryTime or gives too many rows.
    virtual Result<std::vector<std::string>> principal_values(const std::string& name, const std::string& query,
                                                              const Parameters& parameters) = 0;
    // Members of the scopes (all of one entity) with after < seq <= upto that are live, or tombstones.
    virtual Result<std::unique_ptr<MemberCursor>> changed(EntityIx entity, Scopes scopes, Seq after, Seq upto, Live live) = 0;
    virtual Result<Changed> changed_in(Scopes scopes, Seq after, Seq upto, std::uint64_t limit) = 0;
    // Live members of the scopes with key > after (and, if said, <= upto), of the first `limit` keys.
    virtual Result<std::vector<Member>> members_after(EntityIx entity, Scopes scopes, const std::string& after,
                                                      const std::optional<std::string>& upto, std::size_t limit) = 0;
    virtual Result<std::uint64_t> member_count(EntityIx entity, Scopes scopes) = 0;
    // Which of the scopes the keys are live in, by key.
    virtual Result<std::vector<Member>> memberships(EntityIx entity, Scopes scopes, std::span<const std::string> keys) = 0;
    // Live members of `in` that are, or since `after` were, in `lost` too, by key: rows that a device keeps although it loses `lost`.
    virtual Result<std::vector<Member>> kept_by(EntityIx entity, Scopes in, wire::ScopeId lost, Seq after) = 0;
    // The highest seq of a tombstone that was forgotten in any of the scopes: a cursor below it does not know what is gone.
    virtual Result<Seq> floor(Scopes scopes) = 0;
    // All devices, by name and id.
    virtual Result<std::vector<DeviceRow>> devices() = 0;
    // Of devices that were heard since and are not forgotten, each set once.
    virtual Result<std::vector<Holding>> holdings(Micros heard_since) = 0;
    // Sets of grants that were written down since.
    virtual Result<std::vector<std::uint64_t>> grant_sets_since(Micros made) = 0;
    // The last batch that is older; 0 when none is.
    virtual Result<Seq> last_before(Micros than) = 0;
};

using Assignment = std::pair<std::uint32_t, const Value*>;  // attribute index, new value

class WriteTxn : public Reads {
  public:
    // device() of a WriteTxn locks the row to the transaction's end.
    // Inserts when ix is 0 (and sets it), else replaces.
    virtual Result<void> put_device(DeviceRow& device) = 0;
    virtual Result<void> put_token(const TokenRow& token) = 0;

    // The first 8 bytes of the id of a transaction that was given a verdict once. For ever.
    virtual Result<std::optional<std::uint64_t>> seen(DeviceIx device, TxnNo no) = 0;
    virtual Result<void> put_seen(DeviceIx device, TxnNo no, std::uint64_t id8) = 0;
    // Without a seq: the next sequence() gives it one.
    virtual Result<void> put_outcome(DeviceIx device, const wire::Outcome& outcome) = 0;
    virtual Result<void> put_result(DeviceIx device, const ResultRow& result) = 0;
    virtual Result<std::optional<ResultRow>> result(DeviceIx device, TxnNo no, const KeyRef& at,
                                                    std::string_view attribute) = 0;
    // Forgets outcomes and results of numbers below.
    virtual Result<void> purge_below(DeviceIx device, TxnNo keep_from) = 0;

    // The key of the author's open conflict record on the row (attribute empty) or attribute. Its row is an
    // ordinary one, of the built-in entity.
    virtual Result<std::optional<std::string>> open_record(std::string_view entity, std::string_view key,
                                                           std::string_view attribute, std::string_view author) = 0;
    // What the row was when it was last deleted; empty when that was never, or is too long ago.
    virtual Result<std::optional<model::Row>> gone(const KeyRef& at) = 0;
    virtual Result<void> put_history(const HistoryRow& row) = 0;
    virtual Result<void> put_draft(const Draft& draft) = 0;
    // Drafts of the device that are open; others stay as they are.
    virtual Result<void> close_drafts(DeviceIx device, std::span<const TxnNo> numbers, DraftState state) = 0;
    virtual Result<void> put_log(const LogRow& row) = 0;
    // Forgets at most about `limit` lines of each kind that are older: history, log, images of deleted rows, closed
    // conflict records and drafts. True: there is more.
    virtual Result<bool> purge_older(Micros than, std::size_t limit) = 0;
    // Looks at the next `limit` tombstones behind `after` with seq <= upto, and removes those with seq <= needless(scope); the
    // floors of their scopes rise to the highest seq removed.
    virtual Result<Forgotten> forget_tombstones(const std::function<Seq(wire::ScopeId)>& needless, const TombstoneAt& after, Seq upto,
                                                std::size_t limit) = 0;
    // Looks at the next `limit` keyed scopes behind `after`, and removes those without any member, live or tombstone, that are not wanted.
    virtual Result<ForgottenScopes> forget_scopes(const std::function<bool(wire::ScopeId)>& wanted, wire::ScopeId after, std::size_t limit) = 0;
    // Marks of batches below `old` that no device's cursor names. True: there are more.
    virtual Result<bool> forget_marks(Seq old, std::size_t limit) = 0;
    // Sets of grants that no device presented last, made before. True: there are more.
    virtual Result<bool> forget_grant_sets(Micros made_before, std::size_t limit) = 0;

    // ---- constraints between rows ----

    // From now on to the commit, references, uniques and on_delete are for the caller to judge: the triggers that do
    // it for everybody else's writes stand aside. Gives where the transaction to be judged begins.
    virtual Result<std::int64_t> judging() = 0;
    // Rows that go with deleted rows they refer to, and associations that become NULL with them, for everything
    // written since `begin`; gives the rows that went.
    virtual Result<std::vector<KeyRef>> follow_deletes(std::int64_t begin) = 0;
    virtual Result<std::optional<Breach>> breach(std::int64_t begin) = 0;
    // Whether the row is there and the expression true of it. expression_invalid.
    virtual Result<bool> holds(const KeyRef& at, std::string_view expression) = 0;

    // Rows of the app. The database's own triggers capture them for the sequencer.
    virtual Result<void> insert(EntityIx entity, std::string_view key, const model::Row& row) = 0;
    virtual Result<void> update(EntityIx entity, std::string_view key, std::span<const Assignment> values) = 0;
    virtual Result<void> remove(EntityIx entity, std::string_view key) = 0;

    // Everything since savepoint() can be taken back; one level.
    virtual Result<void> savepoint() = 0;
    virtual Result<void> release() = 0;
    virtual Result<void> rollback_to() = 0;

    // Makes all that is queued, by whomever, canonical and one batch: seq = last + 1, `mark`. By the rules, which were
    // adopted, members of scopes move to the batch, live or as tombstones, parents before children; rows whose parent entered or
    // left a scope of the parent rule follow it. Outcomes get its seq. Rows that no device would accept are listed in the
    // quarantine. Gives the last batch, a new one only if anything waited.
    virtual Result<Sequenced> sequence(std::uint64_t mark, std::span<const ScopeRule> rules, Micros now) = 0;
    // From now on these are the rules. Scopes of rules that went are forgotten, in a batch of their own (with `mark`). Those of new
    // ones are filled; a row keeps when it last changed, so that devices get them by slices and no delta is full of what is old.
    virtual Result<void> adopt_rules(std::span<const ScopeRule> rules, std::uint64_t mark, Micros now) = 0;
    // Gives an id to every scope that has none.
    virtual Result<void> make_scopes(std::span<const ScopeKey> keys) = 0;
    virtual Result<void> put_grant_set(std::uint64_t hash, Scopes scopes, Micros now) = 0;

    virtual Result<void> commit() = 0;
};

// What an operator watches.
struct Figures {
    std::uint64_t queue = 0;  // written, without a place yet
    std::uint64_t devices = 0;
    std::uint64_t conflicts_open = 0;
    std::uint64_t drafts_open = 0;
    std::uint64_t quarantined = 0;
    std::uint64_t file_bytes = 0;
    std::uint64_t log_bytes = 0;  // of the write-ahead log
};

enum class Patience {
    kNone,   // busy at once when another process writes
    kSome,   // wait a few seconds for it
};

class Backend {
  public:
    virtual ~Backend() = default;
    virtual const model::Model& model() const = 0;
    virtual std::uint64_t model_hash() const = 0;
    virtual Epoch epoch() const = 0;
    // The 32 bytes that seal cursors.
    virtual BytesView secret() const = 0;
    virtual Result<std::unique_ptr<WriteTxn>> begin_write(Patience patience = Patience::kSome) = 0;
    virtual Result<std::unique_ptr<Snapshot>> snapshot() = 0;
    // True when somebody else has committed since the last call (or at the first).
    virtual Result<bool> foreign_commit() = 0;
    virtual Result<Figures> figures() = 0;
    // Writes a line of no meaning and commits it: whether anything can be written. busy when another process writes.
    virtual Result<void> probe(Micros now) = 0;
    // Moves what the write-ahead log holds into the database, as far as readers allow.
    virtual Result<void> tidy() = 0;
};

}  // namespace skerry::server::storage
