#include "host/store_link.hpp"

#include "store/chosen.hpp"
#include "store/forget.hpp"

namespace skerry::host {

StoreLink::StoreLink(store::Store& store, engine::TurnPort* turn) : store_(store), turn_(turn), journal_(store), staging_(store), check_(store) {}

Result<engine::SyncState> StoreLink::state() {
    SKERRY_TRY(store_.reload_model());
    SKERRY_TRY(store_.number_open());
    engine::SyncState state;
    store::Meta& meta = store_.meta();
    SKERRY_ASSIGN(state.device, meta.device());
    SKERRY_ASSIGN(const auto name, meta.bytes(store::key::kDeviceName));
    state.device_name = name.value_or("");
    state.has_model = store_.has_model();
    state.model_hash = state.has_model ? store_.model_hash() : 0;
    SKERRY_ASSIGN(const auto enrolled, meta.integer(store::key::kEnrolled));
    state.enrolled = enrolled.value_or(0) != 0;
    SKERRY_ASSIGN(const auto token, meta.bytes(store::key::kToken));
    state.token = token.value_or("");
    SKERRY_ASSIGN(const auto verify, meta.integer(store::key::kVerify));
    state.verify_wanted = verify.value_or(0) != 0;
    SKERRY_ASSIGN(state.resume, staging_.resume());
    SKERRY_ASSIGN(state.chosen, store::chosen(store_));
    SKERRY_ASSIGN(const auto counts, journal_.counts());
    state.keep_from = counts.keep_from;
    state.first_unsettled = counts.first_unsettled;
    state.heals = counts.heals;
    state.unsettled = counts.unsettled;
    state.unsent = counts.unsent;
    state.sent_upto = counts.sent_upto;
    return state;
}

Result<engine::PushBatch> StoreLink::next_push(TxnNo from, std::size_t bytes_max) {
    SKERRY_ASSIGN(auto batch, journal_.next_batch(from, wire::kPushTxnsMax, bytes_max));
    return engine::PushBatch{std::move(batch.payloads), batch.first, batch.last};
}

Result<void> StoreLink::note_verdicts(const std::vector<wire::Outcome>& verdicts) { return journal_.mark_sent(verdicts); }

Result<void> StoreLink::server_expects(TxnNo no) { return journal_.resend_from(no); }

Result<void> StoreLink::take_new_identity() { return journal_.take_new_identity(); }

Result<void> StoreLink::enrolled(const wire::Enrolled& answer) {
    SKERRY_TRY(store_.adopt_model(answer.model));
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(store_.db()));
    SKERRY_TRY(store_.meta().set(store::key::kEnrolled, 1));
    SKERRY_TRY(store_.meta().set_text(store::key::kUser, answer.user));
    return txn.commit();
}

Result<void> StoreLink::stage_spooled(const wire::Spooled& spooled) { return staging_.stage_spooled(spooled); }

Result<void> StoreLink::stage(wire::FrameType type, BytesView payload) { return staging_.stage(type, payload); }

Result<engine::Applied> StoreLink::apply(bool* continues) {
    const Micros before = store_.clock().mono();
    SKERRY_ASSIGN(auto report, staging_.apply());
    *continues = report.continues;
    engine::Applied applied;
    applied.rows = report.rows;
    applied.settled = report.settled.size();
    applied.outcomes = std::move(report.settled);
    applied.took = store_.clock().mono() - before;
    SKERRY_TRY(store::forget_old(store_));
    return applied;
}

Result<TxnNo> StoreLink::select(const std::vector<EntityIx>& entities) {
    TxnNo last;
    for (const EntityIx entity : entities) {
        SKERRY_TRY(store_.number_kept(entity));
        SKERRY_ASSIGN(const auto no, store_.db().integer(
            "SELECT ifnull(max(no), 0) FROM skerry_txn JOIN skerry_op ON txn = no WHERE state = 1 AND entity = " + std::to_string(entity.value)));
        last = std::max(last, TxnNo{static_cast<std::uint64_t>(no)});
    }
    return last;
}

void StoreLink::discard_staged() { staging_.discard(); }

}  // namespace skerry::host
