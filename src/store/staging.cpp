// Frames on their way into a checkpoint. Most stay in memory; what is too large for that, and what the server keeps so that a torn
// transfer can go on, is in skerry_stage. One set of frames is there at a time; kStaged says whose.
#include <array>

#include "base/hash.hpp"
#include "store/checkpoint.hpp"
#include "store/store.hpp"

namespace skerry::store {

namespace {

// Of a checkpoint that the server keeps: at most so much is lost when the process dies.
constexpr std::size_t kSpooledMemoryMax = 64u << 10;

// "S" and the server's id: a checkpoint that can be gone on with. "M" and a random id: one of this process that is too large for
// its memory. Then the cursor that it continues: another one, and nothing of it is of use.
Bytes mark_of(char kind, BytesView id, std::uint64_t continues) {
    Bytes mark;
    Writer out(mark);
    out.u8(static_cast<std::uint8_t>(kind));
    out.raw(id);
    out.u64(continues);
    return mark;
}

Result<std::uint64_t> cursor(Store& store) {
    SKERRY_ASSIGN(const auto token, store.meta().bytes(key::kToken));
    return hash64(token.value_or(Bytes{}));
}

}  // namespace

Result<std::optional<wire::Spooled>> Staging::resume() {
    SKERRY_ASSIGN(const auto mark, store_.meta().bytes(key::kStaged));
    if (!mark || mark->size() != 1 + wire::kSpoolIdBytes + 8 || mark->front() != 'S') return std::nullopt;
    wire::Spooled spooled{mark->substr(1, wire::kSpoolIdBytes), 0};
    SKERRY_ASSIGN(const std::uint64_t continues, cursor(store_));
    if (*mark != mark_of('S', spooled.id, continues)) return std::nullopt;
    SKERRY_ASSIGN(const std::int64_t bytes, store_.db().integer(
        "SELECT ifnull(sum(length(payload) + " + std::to_string(wire::kFrameOverhead) + "), 0) FROM skerry_stage"));
    spooled.offset = static_cast<std::uint64_t>(bytes);
    return spooled;
}

Result<void> Staging::stage_spooled(const wire::Spooled& spooled) {
    forget_memory();
    SKERRY_ASSIGN(const std::uint64_t continues, cursor(store_));
    mark_ = mark_of('S', spooled.id, continues);
    spooled_ = true;
    if (spooled.offset == 0) return claim();
    SKERRY_ASSIGN(const auto here, resume());
    if (here != spooled) return fail(Code::kDamagedFrame, "the answer goes on with something else than what was asked for");
    spilled_ = true;
    return {};
}

Result<void> Staging::stage(wire::FrameType type, BytesView payload) {
    memory_.push_back({type, Bytes(payload)});
    memory_bytes_ += payload.size();
    if (memory_bytes_ > (spooled_ ? kSpooledMemoryMax : kStageMemoryMax)) return spill();
    return {};
}

// Takes skerry_stage over from whatever was in it.
Result<void> Staging::claim() {
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(store_.db()));
    SKERRY_TRY(store_.db().exec("DELETE FROM skerry_stage"));
    SKERRY_TRY(store_.meta().set_bytes(key::kStaged, mark_));
    SKERRY_TRY(txn.commit());
    spilled_ = true;
    return {};
}

Result<bool> Staging::is_ours() {
    SKERRY_ASSIGN(const auto mark, store_.meta().bytes(key::kStaged));
    return mark == mark_;
}

Result<void> Staging::spill() {
    if (!spilled_) {
        std::array<std::uint8_t, wire::kSpoolIdBytes> drawn{};
        store_.random().fill(drawn);
        SKERRY_ASSIGN(const std::uint64_t continues, cursor(store_));
        mark_ = mark_of('M', view_of(drawn), continues);
        SKERRY_TRY(claim());
    }
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(store_.db()));
    SKERRY_ASSIGN(const bool ours, is_ours());
    if (!ours) return fail(Code::kBusy, "another process receives a checkpoint into this store");
    SKERRY_ASSIGN(sqlite::Statement put, store_.db().prepare("INSERT INTO skerry_stage(type, payload) VALUES(?1, ?2)"));
    for (const Held& held : memory_)
        SKERRY_TRY(put.bind(1, static_cast<std::int64_t>(held.type)).bind_blob(2, held.payload).run());
    SKERRY_TRY(txn.commit());
    memory_.clear();
    memory_bytes_ = 0;
    return {};
}

// What an earlier cursor left there goes with its cursor: it may be what this device has no right to any more.
Result<void> Staging::purge() {
    SKERRY_ASSIGN(const auto mark, store_.meta().bytes(key::kStaged));
    if (!mark) return {};
    SKERRY_TRY(store_.db().exec("DELETE FROM skerry_stage"));
    return store_.meta().erase(key::kStaged);
}

Result<ApplyReport> Staging::apply() {
    auto report = apply_staged();
    if (report) return report;
    const Code code = report.error().code;
    if (code == Code::kBusy || code == Code::kDiskFull || code == Code::kIo) return report;
    // It would fail again: the next transfer begins anew. (If this fails too, so will what follows, and says so.)
    if (auto txn = sqlite::Transaction::begin_write(store_.db()); txn && purge()) static_cast<void>(txn->commit());
    return report;
}

void Staging::discard() {
    // Where this fails, what is in the file is a shorter beginning of the same checkpoint: more is sent again, nothing is wrong.
    if (spooled_ && !memory_.empty()) static_cast<void>(spill());
    forget_memory();
}

// Rows of skerry_stage stay: they are gone on with, or cleared by whoever claims them next.
void Staging::forget_memory() {
    memory_.clear();
    memory_bytes_ = 0;
    spilled_ = false;
    spooled_ = false;
    mark_.clear();
}

}  // namespace skerry::store
