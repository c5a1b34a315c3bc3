// What can go wrong, as values. Every call of Skerry that can fail returns Result<T>; nothing throws.
//
// An Error has a stable code (its name and number never change meaning), a message for a person that says
// what happened, and lines of context that each layer adds on the way up. Cause and remedy of every code
// are in docs/errors.md, which is generated from the table in src/base/error_table.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace skerry {

// Stored in drafts and sent on the wire: do not change a number, do not reuse one.
/// What kind of failure it is. Names and numbers never change; what to do about each is in docs/errors.md.
enum class Code : std::uint16_t {
    // calls and files
    kInvalidArgument = 1,      ///< `invalid_argument`: an argument is missing, malformed or out of its range
    kNotFound = 2,             ///< `not_found`: a file, entity, row or device of that name does not exist
    kNotSupported = 3,         ///< `not_supported`: the model or the call asks for something that this version does not do yet
    kIo = 4,                   ///< `io`: the operating system reported an error while reading or writing a file
    kDiskFull = 5,             ///< `disk_full`: the disk or the quota is full. The transaction was rolled back as a whole
    kReadOnly = 6,             ///< `read_only`: the file or its folder cannot be written
    kBusy = 7,                 ///< `busy`: another process held the database longer than the wait limit
    kCorruptStore = 8,         ///< `corrupt_store`: the database file is damaged or is not what it should be
    kSql = 9,                  ///< `sql`: SQLite refused the statement
    kConstraint = 10,          ///< `constraint`: the statement breaks a constraint of the table
    kFormatTooNew = 11,        ///< `format_too_new`: the file was written by a newer version of Skerry
    kAlreadyExists = 12,       ///< `already_exists`: the folder or store exists already
    kAddressInUse = 13,        ///< `address_in_use`: another program listens on that port
    kInternal = 14,            ///< `internal`: a bug in Skerry
    // model
    kModelInvalid = 30,        ///< `model_invalid`: the model file has a fault
    kModelMismatch = 31,       ///< `model_mismatch`: device and server, or folder and file, hold different models
    kModelMissing = 32,        ///< `model_missing`: a new store needs a model: from the server at its first contact, or passed by the app
    kExpressionInvalid = 33,   ///< `expression_invalid`: a check or an assert is not an expression of the rule language, or does not fit the types
    kModelChange = 34,         ///< `model_change`: the new model changes something that cannot change while devices hold the old one
    // what an app writes
    kKeyUpdate = 40,           ///< `key_update`: a statement would change a row's key. Keys are identity on every device
    kKeyMissing = 41,          ///< `key_missing`: a row was inserted without its key
    kValueInvalid = 42,        ///< `value_invalid`: a value does not have the canonical form of its type
    kTxnTooBig = 43,           ///< `txn_too_big`: one transaction touches more rows or bytes than can be sent as a whole
    kRowTooBig = 44,           ///< `row_too_big`: a row is larger than the limit
    kRequired = 45,            ///< `required`: a required attribute is NULL
    kCheckFailed = 46,         ///< `check_failed`: a row does not meet a check of the model
    kReferenceMissing = 47,    ///< `reference_missing`: a row refers to a row that is not there
    kStillReferenced = 48,     ///< `still_referenced`: a row cannot be deleted while others refer to it (`on_delete: restrict`)
    kNotUnique = 49,           ///< `not_unique`: another row has the same values in attributes that the model declares unique
    kNotWritable = 50,         ///< `not_writable`: the table belongs to Skerry and is only read
    // wire
    kProtocolTooNew = 60,      ///< `protocol_too_new`: the other side speaks a newer version of the protocol
    kForeignAnswer = 61,       ///< `foreign_answer`: what answered is not a Skerry server: a login page, a proxy, an empty answer
    kDamagedFrame = 62,        ///< `damaged_frame`: bytes arrived that fail their checksum or do not decode
    kLimitExceeded = 63,       ///< `limit_exceeded`: a message is larger, longer or deeper than its limit
    kTruncated = 64,           ///< `truncated`: a transfer ended before its end mark
    kRequestMalformed = 65,    ///< `request_malformed`: a request is not HTTP/1.1, or can be read in two ways
    kRequestTimeout = 66,      ///< `request_timeout`: a request did not arrive in time
    // reaching and entering the server
    kOffline = 70,             ///< `offline`: the server cannot be reached
    kUnauthorized = 71,        ///< `unauthorized`: the token is missing, unknown, expired or revoked
    kNotEnrolled = 72,         ///< `not_enrolled`: the server does not know this device
    kDeviceOfOtherUser = 73,   ///< `device_of_other_user`: the store belongs to another user than the token
    kServerFailed = 74,        ///< `server_failed`: the server met an error of its own
    kServerBusy = 75,          ///< `server_busy`: the server asks to come back later
    kNoSuchRoute = 76,         ///< `no_such_route`: the server has no such address or method
    kGapLost = 77,             ///< `gap_lost`: the server lacks transactions that this device no longer keeps
    kPrincipalFailed = 78,     ///< `principal_failed`: a query of the model's `principal:` failed, took too long or gave what its rule cannot use
    kTooManyScopes = 79,       ///< `too_many_scopes`: the user's profile comes to more parts than a device can hold
    kProfileUnknown = 80,      ///< `profile_unknown`: the token names a profile that the model does not have
    kSyncDiscarded = 81,       ///< `sync_discarded`: a sync that was asked for was dropped or cancelled before it was done
    kSyncLoop = 82,            ///< `sync_loop`: each sync asked for the next when it had ended, many times in a row
    kSyncElsewhere = 83,       ///< `sync_elsewhere`: another program syncs this store at the moment; one at a time does
    // verdicts on a transaction
    kKeyTaken = 90,            ///< `key_taken`: a row with that key exists already
    kDependency = 91,          ///< `dependency`: the change builds on a transaction that was rejected
    kUnknownEntity = 92,       ///< `unknown_entity`: the change names an entity or attribute that the model does not have
    kMalformedTxn = 93,        ///< `malformed_txn`: the transaction contradicts itself, for example two changes of one row
    kRowDeleted = 94,          ///< `row_deleted`: the row was deleted by somebody else
    kAssertFailed = 95,        ///< `assert_failed`: what the transaction asserted about a row did not hold on the server
    kBothChanged = 96,         ///< `both_changed`: somebody else changed the same attribute, and the model asks a person
    kRowChanged = 97,          ///< `row_changed`: somebody else changed the row, and the model asks a person
    kStrict = 98,              ///< `strict`: the transaction succeeds or conflicts as a whole, and another part of it is in conflict
    kUploadRejected = 99,      ///< `upload_rejected`: the user's profile takes no changes of that entity
};

/// A failure: what kind, what happened, and what was being done.
struct Error {
    Code code = Code::kInternal;       ///< decide by it
    std::string message;               ///< what happened this time, for a person; do not parse it
    std::vector<std::string> context;  ///< what was being done, one line of each layer; innermost first
};

/// The value, or the error why there is none: a `tl::expected`. Test it (`if (!result)`) before `*result` or `result->`; with an error these
/// are undefined, and value() is for programs that want an exception. `Result<void>` has no value, only success.
template <class T>
using Result = tl::expected<T, Error>;

/// The stable name, such as "key_taken"; "internal" for what is no code.
std::string_view code_name(Code code);

/// One text of some lines for a person: code and message, context, and what to do.
std::string describe(const Error& error);

/// An error to return: `return fail(Code::kNotFound, "there is no such place")`.
inline tl::unexpected<Error> fail(Code code, std::string message) {
    return tl::unexpected<Error>(Error{code, std::move(message), {}});
}

/// Passes an error on with one more line of context: `return fail(std::move(r.error()), "opening the store")`.
inline tl::unexpected<Error> fail(Error error, std::string context = {}) {
    if (!context.empty()) error.context.push_back(std::move(context));
    return tl::unexpected<Error>(std::move(error));
}

}  // namespace skerry
