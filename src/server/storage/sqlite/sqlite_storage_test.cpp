// What the interface promises, on SQLite; the same is to hold for every other backend.
#include <gtest/gtest.h>

#include <filesystem>

#include "server/storage/sqlite/backend.hpp"

namespace skerry::server::storage {
namespace {

std::vector<std::string> keys_of(const std::vector<Member>& members) {
    std::vector<std::string> keys;
    for (const Member& member : members) keys.push_back(member.key);
    return keys;
}

struct Sqlite : testing::Test {
    Sqlite() {
        model.app = "test";
        model.entities.push_back({"place", {"id", model::Type::kText}, {{"name", model::Type::kText}, {"people", model::Type::kInt}}});
        model.entities.push_back({"tag", {"code", model::Type::kText}, {}});
        model::complete(model);
        static int count = 0;
        path = testing::TempDir() + "skerry_storage_" + std::to_string(::getpid()) + "_" + std::to_string(count++) + ".db";
        EXPECT_TRUE(SqliteBackend::create(path, {}, model, random));
        auto opened = SqliteBackend::open(path, {});
        EXPECT_TRUE(opened);
        backend = std::move(*opened);
        auto txn = *backend->begin_write();
        EXPECT_TRUE(txn->adopt_rules(rules, 1, Micros{1}));
        EXPECT_TRUE(txn->commit());
    }
    ~Sqlite() override {
        backend.reset();
        for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
    }
    Mark sequence_and_commit(WriteTxn& txn) {
        const auto done = txn.sequence(random.u64(), rules, Micros{1});
        EXPECT_TRUE(done);
        EXPECT_TRUE(txn.commit());
        return done->mark;
    }

    SeededRandom random{1};
    model::Model model;
    std::string path;
    std::unique_ptr<Backend> backend;
    std::vector<ScopeRule> rules{{.name = "places", .entity = EntityIx{0}, .whole = true}, {.name = "tags", .entity = EntityIx{1}, .whole = true}};
    const std::vector<wire::ScopeId> places{wire::ScopeId{1}};
    const std::vector<wire::ScopeId> tags{wire::ScopeId{2}};
};

TEST_F(Sqlite, an_uncommitted_transaction_leaves_nothing) {
    { ASSERT_TRUE((*backend->begin_write())->insert(EntityIx{1}, "x", {})); }
    auto view = *backend->snapshot();
    EXPECT_TRUE(*view->queue_empty());
    EXPECT_FALSE(view->rows(EntityIx{1}, std::vector<std::string>{"x"})->at(0));
}

TEST_F(Sqlite, rows_are_those_of_the_keys_whether_these_lie_side_by_side_or_not) {
    {
        auto txn = *backend->begin_write();
        for (int i = 0; i < 1000; i += 2) ASSERT_TRUE(txn->insert(EntityIx{0}, "k" + std::to_string(1000 + i), {Value{std::to_string(i)}, Value{std::int64_t{i}}}));
        for (const char* code : {"a", "b", "d"}) ASSERT_TRUE(txn->insert(EntityIx{1}, code, {}));
        ASSERT_TRUE(txn->commit());
    }
    auto view = *backend->snapshot();
    for (const int step : {1, 2, 3, 50, 400, -1, -7}) {
        std::vector<std::string> keys;
        std::vector<bool> there;
        for (int i = step > 0 ? -4 : 1003; i >= -4 && i <= 1003; i += step) {
            keys.push_back("k" + std::to_string(1000 + i));
            there.push_back(i >= 0 && i < 1000 && i % 2 == 0);
        }
        const auto found = view->rows(EntityIx{0}, keys);
        ASSERT_TRUE(found);
        ASSERT_EQ(found->size(), keys.size()) << step;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            ASSERT_EQ(found->at(i).has_value(), there[i]) << step << " " << keys[i];
            const std::string name = std::to_string(std::stoi(keys[i].substr(1)) - 1000);
            EXPECT_TRUE(!there[i] || found->at(i)->at(0) == Value{name});
        }
    }
    const auto tags_found = view->rows(EntityIx{1}, std::vector<std::string>{"a", "b", "c", "d", "e"});
    ASSERT_TRUE(tags_found);
    EXPECT_TRUE(tags_found->at(0) && tags_found->at(1) && !tags_found->at(2) && tags_found->at(3) && !tags_found->at(4));
    EXPECT_TRUE(tags_found->at(0)->empty()) << "an entity without attributes";
}

TEST_F(Sqlite, a_snapshot_does_not_move) {
    auto before = *backend->snapshot();
    auto txn = *backend->begin_write();
    ASSERT_TRUE(txn->insert(EntityIx{1}, "x", {}));
    sequence_and_commit(*txn);
    EXPECT_EQ(before->last()->seq, Seq{0});
    EXPECT_EQ((*backend->snapshot())->last()->seq, Seq{1});
}

TEST_F(Sqlite, a_batch_is_everything_that_was_queued_and_nothing_makes_no_batch) {
    auto txn = *backend->begin_write();
    ASSERT_TRUE(txn->insert(EntityIx{0}, "b", {Null{}, std::int64_t{1}}));
    ASSERT_TRUE(txn->insert(EntityIx{0}, "a", {std::string("x"), Null{}}));
    const Mark first = sequence_and_commit(*txn);
    EXPECT_EQ(first.seq, Seq{1});
    txn = *backend->begin_write();
    EXPECT_EQ(sequence_and_commit(*txn), first);
    txn = *backend->begin_write();
    ASSERT_TRUE(txn->remove(EntityIx{0}, "a"));
    const Value name = std::string("y");
    ASSERT_TRUE(txn->update(EntityIx{0}, "b", std::vector<Assignment>{{0, &name}}));
    const Mark second = sequence_and_commit(*txn);
    auto view = *backend->snapshot();
    EXPECT_TRUE(*view->knows(first) && *view->knows(second));
    EXPECT_FALSE(*view->knows({first.seq, first.mark + 1}));
    EXPECT_FALSE(*view->knows({second.seq.next(), 0}));
    const auto keys = [&](Live live, Seq after, Seq upto) {
        std::vector<Member> found;
        auto cursor = *view->changed(EntityIx{0}, places, after, upto, live);
        while (true) {
            const std::size_t n = found.size();
            EXPECT_TRUE(cursor->next(1, found));
            if (found.size() == n) return keys_of(found);
        }
    };
    EXPECT_EQ(keys(Live::kYes, Seq{0}, Seq{2}), std::vector<std::string>{"b"});
    EXPECT_EQ(keys(Live::kNo, Seq{0}, Seq{2}), std::vector<std::string>{"a"});
    EXPECT_TRUE(keys(Live::kYes, Seq{2}, Seq{2}).empty());
    EXPECT_TRUE(keys(Live::kYes, Seq{0}, Seq{1}).empty()) << "a row has one place in the log: its last";
    EXPECT_EQ(*view->member_count(EntityIx{0}, places), 1u);
    EXPECT_EQ(keys_of(*view->members_after(EntityIx{0}, places, "", {}, 10)), std::vector<std::string>{"b"});
    EXPECT_EQ(view->changed_in(places, Seq{0}, Seq{2}, 1)->members, 1u);
}

TEST_F(Sqlite, a_savepoint_takes_back_what_came_after_it) {
    auto txn = *backend->begin_write();
    ASSERT_TRUE(txn->insert(EntityIx{1}, "kept", {}));
    ASSERT_TRUE(txn->savepoint());
    ASSERT_TRUE(txn->insert(EntityIx{1}, "dropped", {}));
    ASSERT_TRUE(txn->rollback_to());
    ASSERT_TRUE(txn->savepoint());
    ASSERT_TRUE(txn->insert(EntityIx{1}, "also kept", {}));
    ASSERT_TRUE(txn->release());
    sequence_and_commit(*txn);
    auto view = *backend->snapshot();
    EXPECT_EQ(keys_of(*view->members_after(EntityIx{1}, tags, "", {}, 10)), (std::vector<std::string>{"also kept", "kept"}));
}

TEST_F(Sqlite, what_one_process_commits_another_notices_and_waits_for) {
    auto other = *SqliteBackend::open(path, {});
    ASSERT_TRUE(other->foreign_commit());
    EXPECT_FALSE(*other->foreign_commit());
    auto txn = *backend->begin_write();
    ASSERT_TRUE(txn->insert(EntityIx{1}, "x", {}));
    EXPECT_EQ(other->begin_write(Patience::kNone).error().code, Code::kBusy);
    ASSERT_TRUE(txn->commit());
    EXPECT_TRUE(*other->foreign_commit());
    EXPECT_FALSE(*(*other->snapshot())->queue_empty());
}

TEST_F(Sqlite, any_set_of_attributes_can_be_updated) {
    model::Model wide{"wide", 1, {{"e", {"id", model::Type::kText}, {}}}};
    model::complete(wide);
    for (int i = 0; i < 7; ++i) wide.entities[0].attributes.push_back({"a" + std::to_string(i), model::Type::kInt});
    const std::string file = path + "wide";
    ASSERT_TRUE(SqliteBackend::create(file, {}, wide, random));
    auto store = *SqliteBackend::open(file, {});
    auto txn = *store->begin_write();
    model::Row row(7, Value{std::int64_t{0}});
    ASSERT_TRUE(txn->insert(EntityIx{0}, "x", row));
    for (std::int64_t set = 1; set < 128; ++set) {
        const Value v = set;
        std::vector<Assignment> values;
        for (std::uint32_t i = 0; i < 7; ++i)
            if ((set >> i & 1) != 0) {
                values.emplace_back(i, &v);
                row[i] = v;
            }
        ASSERT_TRUE(txn->update(EntityIx{0}, "x", values));
        ASSERT_EQ(txn->rows(EntityIx{0}, std::vector<std::string>{"x"})->at(0), row);
    }
    txn.reset();
    store.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file + suffix);
}

TEST_F(Sqlite, every_row_of_its_own_tables_comes_back_as_it_went) {
    auto txn = *backend->begin_write();
    DeviceRow device;
    device.id = random.id<DeviceId>();
    device.user = "anna";
    device.seen = TxnNo{3};
    ASSERT_TRUE(txn->put_device(device));
    EXPECT_TRUE(device.ix);
    device.acked = Seq{9};
    ASSERT_TRUE(txn->put_device(device));
    EXPECT_EQ((*txn->device(device.id))->acked, Seq{9});
    ASSERT_TRUE(txn->put_seen(device.ix, TxnNo{1}, UINT64_MAX));
    EXPECT_EQ(*txn->seen(device.ix, TxnNo{1}), UINT64_MAX);
    EXPECT_FALSE(*txn->seen(device.ix, TxnNo{2}));
    const wire::Outcome outcome{TxnNo{1}, wire::Verdict::kRejected, Code::kKeyTaken, TxnNo{1}, "taken", UINT64_MAX};
    ASSERT_TRUE(txn->put_outcome(device.ix, outcome));
    EXPECT_EQ(**txn->outcome(device.ix, TxnNo{1}), outcome);
    const KeyRef at{EntityIx{0}, "k"};
    ASSERT_TRUE(txn->put_result(device.ix, {TxnNo{1}, at, "name", ResultCode::kMerged, Bytes(8, 'l'), "the record"}));
    EXPECT_EQ((*txn->result(device.ix, TxnNo{1}, at, "name"))->record, "the record");
    EXPECT_FALSE(*txn->result(device.ix, TxnNo{1}, at, ""));
    ASSERT_TRUE(txn->purge_below(device.ix, TxnNo{2}));
    EXPECT_FALSE(*txn->outcome(device.ix, TxnNo{1}));
    EXPECT_TRUE(*txn->seen(device.ix, TxnNo{1})) << "for ever";
    ASSERT_TRUE(txn->put_token({Bytes(32, 'h'), "anna", "label", 1, 2}));
    EXPECT_EQ((*txn->token(Bytes(32, 'h')))->expires_us, 2);
    EXPECT_FALSE(*txn->token(Bytes(32, 'x')));
}

}  // namespace
}  // namespace skerry::server::storage
