// A push: transactions of one device, in their order, each given its one final verdict.
//
// Invariants
//   - Verdict, results, history, records, draft, the rows themselves and the seq of all of them are committed in
//     one database transaction: after a crash a transaction is judged wholly or not at all.
//   - (device, no) -> the id's first eight bytes is kept for ever. Same number and id: nothing is applied again.
//     Same number, other id: the device is a clone or was restored; nothing further is judged.
//   - Numbers are judged without gaps. A transaction that is rejected, even one that does not decode, has its
//     verdict like any other and blocks nothing behind it.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "server/access/principal.hpp"
#include "server/scopes/sequencer.hpp"
#include "server/storage/storage.hpp"
#include "server/tally/tally.hpp"
#include "server/transit/parts.hpp"
#include "wire/messages.hpp"

namespace skerry::server::intake {

// Transactions judged in one database commit: enough to share its fsync, few enough that a retry is cheap, and
// under the 64 savepoints that PostgreSQL keeps in its cache (pitfall 66).
inline constexpr std::size_t kTxnsPerCommit = 50;

struct PushReply {
    std::vector<wire::Outcome> verdicts;   // in number order; a hint for the device's screen
    std::optional<TxnNo> expect;           // a gap: the device is to go on from here
    std::optional<TxnNo> identity_taken;   // the server knows another transaction under this number
    std::optional<wire::Have> have;        // of a transaction that comes in parts, and is not whole yet
};

struct PushContext {
    storage::Backend& backend;
    scopes::Sequencer& sequencer;
    const Clock& clock;
    Log& log;
    Tally& tally;
    transit::Parts& parts;
};

// `body` is a whole push request: transactions, or a part of one, which is judged as soon as it is whole. An Error means that what this request committed so far stays (the device sends
// again and is told the same verdicts) and the rest was not judged: damaged_frame, foreign_answer, truncated,
// limit_exceeded, model_mismatch, profile_unknown, not_enrolled, device_of_other_user, busy, io, …
Result<PushReply> push(const PushContext& context, const access::Principal& principal, BytesView body);

}  // namespace skerry::server::intake
