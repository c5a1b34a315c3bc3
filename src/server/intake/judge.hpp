// The verdict on one transaction, and its effects on the rows.
//
// The order of checks is the protocol's: what it depends on, then per row merge and write, then what it left is
// read back. Rights come first of all: with `access: open` they are the principal's being signed in.
#pragma once

#include "server/access/principal.hpp"
#include "server/storage/storage.hpp"
#include "wire/transaction.hpp"

namespace skerry::server::intake {

struct JudgeContext {
    storage::WriteTxn& txn;
    const model::Model& model;
    const access::Principal& principal;
    storage::DeviceIx device;
    std::int64_t now_us = 0;
};

// Inside a savepoint of the caller. Gives the verdict; when it is a rejection, the caller takes back everything
// since the savepoint. An Error is the database's failure, or its refusal of a row (is_refusal()).
Result<wire::Outcome> judge(const JudgeContext& context, const wire::Transaction& transaction);

// The database refused what the transaction wrote (a constraint, a trigger of the app): the transaction's own
// fault, to be rejected; any other error is the server's trouble and judges nothing.
bool is_refusal(const Error& error);

wire::Outcome rejection(TxnNo no, Code code, TxnNo root, std::string message);

}  // namespace skerry::server::intake
