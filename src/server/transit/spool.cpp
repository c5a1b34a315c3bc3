#include "server/transit/spool.hpp"

#include <array>

#include "wire/messages.hpp"

namespace skerry::server::transit {

namespace {

// One piece as it is stored, so that reading from the middle of a long one costs little.
constexpr std::size_t kPieceBytes = 64u << 10;

std::int64_t as_int(std::uint64_t v) { return static_cast<std::int64_t>(v); }
std::uint64_t as_uint(std::int64_t v) { return static_cast<std::uint64_t>(v); }

tl::unexpected<Error> gone() { return fail(Code::kNotFound, "the kept answer is no longer there"); }

Result<void> forget_in(sqlite::Database& db, BytesView id) {
    SKERRY_ASSIGN(sqlite::Statement pieces, db.prepare("DELETE FROM spool_piece WHERE spool = ?1"));
    SKERRY_TRY(pieces.bind_blob(1, id).run());
    SKERRY_ASSIGN(sqlite::Statement spool, db.prepare("DELETE FROM spool WHERE id = ?1"));
    return spool.bind_blob(1, id).run();
}

}  // namespace

Result<Bytes> Spool::begin(const SpoolOwner& owner, Micros now) {
    SKERRY_ASSIGN(sqlite::Database* const db, file_.db());
    std::array<std::uint8_t, wire::kSpoolIdBytes> drawn{};
    random_.fill(drawn);
    const Bytes id(view_of(drawn));
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(*db));
    SKERRY_ASSIGN(sqlite::Statement last, db->prepare("SELECT id FROM spool WHERE device = ?1"));
    last.bind_blob(1, owner.device.view());
    SKERRY_ASSIGN(const bool had, last.step());
    const Bytes old(had ? last.blob(0) : BytesView{});
    last.reset();
    if (had) SKERRY_TRY(forget_in(*db, old));
    SKERRY_TRY(make_room(*db, now));
    SKERRY_ASSIGN(sqlite::Statement put, db->prepare(
        "INSERT INTO spool(id, device, user, continues, grants, bytes, whole, used_us) VALUES(?1, ?2, ?3, ?4, ?5, 0, 0, ?6)"));
    SKERRY_TRY(put.bind_blob(1, id).bind_blob(2, owner.device.view()).bind_text(3, owner.user).bind(4, as_int(owner.continues))
                   .bind(5, as_int(owner.grants)).bind(6, now.count()).run());
    SKERRY_TRY(txn.commit());
    SKERRY_TRY(file_.shrink());
    return id;
}

Result<void> Spool::make_room(sqlite::Database& db, Micros now) {
    for (;;) {
        SKERRY_ASSIGN(const std::int64_t used, db.integer("SELECT ifnull(sum(bytes), 0) FROM spool"));
        SKERRY_ASSIGN(sqlite::Statement oldest, db.prepare("SELECT id, used_us FROM spool ORDER BY used_us LIMIT 1"));
        SKERRY_ASSIGN(const bool any, oldest.step());
        const Bytes id(any ? oldest.blob(0) : BytesView{});
        const bool old = any && now - Micros(oldest.integer(1)) > kSpoolAgeMax;
        oldest.reset();
        if (!any || (!old && as_uint(used) <= kSpoolBytesMax)) return {};
        SKERRY_TRY(forget_in(db, id));
    }
}

Result<void> Spool::append(BytesView id, BytesView bytes, bool whole) {
    SKERRY_ASSIGN(sqlite::Database* const db, file_.db());
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(*db));
    SKERRY_ASSIGN(const auto state, find(id));
    if (!state) return gone();
    std::uint64_t at = state->bytes;
    SKERRY_ASSIGN(sqlite::Statement put, db->prepare("INSERT INTO spool_piece(spool, at, bytes) VALUES(?1, ?2, ?3)"));
    while (!bytes.empty()) {
        const BytesView piece = bytes.substr(0, kPieceBytes);
        SKERRY_TRY(put.bind_blob(1, id).bind(2, as_int(at)).bind_blob(3, piece).run());
        at += piece.size();
        bytes.remove_prefix(piece.size());
    }
    SKERRY_ASSIGN(sqlite::Statement note, db->prepare("UPDATE spool SET bytes = ?2, whole = ?3 WHERE id = ?1"));
    SKERRY_TRY(note.bind_blob(1, id).bind(2, as_int(at)).bind(3, std::int64_t{whole ? 1 : 0}).run());
    return txn.commit();
}

Result<std::optional<SpoolState>> Spool::find(BytesView id) {
    SKERRY_ASSIGN(sqlite::Database* const db, file_.db());
    SKERRY_ASSIGN(sqlite::Statement get, db->prepare("SELECT device, user, continues, grants, bytes, whole FROM spool WHERE id = ?1"));
    get.bind_blob(1, id);
    SKERRY_ASSIGN(const bool row, get.step());
    std::optional<SpoolState> state;
    if (row) {
        state.emplace();
        state->owner = {DeviceId::from(get.blob(0)), std::string(get.text(1)), as_uint(get.integer(3)), as_uint(get.integer(2))};
        state->bytes = as_uint(get.integer(4));
        state->whole = get.integer(5) != 0;
    }
    get.reset();
    return state;
}

Result<void> Spool::read(BytesView id, std::uint64_t offset, std::size_t most, Bytes& out, Micros now) {
    SKERRY_ASSIGN(sqlite::Database* const db, file_.db());
    SKERRY_ASSIGN(sqlite::Statement touch, db->prepare("UPDATE spool SET used_us = ?2 WHERE id = ?1 AND used_us < ?2 - 60000000"));
    SKERRY_TRY(touch.bind_blob(1, id).bind(2, now.count()).run());
    SKERRY_ASSIGN(sqlite::Statement piece, db->prepare(
        "SELECT at, bytes FROM spool_piece WHERE spool = ?1 AND at <= ?2 ORDER BY at DESC LIMIT 1"));
    const std::size_t end = out.size() + most;
    while (out.size() < end) {
        piece.bind_blob(1, id).bind(2, as_int(offset));
        SKERRY_ASSIGN(const bool row, piece.step());
        if (!row) return gone();
        const BytesView bytes = piece.blob(1);
        const std::uint64_t skip = offset - as_uint(piece.integer(0));
        if (skip >= bytes.size()) {
            piece.reset();
            return {};  // that was the end
        }
        const BytesView taken = bytes.substr(skip, end - out.size());
        out += taken;
        offset += taken.size();
        piece.reset();
    }
    return {};
}

Result<void> Spool::forget(BytesView id) {
    SKERRY_ASSIGN(sqlite::Database* const db, file_.db());
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(*db));
    SKERRY_TRY(forget_in(*db, id));
    SKERRY_TRY(txn.commit());
    return file_.shrink();
}

}  // namespace skerry::server::transit
