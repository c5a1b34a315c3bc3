// The journal: transactions not yet settled. What is sent, in which order, and under which identity.
//
// A transaction is unsent until the server has confirmed its receipt; it stays in the journal until its
// outcome arrives in a checkpoint. Settled ones move to the archive, from which a server that was restored
// from an older backup is healed. Thread rule: that of its Store.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "store/tables.hpp"
#include "wire/transaction.hpp"

namespace skerry::store {

class Store;

// Stored in skerry_txn.state: do not change.
enum class TxnState : std::int64_t { kUnsent = 1, kSent = 2 };

// Transactions that are declared lost in one go: as many as the archive keeps. Where more are gone, the server expects the next of them
// when it has these. A damaged file may claim to have made any number.
inline constexpr std::size_t kLostAtOnce = 10'000;

struct JournalCounts {
    std::uint64_t unsettled = 0;
    std::uint64_t unsent = 0;
    TxnNo sent_upto;  // the highest number that the server has confirmed under this identity
    TxnNo first_unsettled;  // 0: there is none
    TxnNo keep_from;  // the server may forget results of lower numbers, unless `heals`
    bool heals = false;  // archived transactions are to be sent again
};

struct Batch {
    std::vector<Bytes> payloads;  // encoded transactions, in number order
    TxnNo first;
    TxnNo last;
};

class Journal {
  public:
    explicit Journal(Store& store) : store_(store) {}

    Result<JournalCounts> counts();
    // From `from` on, or from the first unsent; bounded by count and by bytes (one transaction at least, however large).
    Result<Batch> next_batch(TxnNo from, std::size_t txns_max, std::size_t bytes_max);
    Result<void> mark_sent(const std::vector<wire::Outcome>& verdicts);
    // Everything from `no` on is unsent again, archived transactions included; what is no longer kept is declared lost, in the log
    // and by an empty transaction. gap_lost if this device never made `no`.
    Result<void> resend_from(TxnNo no);
    // A new device id; every unsettled transaction moves over with a number of its own, 1, 2, …. The cursor goes,
    // so that the next pull verifies everything. Call when nothing sent is left unsettled: those the server
    // knows settle under the old identity first.
    Result<void> take_new_identity();

    // The whole transaction as it is pushed and archived, from skerry_txn and skerry_op.
    Result<wire::Transaction> load(TxnNo no);

  private:
    Result<void> declare_lost(TxnNo begin, TxnNo end);

    Store& store_;
};

}  // namespace skerry::store
