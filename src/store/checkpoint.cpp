#include "store/checkpoint.hpp"

#include "base/assert.hpp"
#include "base/planted.hpp"
#include "store/applier.hpp"
#include "store/numbering.hpp"
#include "wire/continuing.hpp"

namespace skerry::store {

Result<ApplyReport> Staging::apply_staged() {
    std::vector<Held> memory = std::move(memory_);
    const bool spilled = spilled_;
    const Bytes mark = mark_;
    forget_memory();
    SKERRY_TRY(store_.reload_model());
    if (!store_.has_model()) return fail(Code::kModelMissing, "a checkpoint arrived before the model");
#ifdef SKERRY_PLANTED
    if (planted(Plant::kCursorSavedBeforeApply) && !memory.empty()) {
        SKERRY_ASSIGN(const auto last, wire::get_checkpoint(memory.back().payload));
        planted_token_ = store_.meta().bytes(key::kToken)->value_or(Bytes{});
        SKERRY_TRY(store_.meta().set_bytes(key::kToken, last.token));
    }
#endif
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(store_.db()));
    SKERRY_TRY(store_.reload_model());
    {
        Numbering numbering(store_.db(), store_.meta(), store_.tables(), store_.clock(), store_.random());
        SKERRY_TRY(numbering.number());
        SKERRY_ASSIGN(const bool closed, numbering.nothing_open());
        SKERRY_ASSERT(closed);
    }
    Applying applying(store_.tables());
    Applier applier(store_);
    bool begun = false;
    ApplyReport dropped;
    dropped.continues = false;
    const auto one = [&](wire::FrameType type, BytesView payload) -> Result<bool> {
        if (begun) {
            SKERRY_TRY(applier.frame(type, payload));
            return true;
        }
        if (type != wire::FrameType::kBegin) return fail(Code::kDamagedFrame, "a checkpoint does not begin with its begin");
        SKERRY_ASSIGN(const wire::Begin begin, wire::get_begin(payload));
        SKERRY_ASSIGN(auto token, store_.meta().bytes(key::kToken));
        SKERRY_ASSIGN(const DeviceId device, store_.meta().device());
#ifdef SKERRY_PLANTED
        if (planted(Plant::kCursorSavedBeforeApply)) token = planted_token_;
#endif
        if (begin.from != wire::continues(device, token.value_or(Bytes{}))) return false;
        begun = true;
        SKERRY_TRY(applier.take_profile(begin.profile));
        SKERRY_TRY(applying.begin());
        SKERRY_TRY(applier.begin(begin));
        return true;
    };
    if (spilled) {
        SKERRY_ASSIGN(const auto whose, store_.meta().bytes(key::kStaged));
        if (whose != mark) return dropped;  // another process took skerry_stage for its own
        SKERRY_ASSIGN(sqlite::Statement staged, store_.db().prepare("SELECT type, payload FROM skerry_stage ORDER BY n"));
        for (;;) {
            SKERRY_ASSIGN(const bool row, staged.step());
            if (!row) break;
            const Bytes payload(staged.blob(1));
            SKERRY_ASSIGN(const bool continues, one(static_cast<wire::FrameType>(staged.integer(0)), payload));
            if (!continues) {
                staged.reset();
                return dropped;
            }
        }
        staged.reset();
    }
    SKERRY_TRY(purge());
    for (const Held& held : memory) {
        SKERRY_ASSIGN(const bool continues, one(held.type, held.payload));
        if (!continues) return dropped;
    }
    if (!begun || !applier.complete()) return fail(Code::kTruncated, "a checkpoint was staged without its end");
    SKERRY_TRY(applier.finish());
    SKERRY_TRY(applying.end());
    SKERRY_TRY(store_.meta().set_bytes(key::kToken, applier.token()));
    SKERRY_TRY(txn.commit());
    SKERRY_TRY(store_.empty_wal());
    return applier.take_report();
}

}  // namespace skerry::store
