#include "server/transit/parts.hpp"

#include "base/hash.hpp"

namespace skerry::server::transit {

namespace {

std::int64_t as_int(std::uint64_t v) { return static_cast<std::int64_t>(v); }

Result<void> forget_in(sqlite::Database& db, BytesView device) {
    for (const std::string_view table : {"part_piece", "part"}) {
        SKERRY_ASSIGN(sqlite::Statement erase, db.prepare("DELETE FROM " + std::string(table) + " WHERE device = ?1"));
        SKERRY_TRY(erase.bind_blob(1, device).run());
    }
    return {};
}

}  // namespace

Result<std::uint64_t> Parts::put(const DeviceId& device, const wire::Part& part, Micros now) {
    SKERRY_ASSIGN(sqlite::Database* const db, file_.db());
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(*db));
    SKERRY_ASSIGN(sqlite::Statement find, db->prepare("SELECT no, content, total, have FROM part WHERE device = ?1"));
    find.bind_blob(1, device.view());
    SKERRY_ASSIGN(const bool here, find.step());
    const bool same = here && find.integer(0) == as_int(part.no.value) && find.integer(1) == as_int(part.content) &&
                      find.integer(2) == as_int(part.total);
    std::uint64_t have = same ? static_cast<std::uint64_t>(find.integer(3)) : 0;
    find.reset();
    if (here && !same) SKERRY_TRY(forget_in(*db, device.view()));
    const std::uint64_t end = part.offset + part.bytes.size();
    if (part.offset <= have && end > have) {
        SKERRY_TRY(make_room(*db, device, end - have, now));
        SKERRY_ASSIGN(sqlite::Statement put, db->prepare("INSERT INTO part_piece(device, at, bytes) VALUES(?1, ?2, ?3)"));
        SKERRY_TRY(put.bind_blob(1, device.view()).bind(2, as_int(have)).bind_blob(3, BytesView(part.bytes).substr(have - part.offset)).run());
        have = end;
        SKERRY_ASSIGN(sqlite::Statement note, db->prepare("INSERT OR REPLACE INTO part(device, no, content, total, have, at_us) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"));
        SKERRY_TRY(note.bind_blob(1, device.view()).bind(2, as_int(part.no.value)).bind(3, as_int(part.content)).bind(4, as_int(part.total))
                       .bind(5, as_int(have)).bind(6, now.count()).run());
    }
    SKERRY_TRY(txn.commit());
    return have;
}

Result<void> Parts::make_room(sqlite::Database& db, const DeviceId& device, std::uint64_t bytes, Micros now) {
    SKERRY_ASSIGN(const std::int64_t used, db.integer("SELECT ifnull(sum(have), 0) FROM part"));
    std::int64_t left = static_cast<std::int64_t>(kPartsBytesMax) - used - as_int(bytes);
    SKERRY_ASSIGN(sqlite::Statement oldest, db.prepare("SELECT device, have, at_us FROM part WHERE device <> ?1 ORDER BY at_us LIMIT 1"));
    for (;;) {
        oldest.bind_blob(1, device.view());
        SKERRY_ASSIGN(const bool other, oldest.step());
        const Bytes whose(other ? oldest.blob(0) : BytesView{});
        const std::int64_t have = other ? oldest.integer(1) : 0;
        const Micros age = other ? now - Micros(oldest.integer(2)) : Micros{0};
        oldest.reset();
        const bool old = other && age > kPartsAgeMax;
        if (left >= 0 && !old) return {};
        if (!other || age < kPartsInUse) return fail(Code::kServerBusy, "too many large transactions arrive at once");
        SKERRY_TRY(forget_in(db, whose));
        left += have;
    }
}

Result<std::optional<Bytes>> Parts::whole(const DeviceId& device, const wire::Part& part) {
    SKERRY_ASSIGN(sqlite::Database* const db, file_.db());
    Bytes content;
    content.reserve(part.total);
    SKERRY_ASSIGN(sqlite::Statement pieces, db->prepare("SELECT bytes FROM part_piece WHERE device = ?1 ORDER BY at"));
    pieces.bind_blob(1, device.view());
    for (;;) {
        SKERRY_ASSIGN(const bool row, pieces.step());
        if (!row) break;
        content += pieces.blob(0);
    }
    pieces.reset();
    if (content.size() == part.total && hash64(content) == part.content) return content;
    SKERRY_TRY(forget(device));
    return std::nullopt;
}

Result<void> Parts::forget(const DeviceId& device) {
    SKERRY_ASSIGN(sqlite::Database* const db, file_.db());
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(*db));
    SKERRY_TRY(forget_in(*db, device.view()));
    SKERRY_TRY(txn.commit());
    return file_.shrink();
}

}  // namespace skerry::server::transit
