// Random histories against a reference that is a map and thirty lines: what the server holds, what devices hold
// after a pull, and which verdicts were given must be the same.
#include "server/app/test_world.hpp"

namespace skerry::server::test {
namespace {

struct Expected {
    std::map<std::string, model::Row> rows;
    struct Seen {
        Verdict verdict;
        std::map<std::string, model::Row> left;  // of the rows it touched; absent = gone
    };

    // Each op of these histories is a transaction of its own.
    Verdict judge(const wire::Op& op, const std::map<TxnNo, Seen>& before) {
        const auto at = rows.find(op.key);
        const auto rejected = [&](TxnNo no) { return no && before.at(no).verdict == Verdict::kRejected; };
        if (rejected(op.prev_row)) return Verdict::kRejected;
        for (const wire::Change& change : op.changes)
            if (rejected(change.prev)) return Verdict::kRejected;
        switch (op.kind) {
            case wire::OpKind::kInsert:
                if (at != rows.end()) return Verdict::kRejected;
                rows[op.key] = op.row;
                return Verdict::kApplied;
            case wire::OpKind::kDelete: {
                if (at == rows.end()) return Verdict::kApplied;
                bool known = model::row_hash(outreach().entity(op.entity), at->second) == op.base_hash;
                if (op.prev_row) {
                    const auto& left = before.at(op.prev_row).left;
                    known = left.count(op.key) != 0 && left.at(op.key) == at->second;
                }
                rows.erase(at);
                return known ? Verdict::kApplied : Verdict::kMerged;
            }
            case wire::OpKind::kUpdate: break;
        }
        if (at == rows.end()) return Verdict::kConflict;
        Verdict verdict = Verdict::kApplied;
        for (const wire::Change& change : op.changes) {
            Value& current = at->second[change.attribute];
            if (change.prev && before.at(change.prev).verdict == Verdict::kConflict) {
                verdict = Verdict::kConflict;  // no record is ever closed in these histories
                continue;
            }
            Value built_on = change.old_value;
            if (change.prev && before.at(change.prev).left.count(op.key) != 0) built_on = before.at(change.prev).left.at(op.key)[change.attribute];
            if (current == change.new_value) continue;
            if (current != built_on && verdict == Verdict::kApplied) verdict = Verdict::kMerged;
            current = change.new_value;
        }
        return verdict;
    }
};

struct Author {
    explicit Author(World& world, const std::string& user) : peer(world, user) {}
    Peer peer;
    std::map<std::string, model::Row> visible;            // what the app on the device shows
    std::map<std::string, std::map<std::uint32_t, TxnNo>> wrote;  // unsettled: key -> attribute -> number
    std::map<std::string, TxnNo> touched;
    std::map<TxnNo, Expected::Seen> verdicts;
    std::vector<std::pair<Transaction, wire::Op>> waiting;

    void settle() {
        visible.clear();
        for (const auto& [at, row] : peer.rows) visible[at.key] = row;
        wrote.clear();
        touched.clear();
        peer.keep_from = peer.no.next();
    }

    void edit(Random& random) {
        const std::string key = "k" + std::to_string(random.below(6));
        const auto at = visible.find(key);
        const TxnNo prev_row = touched.count(key) != 0 ? touched[key] : TxnNo{};
        wire::Op op;
        if (at == visible.end()) {
            op = Peer::insert(kPlace, key, {text("n" + std::to_string(random.below(5))), number(static_cast<std::int64_t>(random.below(5)))}, prev_row);
            visible[key] = op.row;
        } else if (random.below(4) == 0) {
            op = Peer::remove(kPlace, key, at->second, prev_row);
            visible.erase(at);
        } else {
            std::vector<wire::Change> changes;
            for (std::uint32_t a = 0; a < 2; ++a) {
                if (random.below(2) == 0) continue;
                const Value fresh = a == 0 ? text("n" + std::to_string(random.below(5))) : number(static_cast<std::int64_t>(random.below(5)));
                if (fresh == at->second[a]) continue;
                changes.push_back({a, at->second[a], fresh, wrote[key].count(a) != 0 ? wrote[key][a] : TxnNo{}});
                at->second[a] = fresh;
            }
            if (changes.empty()) return;
            op = Peer::update(kPlace, key, changes);
        }
        const Transaction txn = peer.txn({op});
        touched[key] = txn.no;
        if (op.kind == wire::OpKind::kInsert) wrote[key] = {{0, txn.no}, {1, txn.no}};
        if (op.kind == wire::OpKind::kDelete) wrote[key].clear();
        for (const wire::Change& change : op.changes) wrote[key][change.attribute] = txn.no;
        waiting.emplace_back(txn, op);
    }

    void sync(Expected& expected, Random& random) {
        std::vector<Transaction> batch;
        std::vector<Verdict> wanted;
        for (const auto& [txn, op] : waiting) {
            batch.push_back(txn);
            const Verdict verdict = expected.judge(op, verdicts);
            wanted.push_back(verdict);
            Expected::Seen seen{verdict, {}};
            if (expected.rows.count(op.key) != 0) seen.left[op.key] = expected.rows[op.key];
            verdicts[txn.no] = seen;
        }
        waiting.clear();
        if (random.below(3) == 0) peer.push(batch);  // the answer was lost: the same again
        const PushAnswer answer = peer.push(batch);
        ASSERT_EQ(answer.verdicts.size(), batch.size());
        for (std::size_t i = 0; i < wanted.size(); ++i)
            EXPECT_EQ(answer.verdict(i), wanted[i]) << peer.bearer << " transaction " << batch[i].no.value;
        const PullAnswer pull = peer.pull({.verify = random.below(10) == 0, .slice_rows = static_cast<std::uint32_t>(random.below(4))});
        ASSERT_FALSE(pull.error);
        for (const Transaction& txn : batch) EXPECT_EQ(peer.settled.count(txn.no), 1u);
        std::map<KeyRef, model::Row> rows;
        for (const auto& [key, row] : expected.rows) rows[{kPlace, key}] = row;
        std::map<KeyRef, model::Row> places;
        for (const auto& [at, row] : peer.rows)
            if (at.entity == kPlace) places[at] = row;
        EXPECT_EQ(places, rows);
        settle();
    }
};

TEST(Reference, random_histories_give_the_rows_and_verdicts_of_the_reference) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        World world;
        SeededRandom random(seed);
        Expected expected;
        std::vector<std::unique_ptr<Author>> authors;
        for (const char* user : {"anna", "bert", "carl"}) authors.push_back(std::make_unique<Author>(world, user));
        for (int step = 0; step < 80; ++step) {
            Author& author = *authors[random.below(authors.size())];
            for (std::uint64_t n = random.below(5); n > 0; --n) author.edit(random);
            if (random.below(2) == 0) author.sync(expected, random);
            if (random.below(30) == 0) {
                world.stop();
                world.start();
            }
            if (testing::Test::HasFailure()) return;
        }
    }
}

}  // namespace
}  // namespace skerry::server::test
