// A captured store, a plain database and the server come to the same rows, whatever SQL a program says.
// SKERRY_PROGRAMS of them (2,000) from SKERRY_SEED on, ten in a world, in shards for ctest -j.
#include <gtest/gtest.h>

#include "differential/programs.hpp"
#include "kit/events/seeds.hpp"
#include "kit/world/world.hpp"
#include "simulation/worlds.hpp"

namespace skerry::differential {
namespace {

constexpr std::uint64_t kFirstSeed = 0xD1FF'0000;
constexpr std::uint64_t kProgramsInAWorld = 10;
constexpr std::uint64_t kShards = 4;

using Rows = std::vector<std::string>;

Rows rows_of(sqlite::Database& db, const std::string& table) {
    Rows out;
    auto select = db.prepare_once("SELECT * FROM " + table);
    if (!select) return {"cannot read " + table + ": " + describe(select.error())};
    while ((*select)->step().value_or(false)) {
        std::string line;
        for (int i = 0; i < (*select)->columns(); ++i) {
            Value value = (*select)->value(i);
            // Numbering spells JSON canonically, which a plain database does not.
            if ((*select)->column_name(i) == "data" && std::holds_alternative<std::string>(value)) {
                const model::Entity& part = program_model().entities.front();
                if (auto spelt = model::canonical(part, part.attributes.back(), value)) value = std::move(*spelt);
            }
            line.append(" ").append(model::to_text(value));
        }
        out.push_back(std::move(line));
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::string difference(sqlite::Database& captured, sqlite::Database& plain, const std::vector<std::string>& tables) {
    for (const std::string& table : tables) {
        const Rows a = rows_of(captured, table);
        const Rows b = rows_of(plain, table);
        if (a == b) continue;
        std::string out = table + " differs\n  captured:";
        for (const std::string& line : a) out.append("\n   ").append(line);
        out += "\n  plain:";
        for (const std::string& line : b) out.append("\n   ").append(line);
        return out;
    }
    return {};
}

class Pair {
  public:
    Pair(std::uint64_t seed, bool trace) : trace_(trace), world_(seed, {.model = &program_model()}), device_(world_.device("app")) {
        auto plain = sqlite::Database::open(":memory:", {});
        if (plain) plain_ = std::move(*plain);
        for (const std::string& sql : plain_schema()) must(plain_.exec(sql), sql);
        for (const std::string& sql : app_schema()) must(plain_.exec(sql), sql);
        for (const std::string& sql : app_schema()) must(device_.store().db().exec(sql), sql);
    }

    void run(const std::vector<Transaction>& program) {
        for (const Transaction& txn : program) {
            if (!wrong_.empty()) return;
            std::vector<bool> answers;
            if (txn.by == By::kLibrary) {
                by_library(txn, answers);
            } else {
                by_another_program(txn, answers);
            }
            by_plain(txn, answers);
            compare("after a transaction");
        }
        if (wrong_.empty()) sync();
    }

    // What this device came to is what the server and a device from nothing have.
    void finish() {
        if (wrong_.empty() && !world_.finish()) wrong_ = world_.report();
    }
    const std::string& wrong() const { return wrong_; }

  private:
    void must(const Result<void>& done, const std::string& what) {
        if (!done && wrong_.empty()) wrong_ = what + ": " + describe(done.error());
    }
    void note(const std::string& sql, const Result<void>& done, std::vector<bool>& answers) {
        answers.push_back(done.has_value());
        if (trace_) std::printf("  %s%s\n", sql.c_str(), done ? "" : ("  -- " + describe(done.error())).c_str());
    }

    void by_library(const Transaction& txn, std::vector<bool>& answers) {
        if (trace_) std::printf("library, %s\n", txn.commit ? "commit" : "rollback");
        recursive_ = device_.store().db().integer("PRAGMA recursive_triggers").value_or(0) != 0;
        must(device_.transaction([&](store::Store& store) -> Result<void> {
            for (const std::string& sql : txn.statements) {
                auto said = store.sql(sql);
                note(sql, said ? Result<void>{} : Result<void>(fail(said.error())), answers);
            }
            return {};
        }, txn.commit), "the library's transaction");
    }

    void by_another_program(const Transaction& txn, std::vector<bool>& answers) {
        recursive_ = txn.by == By::kOtherProgramRecursive;
        if (trace_) std::printf("another program%s, %s\n", recursive_ ? " with recursive triggers" : "", txn.commit ? "commit" : "rollback");
        must(device_.program(1, [&](std::size_t, sqlite::Database& db) -> Result<void> {
            say(txn, db, answers);
            return {};
        }, recursive_), "another program");
    }

    void by_plain(const Transaction& txn, const std::vector<bool>& captured) {
        must(plain_.exec(recursive_ ? "PRAGMA recursive_triggers = ON" : "PRAGMA recursive_triggers = OFF"), "pragma");
        std::vector<bool> answers;
        const bool trace = std::exchange(trace_, false);
        must(plain_.exec("BEGIN"), "begin");
        say(txn, plain_, answers);
        if (plain_.in_transaction()) must(plain_.exec(txn.commit ? "COMMIT" : "ROLLBACK"), "end");
        trace_ = trace;
        if (answers == captured || !wrong_.empty()) return;
        for (std::size_t i = 0; i < std::min(answers.size(), captured.size()); ++i)
            if (answers[i] != captured[i]) wrong_ = txn.statements[i] + (captured[i] ? " is refused by a plain database only" : " is refused by the captured store only");
        if (wrong_.empty()) wrong_ = "a transaction ended early on one side";
    }

    // Until a statement has ended the transaction (OR ROLLBACK). A refused one changes nothing, and the next follows.
    void say(const Transaction& txn, sqlite::Database& db, std::vector<bool>& answers) {
        for (const std::string& sql : txn.statements) {
            note(sql, db.exec(sql), answers);
            if (!db.in_transaction()) return;
        }
        if (!txn.commit) must(db.exec("ROLLBACK"), "rollback");
    }

    void compare(const char* when) {
        if (!wrong_.empty()) return;
        wrong_ = difference(device_.store().db(), plain_, tables());
        if (!wrong_.empty()) wrong_.insert(0, std::string(when).append(": "));
    }

    void sync() {
        device_.look();
        world_.sync(device_);
        if (!world_.ok()) wrong_ = world_.report();
        // Arriving rows may have run the app's triggers once more: its own log is not compared across a sync.
        for (const char* sql : {"DELETE FROM log", "DELETE FROM tally"}) {
            must(device_.store().db().exec(sql), sql);
            must(plain_.exec(sql), sql);
        }
        compare("after a sync");
        if (!wrong_.empty()) return;
        if (device_.unsettled() != 0) wrong_ = "not everything settled";
        const kit::Images server = kit::without_records(world_.server().images(), program_model());
        const auto plain = kit::read_images(plain_, without_builtin_);
        if (!plain) wrong_ = describe(plain.error());
        if (plain && kit::canonical(*plain, program_model()) != server) wrong_ = "the server's rows differ";
    }

    bool trace_;
    kit::World world_;
    kit::Device& device_;
    sqlite::Database plain_;
    bool recursive_ = false;
    std::string wrong_;
    model::Model without_builtin_ = [] {
        model::Model m = program_model();
        std::erase_if(m.entities, [](const model::Entity& entity) { return entity.builtin(); });
        return m;
    }();
};

class Differential : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(Differential, captured_plain_and_server_agree) {
    const std::uint64_t first = kit::from_environment("SKERRY_SEED", kFirstSeed);
    const std::uint64_t worlds = (kit::from_environment("SKERRY_PROGRAMS", 2'000) + kProgramsInAWorld - 1) / kProgramsInAWorld;
    const bool trace = kit::from_environment("SKERRY_TRACE", 0) != 0;
    std::uint64_t programs = 0;
    for (std::uint64_t i = GetParam(); i < worlds; i += kShards) {
        Pair pair(first + i, trace);
        SeededRandom random = kit::stream(first + i, "programs");
        for (std::uint64_t k = 0; k < kProgramsInAWorld && pair.wrong().empty(); ++k, ++programs) pair.run(random_program(random));
        pair.finish();
        ASSERT_TRUE(pair.wrong().empty()) << pair.wrong() << "\nreplay: SKERRY_SEED=0x" << std::hex << first + i << " SKERRY_PROGRAMS=1 SKERRY_TRACE=1";
    }
    std::printf("%llu programs from seed 0x%llx\n", static_cast<unsigned long long>(programs), static_cast<unsigned long long>(first));
}

INSTANTIATE_TEST_SUITE_P(shard, Differential, ::testing::Range<std::uint64_t>(0, kShards));

}  // namespace
}  // namespace skerry::differential
