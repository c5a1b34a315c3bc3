// A device's file that somebody else had in his hands (hostile_file.hpp): it opens or not, and whatever is asked of it is done or
// fails with a name. The first byte says what is asked.
#include "hostile_file.hpp"
#include "store/activity.hpp"
#include "store/check.hpp"
#include "store/checkpoint.hpp"
#include "store/chosen.hpp"
#include "store/drafts.hpp"
#include "store/forget.hpp"
#include "store/freshness.hpp"
#include "store/journal.hpp"
#include "store/live.hpp"
#include "store/outbox.hpp"
#include "store/records.hpp"
#include "world.hpp"

namespace {

using namespace skerry;
using fuzz::fine;

constexpr std::size_t kFewOfThem = 3;

void use_rows(store::Store& store) {
    for (const char* statement : {"SELECT * FROM house", "SELECT * FROM visit ORDER BY cost", "UPDATE house SET name = 'again', people = 7 WHERE id = 'a'",
                                  "INSERT INTO tag(code) VALUES('new')", "DELETE FROM tag WHERE code = 't1'", "INSERT OR REPLACE INTO house(id, name) VALUES('b', 'r')"})
        fine(store.sql(statement));
    if (!fine(store.begin())) return;
    fine(store.assert_row("house", "a", "people > 0"));
    fine(store.update("house", "a", {{"words", Value{std::string("[]")}}}, {{"words", Value{std::string("[\"w\"]")}}}));
    fine(store.update("house", "a", {{"note", Value{std::string("x")}}}, {{"note", Value{std::string("y")}}}));
    if (!fine(store.commit())) store.rollback();
}

void mend_drafts(store::Store& store) {
    const auto drafts = store::Drafts(store).list();
    if (!fine(drafts)) return;
    fine(store::Drafts(store).take_untold());
    for (std::size_t i = 0; i < drafts->size() && i < kFewOfThem; ++i) {
        const std::uint64_t number = (*drafts)[i].number;
        fine(store::Drafts(store).get(number));
        for (const RowChange& change : (*drafts)[i].changes)
            fine(store::Drafts(store).edit(number, change.entity, change.key, {{"name", Value{std::string("mended")}}}));
        if (i % 2 == 0) fine(store::Drafts(store).retry(number));
        else fine(store::Drafts(store).discard(number));
    }
}

void decide(store::Store& store) {
    const auto records = store::Records(store).list(true);
    if (!fine(records)) return;
    fine(store::Records(store).take_untold());
    for (std::size_t i = 0; i < records->size() && i < kFewOfThem; ++i) {
        Resolution resolution{.choice = static_cast<Choice>(i % 3), .values = {}};
        if (resolution.choice == Choice::kMix) resolution.values = {{(*records)[i].attribute, Value{std::string("open")}}};
        fine(store::Records(store).resolve((*records)[i].id, resolution));
    }
}

void look(store::Store& store) {
    fine(store::log(store, {}));
    fine(store::log(store, {.entity = "house", .key = "a"}));
    for (const char* entity : {"house", "visit", "skerry_conflict"}) fine(store::row_state(store, entity, "a"));
    fine(store::quarantine(store));
    fine(store::freshness(store, {}));
    fine(store::incomplete(store));
    fine(store::chosen(store));
    store::LiveQueries live(store);
    fine(live.add("SELECT count(*) FROM house", [](const Table&) {}));
    fine(live.poll());
}

void keep_books(store::Store& store) {
    store::Journal journal(store);
    const auto counts = journal.counts();
    fine(counts);
    fine(journal.next_batch({}, wire::kPushTxnsMax, wire::kPushBytesTarget));
    fine(journal.load(fuzz::made().next));
    fine(journal.load(TxnNo{1}));
    fine(store::forget_old(store));
    fine(store::Staging(store).resume());
    store::Checker checker(store);
    if (fine(checker.begin())) {
        wire::Check request;
        fine(checker.next(request));
    }
    fine(store::pack_outbox(store, store::WithToken::kYes));
    fine(journal.resend_from(TxnNo{1}));
    fine(journal.take_new_identity());
}

void sync_with_server(store::Store& store, fuzz::FuzzClock& clock, Random& random, kit::CrashDisk& disk) {
    SilentLog log;
    disk.import_file(fuzz::kServerFile, fuzz::made().server);
    auto server = server::Server::open({.place = fuzz::server_place(disk), .model = std::nullopt}, clock, random, log);
    SKERRY_ASSERT(server);
    static_cast<void>(fuzz::sync(store, **server, fuzz::made().bearer, clock, random, 60));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Choices in(fuzz::view(data, size));
    const std::uint8_t asks = in.byte();
    kit::CrashDisk& disk = fuzz::disk_with(fuzz::kDeviceFile, fuzz::made().device);
    const fuzz::Changed changed = fuzz::change_file(disk, fuzz::kDeviceFile, in);
    fuzz::FuzzClock clock;
    SeededRandom random(3);
    {
        const Bytes model = (asks & 1) != 0 ? fuzz::small_model().compile() : Bytes{};
        const auto opened = store::Store::open({.path = fuzz::kDeviceFile, .vfs = disk.vfs_name(), .device_name = "", .model = model, .busy_timeout_ms = 0}, clock, random);
        if (!fine(opened) || !(*opened)->has_model()) return 0;
        store::Store& store = **opened;
        if ((asks & 2) != 0) look(store);
        if ((asks & 4) != 0) use_rows(store);
        if ((asks & 8) != 0) mend_drafts(store);
        if ((asks & 16) != 0) decide(store);
        if ((asks & 32) != 0) sync_with_server(store, clock, random, disk);
        if ((asks & 64) != 0) keep_books(store);
    }
    // Values of any kind are no reason to break the file itself.
    if (changed.bytes || changed.schema) return 0;
    auto db = sqlite::Database::open(fuzz::kDeviceFile, {.vfs = disk.vfs_name(), .busy_timeout_ms = 0});
    SKERRY_ASSERT(db && db->integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check LIKE '%malformed%' OR integrity_check LIKE '%missing from index%'").value_or(0) == 0);
    return 0;
}
