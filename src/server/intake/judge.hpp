// The verdict on one transaction, and its effects on the rows.
//
// The order is the protocol's: what it depends on · asserts · per row: right, then what becomes of each change (plan.hpp;
// decided on the rows as they were before the transaction, nothing is written yet) · strict: all or none · write ·
// required and checks (the tables' triggers, on what was written) · rows that go with deleted ones, references, uniques ·
// what it left is read back. Rights come first of all: with `access: open` they are the principal's being signed in.
#pragma once

#include "server/access/principal.hpp"
#include "server/storage/storage.hpp"
#include "wire/transaction.hpp"

namespace skerry::server::intake {

struct JudgeContext {
    storage::WriteTxn& txn;
    const model::Model& model;
    const access::Principal& principal;
    const std::string& profile;  // the principal's
    storage::DeviceIx device;
    DeviceId device_id;
    std::int64_t now_us = 0;
    std::int64_t begin = 0;  // WriteTxn::judging()
};

// Inside a savepoint of the caller. Gives the verdict; when it is a rejection, the caller takes back everything
// since the savepoint. An Error is the database's failure, or its refusal of a row (is_refusal()).
Result<wire::Outcome> judge(const JudgeContext& context, const wire::Transaction& transaction);

// The database refused what the transaction wrote (a constraint, a check, a trigger of the app), or a value cannot be
// merged: the transaction's own fault, to be rejected; any other error is the server's trouble and judges nothing.
bool is_refusal(const Error& error);

wire::Outcome rejection(TxnNo no, Code code, TxnNo root, std::string message);

}  // namespace skerry::server::intake
