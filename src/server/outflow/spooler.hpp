// Checkpoints on their way to slow readers. One whose delta is large is encoded once into a spool (server/transit), at its own
// pace and not at the reader's: so no reader keeps a snapshot of the database open, and a transfer that breaks is gone on with
// where it was, because a delta cannot be cut into several checkpoints.
//
//   Checkpoint ──next()──> Job ──append──> spool ──read──> PullBody ──> device       read() and tick() push the job on
//
// A job outlives the answer that began it: the device comes back for the rest.
#pragma once

#include <map>
#include <memory>

#include "server/outflow/checkpoint.hpp"
#include "server/transit/spool.hpp"

namespace skerry::server::outflow {

// A delta up to this is sent again when the line breaks; a line that does not last for so much is none.
inline constexpr std::size_t kSpoolFrom = 32u << 10;
// Encoded checkpoints that wait in memory for their readers, of all answers together; beyond it they wait in a file.
inline constexpr std::size_t kWaitingBytesMax = 64u << 20;
// Spools that are being written; each has a snapshot open. Whoever wants another one comes later.
inline constexpr std::size_t kJobsMax = 32;
// Encoded at once: a few milliseconds.
inline constexpr std::size_t kJobStep = 256u << 10;
inline constexpr std::size_t kTickBytes = 1u << 20;
// A long transfer looks so often whether its reader may still have it.
inline constexpr Micros kRightsCheckEvery = std::chrono::seconds(30);

class Spooler {
  public:
    Spooler(transit::Spool& spool, const Clock& clock, Log& log) : spool_(spool), clock_(clock), log_(log) {}

    // Takes a checkpoint over whose first frames are in `begun`; gives the spool's id. server_busy: too many at once.
    Result<Bytes> take(std::unique_ptr<Checkpoint> checkpoint, BytesView begun);
    // Who may read on; empty: it is not there (any more), or not so far.
    Result<std::optional<transit::SpoolOwner>> owner(const wire::Spooled& at);
    // Appends what follows `at`, moves it, and gives true when that was all. not_found when it was forgotten meanwhile.
    Result<bool> read(wire::Spooled& at, std::size_t most, Bytes& out);
    Result<void> forget(BytesView id);
    // Goes on with what is being written, whether anybody reads or not.
    void tick();

    // Bytes that answers hold in memory, counted by themselves. Shared, because a connection may let go of its answer after the
    // server has gone.
    std::shared_ptr<std::size_t> waiting = std::make_shared<std::size_t>(0);

  private:
    using Jobs = std::map<Bytes, std::unique_ptr<Checkpoint>>;
    Result<void> step(Jobs::iterator job);

    transit::Spool& spool_;
    const Clock& clock_;
    Log& log_;
    Jobs jobs_;
    Bytes last_;  // the job that tick() went on with
};

}  // namespace skerry::server::outflow
