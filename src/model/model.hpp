// What an app is: entities, their attributes, types and policies, in the compiled form that devices receive.
//
// A Model is immutable once built. Its compiled bytes are canonical: equal models have equal bytes, so the
// hash names the model. An entity's position is its EntityIx, an attribute's its index; both are stored and sent, so
// they never move: a changed model keeps the positions of what was there and appends what is new (evolve.hpp). The
// first version of a model has its entities in reference order (a parent before its children, where references have
// no cycle). No YAML is parsed on a device: the reader is in yaml/, native only.
#pragma once

#include <cstdint>
#include <optional>
#include <skerry/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"

namespace skerry::model {

// Every enum below is part of the compiled form: do not change a number.

enum class Type : std::uint8_t {
    kUuid = 1,
    kText = 2,
    kInt = 3,
    kReal = 4,
    kDecimal = 5,    // scaled integer: 12.34 at scale 2 is 1234
    kBool = 6,       // 0 or 1
    kDate = 7,       // 2026-11-21
    kTimestamp = 8,  // 2026-11-21T10:30:00.000000Z
    kJson = 9,       // RFC 8785
    kBlob = 10,
    kSet = 11,  // of text: a JSON array, sorted by bytes, without duplicates
    kEnum = 12,
};

// What happens to an attribute that others changed too (docs/model.md).
enum class Merge : std::uint8_t {
    kLast = 1,
    kFirst = 2,
    kMax = 3,
    kMin = 4,
    kCounter = 5,
    kSet = 6,
    kText = 7,
    kAsk = 8,
};

// What the deletion of a row does to rows that refer to it.
enum class OnDelete : std::uint8_t { kRestrict = 1, kCascade = 2, kSetNull = 3 };

// kMerge: per attribute. kLast: the whole row wins, its changes carry all attributes. kDetect: any change of the row
// since the author's version is put to a person; transactions that touch such a row are strict.
enum class Conflict : std::uint8_t { kMerge = 1, kLast = 2, kDetect = 3 };

// An update meets a deleted row, or a delete a row that was changed.
enum class UpdateDelete : std::uint8_t { kDeleteWins = 1, kAsk = 2, kUpdateWins = 3 };

// A creation meets a row of the same key.
enum class CreateCreate : std::uint8_t { kReject = 1, kMerge = 2 };

struct Attribute {
    std::string name{};
    Type type = Type::kText;
    Merge merge = Merge::kLast;  // of no meaning for a key
    bool required = false;       // keys always are
    std::optional<Value> default_value{};  // canonical
    std::vector<std::string> values{};     // kEnum: what is allowed, in the model's order
    std::uint8_t precision = 0;          // kDecimal: digits in all, at most 18
    std::uint8_t scale = 0;              // kDecimal: digits behind the point
    std::optional<EntityIx> references{};  // an association: the type is that of the other entity's key
    OnDelete on_delete = OnDelete::kRestrict;
    friend bool operator==(const Attribute&, const Attribute&) = default;
};

// A row condition in the expression language of src/rules; a row for which it is definitely false is refused.
struct Check {
    std::string expression;
    std::string attribute;  // whose check it is, for messages; empty: the entity's
    friend bool operator==(const Check&, const Check&) = default;
};

using AttributeList = std::vector<std::uint32_t>;  // indexes into Entity::attributes

struct Entity {
    std::string name;
    Attribute key{};  // uuid or text
    std::vector<Attribute> attributes{};  // without the key
    std::vector<Check> checks{};
    std::vector<AttributeList> unique{};  // a NULL in one makes the row unlike any other
    std::vector<AttributeList> indexes{};
    Conflict conflict = Conflict::kMerge;
    UpdateDelete update_delete = UpdateDelete::kDeleteWins;
    CreateCreate create_create = CreateCreate::kReject;
    bool strict = false;  // a transaction that touches it succeeds or conflicts as a whole
    friend bool operator==(const Entity&, const Entity&) = default;

    // Of Skerry's own: conflict records. Devices read it like any table and may write `state` and `choice` only.
    bool builtin() const;
    // Every transaction on it is strict.
    bool is_strict() const { return strict || conflict == Conflict::kDetect; }
    std::optional<std::uint32_t> attribute_named(std::string_view wanted) const;
};

// ---- what is taken offline, and how ----

// What the server knows of a signed-in user, by the name that rules give it (`:me`).
enum class PrincipalKind : std::uint8_t {
    kClaim = 1,   // said by the token; `sub`, the user's name, need not be declared
    kQuery = 2,   // the first column of a query on the server; it may use `sub` and claims as parameters
    kChosen = 3,  // what the device's app asks for (Device::choose): a part to be had on demand
};
struct PrincipalValue {
    std::string name{};
    PrincipalKind kind = PrincipalKind::kClaim;
    std::string query{};  // of kQuery; not part of what devices receive
    friend bool operator==(const PrincipalValue&, const PrincipalValue&) = default;
};

inline constexpr std::string_view kUserValue = "sub";  // the user's name; needs no declaration

enum class Download : std::uint8_t {
    kAll = 1,           // every row
    kRule = 2,          // rows that meet the rule: EntityProfile::link and where
    kWith = 3,          // rows whose parent is here
    kNoneClear = 4,     // rows made here are sent, then cleared
    kNonePreserve = 5,  // what is here stays as it is
    kNever = 6,         // lives on the device only, unless an app sends it explicitly
};
enum class Upload : std::uint8_t { kAllow = 1, kReject = 2 };

inline constexpr std::uint32_t kKeyAttribute = UINT32_MAX;  // where an attribute's index stands: the key

// "attribute = :value" or, with `many`, "attribute in :value". The attribute's type is one of may_link().
struct Link {
    std::uint32_t attribute = kKeyAttribute;
    std::string value{};  // of Model::principal, or kUserValue
    bool many = false;
    friend bool operator==(const Link&, const Link&) = default;
};

struct EntityProfile {
    EntityIx entity{};
    Download download = Download::kAll;
    Upload upload = Upload::kAllow;
    std::optional<Link> link{};   // kRule; none: the same rows for everybody
    std::string where{};          // kRule, kWith: a condition on the row alone, in the language of src/rules; empty: none
    std::uint32_t with = 0;       // kWith: the association to the parent, whose download is kAll, kRule or kWith
    std::uint32_t priority = 0;   // higher ones are downloaded earlier; parents never after their children
    friend bool operator==(const EntityProfile&, const EntityProfile&) = default;
};

// A device's profile is the one that the claim `profile` names, else the first.
struct Profile {
    std::string name{};
    std::vector<EntityProfile> entities{};  // one for each of the app's entities, in any order
    friend bool operator==(const Profile&, const Profile&) = default;
};

// Every limit with its reason; beyond it the model is refused with model_invalid.
inline constexpr std::size_t kProfilesMax = 50;         // the rules of all of them are kept up to date for every row
inline constexpr std::size_t kPrincipalValuesMax = 50;  // each query runs at every sync
inline constexpr std::size_t kQueryBytesMax = 8000;
inline constexpr std::uint32_t kPriorityMax = 1000;
inline constexpr std::size_t kEntitiesMax = 500;     // one capture trigger set and one scope each
inline constexpr std::size_t kAttributesMax = 990;   // SQLite allows 2,000 columns in a result; a difference shows a row twice
inline constexpr std::size_t kNameLengthMax = 63;    // PostgreSQL cuts longer identifiers
inline constexpr std::size_t kEnumValuesMax = 500;   // each is part of the triggers' text
inline constexpr std::size_t kChecksMax = 100;       // an entity's; each is part of the triggers' text
inline constexpr std::size_t kListsMax = 50;         // an entity's indexes, and its uniques; each costs every write
inline constexpr std::size_t kListLengthMax = 16;
inline constexpr std::size_t kExpressionBytesMax = 2000;
inline constexpr std::uint8_t kPrecisionMax = 18;  // what 64 bits hold

inline constexpr std::uint16_t kModelFormat = 3;

inline constexpr std::string_view kConflictEntity = "skerry_conflict";

struct Model {
    std::string app;
    std::uint32_t version = 1;
    std::vector<Entity> entities;  // the app's and, once complete(), the built-in one
    std::vector<PrincipalValue> principal{};
    std::vector<Profile> profiles{};  // none: every device takes every row
    friend bool operator==(const Model&, const Model&) = default;

    const Entity& entity(EntityIx ix) const { return entities[ix.value]; }
    bool has(EntityIx ix) const { return ix.value < entities.size(); }
    // Null when there is none of that name.
    const Entity* find(std::string_view name, EntityIx* ix = nullptr) const;
    // Position of the entity of conflict records. Precondition: complete() was called.
    EntityIx conflicts() const;

    // Null when the model has no profiles, or none of that name ("" is the first).
    const Profile* profile(std::string_view name) const;
    // What the profile says of the entity; everything allowed and downloaded where there is nothing said (no profiles, built-in).
    EntityProfile in_profile(std::string_view profile, EntityIx entity) const;

    // For devices: without the principal's queries.
    Bytes compile() const;
    // For the server's own keeping: all of it. load() takes either.
    Bytes compile_whole() const;
    std::uint64_t hash() const;  // of compile()
    // Refuses what is damaged, of another format (format_too_new, not_supported) or beyond a limit (model_invalid).
    static Result<Model> load(BytesView compiled);
};

// Appends the built-in entity if it is not there. Every model that a store or server uses is complete.
void complete(Model& model);

// The entity of conflict records: one row is what waits for, or was decided by, a person.
//
//   id          uuid          entity, row   whose conflict it is       attribute  '' = the whole row
//   author      the user whose change did not land; device, transaction: where and in which it was made
//   batch       records of one strict transaction share it; else ''
//   operation   insert, update or delete; why: the code, as in docs/errors.md
//   base, mine, theirs   JSON objects by attribute name (json.hpp); NULL: no row
//   made_at     when the author made it, by his clock; at: when the server judged it
//   state       open or closed; choice: mine, theirs or mix, '' while open; closed_by, closed_at
const Entity& conflict_entity();
// Indexes of its attributes.
namespace record {
inline constexpr std::uint32_t kEntity = 0, kRow = 1, kAttribute = 2, kAuthor = 3, kDevice = 4, kTransaction = 5,
                               kBatch = 6, kOperation = 7, kWhy = 8, kBase = 9, kMine = 10, kTheirs = 11, kMadeAt = 12,
                               kAt = 13, kState = 14, kChoice = 15, kClosedBy = 16, kClosedAt = 17;
}  // namespace record

// Lower-case letters, digits and underscores, beginning with a letter; not skerry…, not sqlite….
bool is_valid_name(std::string_view name);

// The limits and names above, and what only a whole model shows: duplicate names, no key, a reference to nothing,
// a merge that its type does not have, cascades in a ring. The message names the place.
Result<void> check(const Model& model);

// Types whose values have one spelling as text, so that a scope's key can be compared byte by byte on every machine:
// uuid, text, enum, int, bool, date.
bool may_link(Type type);

// "" when the policy suits the type, else which types it is for.
std::string_view merge_needs(Merge merge, Type type);

std::string_view type_name(Type type);
std::string_view merge_name(Merge merge);

}  // namespace skerry::model
