#include "base/error_table.hpp"

#include <array>

namespace skerry {

namespace {
constexpr std::array kTable{
    ErrorEntry{Code::kInvalidArgument, "invalid_argument", "An argument is missing, malformed or out of its range.", "Correct the argument that the message names; --help shows the accepted forms."},
    ErrorEntry{Code::kNotFound, "not_found", "A file, entity, row or device of that name does not exist.", "Check the name; `skerry status` lists what a folder or store holds."},
    ErrorEntry{Code::kNotSupported, "not_supported", "The model or the call asks for something that this version does not do yet.", "Leave it out, or use a newer version; the message names the place."},
    ErrorEntry{Code::kIo, "io", "The operating system reported an error while reading or writing a file.", "Check the disk and the permissions of the folder, then try again. Committed data are intact."},
    ErrorEntry{Code::kDiskFull, "disk_full", "The disk or the quota is full. The transaction was rolled back as a whole.", "Free space, then try again. Nothing that was committed is lost."},
    ErrorEntry{Code::kReadOnly, "read_only", "The file or its folder cannot be written.", "Change the permissions, or open a copy elsewhere."},
    ErrorEntry{Code::kBusy, "busy", "Another process held the database longer than the wait limit.", "Try again; end long transactions of other programs."},
    ErrorEntry{Code::kCorruptStore, "corrupt_store", "The database file is damaged or is not what it should be.", "Keep a copy of the file, open a new store and sync; unsent changes can be read from the copy with any SQLite program."},
    ErrorEntry{Code::kSql, "sql", "SQLite refused the statement.", "Correct the statement; the message is SQLite's own."},
    ErrorEntry{Code::kConstraint, "constraint", "The statement breaks a constraint of the table.", "Correct the values; the message names the constraint."},
    ErrorEntry{Code::kFormatTooNew, "format_too_new", "The file was written by a newer version of Skerry.", "Update this program; the file was not touched."},
    ErrorEntry{Code::kAlreadyExists, "already_exists", "The folder or store exists already.", "Choose another name, or use the existing one."},
    ErrorEntry{Code::kAddressInUse, "address_in_use", "Another program listens on that port.", "Stop it or choose another port with --port."},
    ErrorEntry{Code::kInternal, "internal", "A bug in Skerry.", "Please report it with the message. No data were changed."},
    ErrorEntry{Code::kModelInvalid, "model_invalid", "The model file has a fault.", "The message gives file, line and column, what is wrong, and how to mend it."},
    ErrorEntry{Code::kModelMismatch, "model_mismatch", "Device and server, or folder and file, hold different models.", "Serve the model that the devices were opened with, or a newer version of it."},
    ErrorEntry{Code::kModelMissing, "model_missing", "A new store needs a model: from the server at its first contact, or passed by the app.", "Open it once with the server reachable, or pass the compiled model."},
    ErrorEntry{Code::kExpressionInvalid, "expression_invalid", "A check or an assert is not an expression of the rule language, or does not fit the types.", "The message gives the place and what was expected; docs/model.md describes the language."},
    ErrorEntry{Code::kModelChange, "model_change", "The new model changes something that cannot change while devices hold the old one.", "The message names the change. New entities, attributes that are optional or have a default, indexes, enum values and other policies can be added in place."},
    ErrorEntry{Code::kKeyUpdate, "key_update", "A statement would change a row's key. Keys are identity on every device.", "Delete the row and insert it under the new key."},
    ErrorEntry{Code::kKeyMissing, "key_missing", "A row was inserted without its key.", "Give the key; uuid keys are made on the device (UUID version 7)."},
    ErrorEntry{Code::kValueInvalid, "value_invalid", "A value does not have the canonical form of its type.", "Write uuids in lower case with hyphens, text as UTF-8 without NUL, integers as integers."},
    ErrorEntry{Code::kTxnTooBig, "txn_too_big", "One transaction touches more rows or bytes than can be sent as a whole.", "Commit in smaller transactions. Changes by other programs count as one transaction until Skerry looks at the file."},
    ErrorEntry{Code::kRowTooBig, "row_too_big", "A row is larger than the limit.", "Shorten the value that the message names."},
    ErrorEntry{Code::kRequired, "required", "A required attribute is NULL.", "Give the attribute that the message names a value."},
    ErrorEntry{Code::kCheckFailed, "check_failed", "A row does not meet a check of the model.", "Change the values so that the check that the message shows holds."},
    ErrorEntry{Code::kReferenceMissing, "reference_missing", "A row refers to a row that is not there.", "Create the other row first or in the same transaction, or refer to another one."},
    ErrorEntry{Code::kStillReferenced, "still_referenced", "A row cannot be deleted while others refer to it (`on_delete: restrict`).", "Delete or change the referring rows first."},
    ErrorEntry{Code::kNotUnique, "not_unique", "Another row has the same values in attributes that the model declares unique.", "Choose another value, or change the existing row instead."},
    ErrorEntry{Code::kNotWritable, "not_writable", "The table belongs to Skerry and is only read.", "Use the command or call that is meant for it; of conflict records only `state` and `choice` may be changed."},
    ErrorEntry{Code::kProtocolTooNew, "protocol_too_new", "The other side speaks a newer version of the protocol.", "Update this program; nothing was changed."},
    ErrorEntry{Code::kForeignAnswer, "foreign_answer", "What answered is not a Skerry server: a login page, a proxy, an empty answer.", "Sign in to the network, or check the server's address. Skerry treats this as offline."},
    ErrorEntry{Code::kDamagedFrame, "damaged_frame", "Bytes arrived that fail their checksum or do not decode.", "Nothing was applied; the next sync asks again. If it repeats, something between device and server alters data."},
    ErrorEntry{Code::kLimitExceeded, "limit_exceeded", "A message is larger, longer or deeper than its limit.", "The message names the limit. Send less at once."},
    ErrorEntry{Code::kTruncated, "truncated", "A transfer ended before its end mark.", "Nothing was applied beyond the last whole checkpoint; the next sync goes on from there."},
    ErrorEntry{Code::kRequestMalformed, "request_malformed", "A request is not HTTP/1.1, or can be read in two ways. The connection is closed.", "Look at the program or the proxy that sent it: the message names what is wrong. docs/protocol.md says what a request is."},
    ErrorEntry{Code::kRequestTimeout, "request_timeout", "A request did not arrive in time. The connection is closed.", "Send it again on a new connection. docs/limits.md has the times."},
    ErrorEntry{Code::kOffline, "offline", "The server cannot be reached.", "Work on; the changes are kept and sent when the server can be reached again."},
    ErrorEntry{Code::kUnauthorized, "unauthorized", "The token is missing, unknown, expired or revoked.", "Get a new token (`skerry token`) and give it to the store: skerry device open STORE --token-file FILE. Unsent changes are kept."},
    ErrorEntry{Code::kNotEnrolled, "not_enrolled", "The server does not know this device.", "The device enrols at its next sync by itself; if it repeats, check that it talks to the right server."},
    ErrorEntry{Code::kDeviceOfOtherUser, "device_of_other_user", "The store belongs to another user than the token.", "Use the token of the store's user, or open a store of your own."},
    ErrorEntry{Code::kServerFailed, "server_failed", "The server met an error of its own.", "Try again later; the server's log has the reason."},
    ErrorEntry{Code::kServerBusy, "server_busy", "The server asks to come back later.", "The device waits and tries again by itself."},
    ErrorEntry{Code::kNoSuchRoute, "no_such_route", "The server has no such address or method.", "Check the URL; docs/protocol.md lists the routes."},
    ErrorEntry{Code::kGapLost, "gap_lost", "The server lacks transactions that this device no longer keeps.", "They were recorded in the device's log as lost; restore the server from a newer backup if there is one."},
    ErrorEntry{Code::kPrincipalFailed, "principal_failed", "A query of the model's `principal:` failed, took too long or gave what its rule cannot use.", "An operator mends the query, or the rows that it reads; devices go on with what they have."},
    ErrorEntry{Code::kTooManyScopes, "too_many_scopes", "The user's profile comes to more parts than a device can hold.", "Use a rule that groups more rows under one value, or give the user another profile."},
    ErrorEntry{Code::kProfileUnknown, "profile_unknown", "The token names a profile that the model does not have.", "Make a token with one of the model's profiles, or add the profile to the model."},
    ErrorEntry{Code::kSyncDiscarded, "sync_discarded", "A sync that was asked for was dropped or cancelled before it was done.", "Nothing is lost: ask again when it is wanted."},
    ErrorEntry{Code::kSyncLoop, "sync_loop", "Each sync asked for the next when it had ended, many times in a row.", "Ask for another sync from what the app's user does, or define a unit with `every`; device.set_live() stays in step by itself."},
    ErrorEntry{Code::kSyncElsewhere, "sync_elsewhere", "Another program syncs this store at the moment; one at a time does.", "Nothing to do if it stays in step by itself: it sends what you wrote and receives for both. Otherwise end it, or sync again when it has ended."},
    ErrorEntry{Code::kKeyTaken, "key_taken", "A row with that key exists already.", "Use a new key, or change the existing row instead."},
    ErrorEntry{Code::kDependency, "dependency", "The change builds on a transaction that was rejected.", "Mend the draft it belongs to; both are sent again together."},
    ErrorEntry{Code::kUnknownEntity, "unknown_entity", "The change names an entity or attribute that the model does not have.", "Use a client with the server's model."},
    ErrorEntry{Code::kMalformedTxn, "malformed_txn", "The transaction contradicts itself, for example two changes of one row.", "This is a bug in the client that sent it."},
    ErrorEntry{Code::kRowDeleted, "row_deleted", "The row was deleted by somebody else.", "The change is kept as a conflict record; `skerry conflicts` shows and settles it."},
    ErrorEntry{Code::kAssertFailed, "assert_failed", "What the transaction asserted about a row did not hold on the server.", "Look at the row as it is now; the draft can be edited and sent again."},
    ErrorEntry{Code::kBothChanged, "both_changed", "Somebody else changed the same attribute, and the model asks a person.", "`skerry conflicts` shows base, mine and theirs; choose one or a mix."},
    ErrorEntry{Code::kRowChanged, "row_changed", "Somebody else changed the row, and the model asks a person.", "`skerry conflicts` shows base, mine and theirs; choose one or a mix."},
    ErrorEntry{Code::kStrict, "strict", "The transaction succeeds or conflicts as a whole, and another part of it is in conflict.", "Settle the records of its batch together; `skerry conflicts` shows them."},
    ErrorEntry{Code::kUploadRejected, "upload_rejected", "The user's profile takes no changes of that entity.", "The change is kept as a draft; give the user another profile, or discard it."},
};
}  // namespace

std::span<const ErrorEntry> error_table() { return kTable; }

std::string_view code_name(Code code) {
    for (const auto& entry : kTable)
        if (entry.code == code) return entry.name;
    return "internal";
}

Code code_from_number(std::uint16_t number) {
    for (const auto& entry : kTable)
        if (static_cast<std::uint16_t>(entry.code) == number) return entry.code;
    return Code::kServerFailed;
}

std::string describe(const Error& error) {
    std::string out{code_name(error.code)};
    out += ": ";
    out += error.message;
    for (const auto& line : error.context) {
        out += "\n  while ";
        out += line;
    }
    for (const auto& entry : kTable) {
        if (entry.code != error.code) continue;
        out += "\n  what to do: ";
        out += entry.remedy;
    }
    return out;
}

}  // namespace skerry
