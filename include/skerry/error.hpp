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
enum class Code : std::uint16_t {
    // calls and files
    kInvalidArgument = 1,
    kNotFound = 2,
    kNotSupported = 3,
    kIo = 4,
    kDiskFull = 5,
    kReadOnly = 6,
    kBusy = 7,
    kCorruptStore = 8,
    kSql = 9,
    kConstraint = 10,
    kFormatTooNew = 11,
    kAlreadyExists = 12,
    kAddressInUse = 13,
    kInternal = 14,
    // model
    kModelInvalid = 30,
    kModelMismatch = 31,
    kModelMissing = 32,
    kExpressionInvalid = 33,
    kModelChange = 34,
    // what an app writes
    kKeyUpdate = 40,
    kKeyMissing = 41,
    kValueInvalid = 42,
    kTxnTooBig = 43,
    kRowTooBig = 44,
    kRequired = 45,
    kCheckFailed = 46,
    kReferenceMissing = 47,
    kStillReferenced = 48,
    kNotUnique = 49,
    kNotWritable = 50,
    // wire
    kProtocolTooNew = 60,
    kForeignAnswer = 61,
    kDamagedFrame = 62,
    kLimitExceeded = 63,
    kTruncated = 64,
    // reaching and entering the server
    kOffline = 70,
    kUnauthorized = 71,
    kNotEnrolled = 72,
    kDeviceOfOtherUser = 73,
    kServerFailed = 74,
    kServerBusy = 75,
    kNoSuchRoute = 76,
    kGapLost = 77,
    kPrincipalFailed = 78,
    kTooManyScopes = 79,
    kProfileUnknown = 80,
    kSyncDiscarded = 81,
    kSyncLoop = 82,
    kSyncElsewhere = 83,
    // verdicts on a transaction
    kKeyTaken = 90,
    kDependency = 91,
    kUnknownEntity = 92,
    kMalformedTxn = 93,
    kRowDeleted = 94,
    kAssertFailed = 95,
    kBothChanged = 96,
    kRowChanged = 97,
    kStrict = 98,
    kUploadRejected = 99,
};

struct Error {
    Code code = Code::kInternal;
    std::string message;
    std::vector<std::string> context;  // innermost first
};

template <class T>
using Result = tl::expected<T, Error>;

// The stable name, such as "key_taken".
std::string_view code_name(Code code);

// One text for a person: message, context, and the remedy from the table.
std::string describe(const Error& error);

inline tl::unexpected<Error> fail(Code code, std::string message) {
    return tl::unexpected<Error>(Error{code, std::move(message), {}});
}

// Passes an error on with one more line of context: `return fail(std::move(r.error()), "opening the store")`.
inline tl::unexpected<Error> fail(Error error, std::string context = {}) {
    if (!context.empty()) error.context.push_back(std::move(context));
    return tl::unexpected<Error>(std::move(error));
}

}  // namespace skerry
