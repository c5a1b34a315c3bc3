#include "differential/programs.hpp"

#include "kit/events/seeds.hpp"

namespace skerry::differential {

namespace {

using kit::between;
using kit::chance;
using model::Attribute;
using model::OnDelete;
using model::Type;

struct Writer {
    Random& random;

    template <std::size_t N>
    std::string any_of(const char* const (&of)[N]) {
        return of[random.below(N)];
    }
    std::string key() { return std::string("'") + static_cast<char>('a' + random.below(8)) + "'"; }
    std::string number() {
        return chance(random, 100) ? any_of({"9223372036854775807", "-9223372036854775808", "9007199254740993", "NULL"}) : std::to_string(between(random, -20, 900));
    }
    std::string text() { return any_of({"'x'", "'Straße'", "''", "NULL", "'two words'", "'it''s'", "'UPPER'", "'0'", "'1e3'", "'%'"}); }
    std::string real() { return any_of({"0.1", "0.1+0.2", "-0.0", "1e300", "3", "NULL", "5e-324", "2.5"}); }
    std::string blob() { return any_of({"x''", "x'00ff'", "zeroblob(5)", "NULL", "zeroblob(9000)", "x'30'"}); }
    std::string json() { return any_of({"'{\"b\":1, \"a\":2}'", "'[1.0,2]'", "NULL", "'\"x\"'"}); }
    std::string some() {  // which rows of part, tree, …: all have id and a number
        return any_of({"", " WHERE id < 'd'", " WHERE id IN ('a','c','e')", " WHERE id > 'c'", " WHERE id = 'b'", " WHERE length(id) = 1 AND id <> 'a'"});
    }
    std::string part_row() { return "(" + key() + ", " + text() + ", " + number() + ", " + real() + ", " + blob() + ", " + json() + ")"; }
    std::string part_rows() {
        std::string out = part_row();
        for (auto n = random.below(4); n > 0; --n) out += ", " + part_row();
        return out;
    }
    // An existing parent, or none: what refers to nothing is a matter for the server, not for capture.
    std::string parent(const char* table) { return std::string("(SELECT id FROM ") + table + " WHERE id = " + key() + ")"; }
    std::string verb() { return any_of({"INSERT", "INSERT", "INSERT OR IGNORE", "REPLACE", "INSERT OR FAIL", "INSERT OR ABORT", "INSERT OR REPLACE"}); }
    std::string grow() { return any_of({"INSERT", "INSERT OR IGNORE", "INSERT OR FAIL", "INSERT OR ABORT"}); }
    std::string update_verb() { return any_of({"UPDATE", "UPDATE", "UPDATE", "UPDATE OR REPLACE", "UPDATE OR IGNORE", "UPDATE OR FAIL", "UPDATE OR ABORT"}); }

    std::string set_part() {
        std::string out;
        const auto add = [&](std::string one) { out += (out.empty() ? "" : ", ") + one; };
        if (chance(random, 300)) add("n = n + " + std::to_string(random.below(50)));
        if (chance(random, 250)) add("name = " + text());
        if (chance(random, 150)) add("name = name || 'x'");
        if (chance(random, 150)) add("r = r * 2");
        if (chance(random, 100)) add("raw = " + blob());
        if (chance(random, 100)) add("data = " + json());
        if (out.empty()) add("n = " + number());
        return out;
    }

    std::string insert() {
        switch (random.below(9)) {
            case 0: return verb() + " INTO part(id) VALUES(" + key() + ")";
            case 1: return verb() + " INTO piece(id, part_id, v) VALUES(" + key() + ", " + parent("part") + ", " + number() + ")";
            case 2: return verb() + " INTO piece(id, part_id) SELECT id || '-p', id FROM part" + some();
            case 3: return verb() + " INTO tag(id, part_id, s) SELECT id || " + text() + " || '-t', id, name FROM part" + some();
            // No REPLACE here: it takes the descendants along, and a row of the same statement would refer to one of them.
            case 4: return grow() + " INTO tree(id, up, n) VALUES(" + key() + ", " + parent("tree") + ", " + number() + "), (" + key() + ", NULL, 1)";
            case 5: return chance(random, 200) ? "REPLACE INTO tree(id, n) VALUES(" + key() + ", " + number() + ")" : grow() + " INTO tree(id, up, n) SELECT id || '" + std::to_string(random.below(3)) + "', id, n FROM tree" + some();
            case 6: return "INSERT INTO tag(id, part_id, s) VALUES(" + key() + ", " + parent("part") + ", " + text() + ")";
            default: return verb() + " INTO part(id, name, n, r, raw, data) VALUES" + part_rows();
        }
    }
    std::string upsert() {
        const std::string insert = "INSERT INTO part(id, name, n, r, raw, data) VALUES" + part_rows();
        switch (random.below(5)) {
            case 0: return insert + " ON CONFLICT DO NOTHING";
            case 1: return insert + " ON CONFLICT(id) DO UPDATE SET n = coalesce(n, 0) + 1";
            case 2: return insert + " ON CONFLICT(id) DO UPDATE SET name = excluded.name, n = excluded.n WHERE excluded.n > 100";
            case 3: return "INSERT INTO tree(id, n) SELECT id, n FROM part WHERE true ON CONFLICT(id) DO UPDATE SET n = excluded.n";
            default: return insert + " ON CONFLICT(id) DO UPDATE SET " + set_part();
        }
    }
    std::string update() {
        switch (random.below(9)) {
            case 0: return update_verb() + " piece SET v = coalesce(v, 0) + 1" + some();
            case 1: return "UPDATE piece SET v = part.n FROM part WHERE part.id = piece.part_id";
            case 2: return update_verb() + " tree SET up = " + parent("tree") + ", n = n + 1" + some();
            case 3: return update_verb() + " part SET id = 'z' WHERE id = " + key();  // refused on both
            case 4: return update_verb() + " part SET n = CASE WHEN id = 'c' THEN 'text' ELSE n + 1 END" + some();  // fails half way
            case 5: return update_verb() + " tag SET s = upper(s), part_id = " + parent("part") + some();
            default: return update_verb() + " part SET " + set_part() + some();
        }
    }
    std::string erase() {
        switch (random.below(6)) {
            case 0: return "DELETE FROM tree" + some();
            case 1: return "DELETE FROM piece" + some();
            case 2: return "WITH big AS (SELECT id FROM part WHERE n > 100) DELETE FROM part WHERE id IN (SELECT id FROM big)";
            case 3: return "DELETE FROM part WHERE id = " + key() + " RETURNING id, n";
            case 4: return chance(random, 300) ? "DELETE FROM part" : "DELETE FROM tag WHERE s IS NULL";
            default: return "DELETE FROM part" + some();
        }
    }
    std::string through_view() {
        switch (random.below(3)) {
            case 0: return "INSERT INTO part_view(id, label) VALUES(" + key() + ", " + text() + ")";
            case 1: return "UPDATE part_view SET label = " + text() + some();
            default: return "DELETE FROM part_view" + some();
        }
    }
    std::string statement() {
        const auto dice = random.below(100);
        if (dice < 36) return insert();
        if (dice < 50) return upsert();
        if (dice < 76) return update();
        if (dice < 90) return erase();
        return through_view();
    }
};

Attribute parent(std::string name, std::uint32_t entity, OnDelete on_delete) {
    return {.name = std::move(name), .type = Type::kText, .references = EntityIx{entity}, .on_delete = on_delete};
}

}  // namespace

const model::Model& program_model() {
    static const model::Model model = [] {
        model::Model m;
        m.app = "programs";
        m.entities = {
            {"part", {"id", Type::kText}, {{"name", Type::kText}, {"n", Type::kInt}, {"r", Type::kReal}, {"raw", Type::kBlob}, {"data", Type::kJson}}},
            {"piece", {"id", Type::kText}, {parent("part_id", 0, OnDelete::kCascade), {.name = "v", .type = Type::kInt, .default_value = Value{std::int64_t{3}}}}},
            {"tag", {"id", Type::kText}, {parent("part_id", 0, OnDelete::kSetNull), {"s", Type::kText}}},
            {"tree", {"id", Type::kText}, {parent("up", 3, OnDelete::kCascade), {"n", Type::kInt}}},
        };
        model::complete(m);
        return m;
    }();
    return model;
}

std::vector<std::string> tables() { return {"part", "piece", "tag", "tree", "log", "tally"}; }

std::vector<std::string> app_schema() {
    return {
        "CREATE TABLE log(what TEXT)",
        "CREATE TABLE tally(what TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID",
        "CREATE TRIGGER shout_i AFTER INSERT ON part WHEN NEW.name IS NOT upper(NEW.name) BEGIN UPDATE part SET name = upper(name) WHERE id = NEW.id; END",
        "CREATE TRIGGER shout_u AFTER UPDATE OF name ON part WHEN NEW.name IS NOT upper(NEW.name) BEGIN UPDATE part SET name = upper(name) WHERE id = NEW.id; END",
        "CREATE TRIGGER spare AFTER INSERT ON part WHEN NEW.n > 600 BEGIN INSERT INTO piece(id, part_id, v) SELECT 'spare-' || NEW.id, NEW.id, NEW.n WHERE NOT EXISTS (SELECT 1 FROM piece WHERE id = 'spare-' || NEW.id); END",
        "CREATE TRIGGER count_piece AFTER INSERT ON piece BEGIN UPDATE part SET n = coalesce(n, 0) WHERE id = NEW.part_id; INSERT INTO log VALUES('piece ' || NEW.id); END",
        "CREATE TRIGGER note_delete AFTER DELETE ON piece BEGIN INSERT INTO tally VALUES(OLD.id, 1) ON CONFLICT(what) DO UPDATE SET n = n + 1; END",
        "CREATE TRIGGER refuse BEFORE UPDATE ON part WHEN NEW.n = 13 BEGIN SELECT RAISE(ABORT, 'thirteen'); END",
        "CREATE TRIGGER ignore_some BEFORE INSERT ON tag WHEN NEW.s = 'TWO WORDS' BEGIN SELECT RAISE(IGNORE); END",
        "CREATE VIEW part_view AS SELECT id, name AS label FROM part",
        "CREATE TRIGGER view_i INSTEAD OF INSERT ON part_view BEGIN INSERT INTO part(id, name) VALUES(NEW.id, NEW.label); END",
        "CREATE TRIGGER view_u INSTEAD OF UPDATE ON part_view BEGIN UPDATE part SET name = NEW.label WHERE id = OLD.id; END",
        "CREATE TRIGGER view_d INSTEAD OF DELETE ON part_view BEGIN DELETE FROM part WHERE id = OLD.id; END",
    };
}

std::vector<std::string> plain_schema() {
    std::vector<std::string> out{
        "CREATE TABLE part(id TEXT NOT NULL PRIMARY KEY, name TEXT, n INTEGER, r REAL, raw BLOB, data TEXT) STRICT",
        "CREATE TABLE piece(id TEXT NOT NULL PRIMARY KEY, part_id TEXT, v INTEGER DEFAULT 3) STRICT",
        "CREATE TABLE tag(id TEXT NOT NULL PRIMARY KEY, part_id TEXT, s TEXT) STRICT",
        "CREATE TABLE tree(id TEXT NOT NULL PRIMARY KEY, up TEXT, n INTEGER) STRICT",
        "CREATE TRIGGER part_gone AFTER DELETE ON part BEGIN DELETE FROM piece WHERE part_id = OLD.id; UPDATE tag SET part_id = NULL WHERE part_id = OLD.id; END",
        "CREATE TRIGGER tree_gone AFTER DELETE ON tree BEGIN DELETE FROM tree WHERE id IN (WITH RECURSIVE d(k) AS (SELECT OLD.id UNION SELECT t.id FROM d JOIN tree t ON t.up = d.k) SELECT k FROM d); END",
    };
    for (const std::string table : {"part", "piece", "tag", "tree"}) {
        out.push_back("CREATE TRIGGER " + table + "_key BEFORE UPDATE ON " + table + " WHEN NEW.id IS NOT OLD.id BEGIN SELECT RAISE(ABORT, 'key'); END");
        // A row without a key is refused by name, also where OR IGNORE would have left it out.
        out.push_back("CREATE TRIGGER " + table + "_no_key BEFORE INSERT ON " + table + " WHEN NEW.id IS NULL BEGIN SELECT RAISE(ABORT, 'no key'); END");
    }
    return out;
}

std::vector<Transaction> random_program(Random& random) {
    Writer writer{random};
    std::vector<Transaction> out;
    for (auto n = between(random, 3, 8); n > 0; --n) {
        Transaction& txn = out.emplace_back();
        const auto dice = random.below(10);
        txn.by = dice < 5 ? By::kLibrary : dice < 8 ? By::kOtherProgram : By::kOtherProgramRecursive;
        txn.commit = !chance(random, 120);
        bool saved = false;
        for (auto k = between(random, 1, 6); k > 0; --k) {
            // The library refuses ROLLBACK in all its forms; savepoints are for other programs.
            if (txn.by != By::kLibrary && !saved && chance(random, 150)) {
                txn.statements.push_back("SAVEPOINT s");
                saved = true;
            }
            txn.statements.push_back(writer.statement());
            if (saved && chance(random, 400)) {
                if (chance(random, 600)) txn.statements.push_back("ROLLBACK TO s");
                txn.statements.push_back("RELEASE s");
                saved = false;
            }
        }
        if (saved) txn.statements.push_back("RELEASE s");
        if (txn.by != By::kLibrary && chance(random, 40)) txn.statements.push_back("INSERT OR ROLLBACK INTO part(id) SELECT id FROM part");
    }
    return out;
}

}  // namespace skerry::differential
