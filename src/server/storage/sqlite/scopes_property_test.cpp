// Random writes by another program, batch after batch, against plain SQL: every row is in the scopes that it should be in, what
// changed has the batch's seq, and nothing else moved. Now and then the rules themselves change.
#include <algorithm>
#include <set>

#include "server/storage/sqlite/scopes_test_world.hpp"

namespace skerry::server::storage {
namespace {

// A rule, and what its scopes hold as a query of keys and places; written without a look at how the product does it.
struct Kind {
    ScopeRule rule;
    std::string expected;
};

std::vector<Kind> kinds() {
    const EntityIx team = ScopesWorld::kTeam, house = ScopesWorld::kHouse, visit = ScopesWorld::kVisit, photo = ScopesWorld::kPhoto;
    return {
        {whole("teams", team), "SELECT id, '' FROM team"},
        {by_key("worker", house, 1), "SELECT id, worker FROM house WHERE worker NOT NULL"},
        {by_key("worker open", house, 1, "r.status <> 'closed'"), "SELECT id, worker FROM house WHERE worker NOT NULL AND status IN ('new', 'open')"},
        {some("big", house, "r.rooms > 2"), "SELECT id, '' FROM house WHERE rooms IN (3, 4)"},
        {with("of teams", house, 0), "SELECT h.id, '' FROM house h JOIN team t ON t.id = h.team"},
        {by_key("rooms", house, 3), "SELECT id, printf('%d', rooms) FROM house WHERE rooms NOT NULL"},
        {by_key("itself", house, model::kKeyAttribute, "r.open = 1"), "SELECT id, id FROM house WHERE open"},
        {with("visits", visit, 1), "SELECT v.id, h.worker FROM visit v JOIN house h ON h.id = v.house WHERE h.worker NOT NULL"},
        {with("visits noted", visit, 2, "r.note IS NOT NULL"),
         "SELECT v.id, h.worker FROM visit v JOIN house h ON h.id = v.house WHERE h.worker NOT NULL AND h.status IN ('new', 'open') AND v.note NOT NULL"},
        {with("visits big", visit, 3), "SELECT v.id, '' FROM visit v JOIN house h ON h.id = v.house WHERE h.rooms IN (3, 4)"},
        {with("visits of teams", visit, 4), "SELECT v.id, '' FROM visit v JOIN house h ON h.id = v.house JOIN team t ON t.id = h.team"},
        {whole("visits whole", visit), "SELECT id, '' FROM visit"},
        {with("photos", photo, 7, "r.size > 1"),
         "SELECT p.id, h.worker FROM photo p JOIN visit v ON v.id = p.visit JOIN house h ON h.id = v.house WHERE h.worker NOT NULL AND p.size IN (2, 3, 4)"},
        {with("photos noted", photo, 8),
         "SELECT p.id, h.worker FROM photo p JOIN visit v ON v.id = p.visit JOIN house h ON h.id = v.house WHERE h.worker NOT NULL AND h.status IN ('new', 'open') AND v.note NOT NULL"},
    };
}

struct Walk : ScopesWorld {
    explicit Walk(std::uint64_t seed) : random(seed) {}

    std::uint64_t below(std::uint64_t n) { return random.u64() % n; }
    std::string one_of(std::initializer_list<const char*> choices) { return *(choices.begin() + below(choices.size())); }
    std::string key(const char* of) { return "'" + std::string(of) + std::to_string(below(6)) + "'"; }
    // Of a row that is there, or NULL.
    std::string parent(const char* table) { return below(5) == 0 ? "NULL" : std::string("(SELECT id FROM ") + table + " ORDER BY (substr(id, 2) + " + std::to_string(below(6)) + ") % 6 LIMIT 1)"; }

    std::string write() {
        const std::string worker = one_of({"NULL", "'ann'", "'bob'", "'cy'", "''"});
        const std::string status = one_of({"NULL", "'new'", "'open'", "'closed'"});
        const std::string number = one_of({"NULL", "0", "1", "2", "3", "4"});
        switch (below(14)) {
            case 0: return "INSERT OR REPLACE INTO team VALUES(" + key("t") + ", " + worker + ")";
            case 1: return "DELETE FROM team WHERE id = " + key("t");
            case 2:
            case 3: return "INSERT OR IGNORE INTO house VALUES(" + key("h") + ", " + parent("team") + ", " + worker + ", " + status + ", " + number + ", " + one_of({"0", "1", "NULL"}) + ")";
            case 4: return "UPDATE house SET worker = " + worker + " WHERE id = " + key("h");
            case 5: return "UPDATE house SET status = " + status + ", rooms = " + number;
            case 6: return "UPDATE house SET rooms = " + number + ", open = " + one_of({"0", "1"}) + " WHERE id > " + key("h");
            case 7: return "UPDATE house SET team = " + parent("team") + " WHERE id = " + key("h");
            case 8: return "DELETE FROM house WHERE id = " + key("h");
            case 9: return "INSERT OR REPLACE INTO visit VALUES(" + key("v") + ", " + parent("house") + ", " + status + ")";
            case 10: return "UPDATE visit SET house = " + parent("house") + ", note = " + status + " WHERE id = " + key("v");
            case 11: return "DELETE FROM visit WHERE id = " + key("v");
            case 12: return "INSERT OR IGNORE INTO photo VALUES(" + key("p") + ", " + parent("visit") + ", " + number + ")";
            default: return "UPDATE photo SET visit = " + parent("visit") + ", size = " + number + " WHERE id < " + key("p");
        }
    }

    // A choice of the kinds with the parents that they need; parents first.
    void change_rules() {
        const auto all = kinds();
        std::vector<bool> wanted(all.size());
        for (std::size_t i = all.size(); i-- > 0;) {
            if (below(3) > 0) wanted[i] = true;
            if (wanted[i] && all[i].rule.parent) wanted[*all[i].rule.parent] = true;
        }
        std::vector<std::size_t> at(all.size());
        std::vector<ScopeRule> rules;
        expected.clear();
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (!wanted[i]) continue;
            ScopeRule rule = all[i].rule;
            if (rule.parent) rule.parent = at[*rule.parent];
            at[i] = rules.size();
            expected[rule.name] = all[i].expected;
            rules.push_back(std::move(rule));
        }
        adopt(std::move(rules));
    }

    std::set<LineAt> truth() {
        std::set<LineAt> lines;
        for (const auto& [rule, query] : expected)
            for (const auto& [row, place] : pairs(query)) lines.insert({rule, row, place});
        return lines;
    }
    void expect_truth(const Lines& lines) {
        const auto wanted = truth();
        for (const LineAt& at : wanted) {
            const auto is = lines.find(at);
            EXPECT_TRUE(is != lines.end() && is->second.second) << at.rule << " lacks " << at.key << " in " << at.place;
        }
        for (const auto& [at, line] : lines) EXPECT_TRUE(!line.second || wanted.contains(at)) << at.rule << " still has " << at.key << " in " << at.place;
    }

    void one_batch() {
        const auto before = lines();
        for (std::uint64_t n = 1 + below(6); n > 0; --n) sql(write());
        std::set<std::pair<EntityIx, std::string>> touched;
        for (const auto& [entity, row] : pairs("SELECT entity, key FROM skerry_queue")) touched.emplace(EntityIx{static_cast<std::uint32_t>(std::stoul(entity))}, row);
        const Seq last = view()->last()->seq;
        const Seq seq = sequence();
        ASSERT_EQ(seq, touched.empty() ? last : last.next());
        const auto after = lines();
        expect_truth(after);
        for (const auto& [at, line] : after) {
            const auto was = before.find(at);
            const bool turned = was == before.end() || was->second.second != line.second;
            const auto rule = std::find_if(rules_.begin(), rules_.end(), [&](const ScopeRule& r) { return r.name == at.rule; });
            const bool written = touched.contains({rule->entity, at.key}) && line.second;
            // A tombstone of a whole entity may be announced anew.
            const bool again = rule->whole && !line.second && touched.contains({rule->entity, at.key});
            if (turned || written) {
                EXPECT_EQ(line.first, seq) << at.rule << " " << at.key << " " << at.place;
            } else if (!again) {
                EXPECT_EQ(line.first, was->second.first) << at.rule << " " << at.key << " " << at.place << " moved without a reason";
            }
        }
        for (const auto& [at, line] : before) EXPECT_TRUE(after.contains(at)) << at.rule << " " << at.key << " is forgotten";
    }

    void other_rules() {
        const auto before = lines();
        const auto had = expected;
        std::map<std::string, EntityIx> entity_of;
        for (const ScopeRule& rule : rules_) entity_of[rule.name] = rule.entity;
        const Seq last = view()->last()->seq;
        change_rules();
        const auto after = lines();
        expect_truth(after);
        for (const ScopeRule& rule : rules_) {
            for (const auto& [at, line] : after) {
                if (at.rule != rule.name) continue;
                if (had.contains(at.rule)) {
                    const auto was = before.find(at);
                    ASSERT_TRUE(was != before.end() && was->second == line) << at.rule << " stayed, so do its rows";
                    continue;
                }
                std::optional<Seq> live;
                Seq left;
                for (const auto& [other, of_other] : before) {
                    if (other.key != at.key || entity_of.at(other.rule) != rule.entity) continue;
                    if (of_other.second) live = std::max(live.value_or(Seq{}), of_other.first);
                    else left = std::max(left, of_other.first);
                }
                EXPECT_EQ(line.first, std::max(live.value_or(gone), left)) << at.rule << " " << at.key;
                EXPECT_TRUE(line.second);
            }
        }
        const bool some_went = std::any_of(had.begin(), had.end(), [&](const auto& rule) { return !expected.contains(rule.first); });
        if (some_went) gone = last.next();
        EXPECT_EQ(view()->last()->seq, some_went ? gone : last);
    }

    Seq gone;  // when the last rule went
    SeededRandom random;
    std::map<std::string, std::string> expected;  // query by the rule's name
};

class ScopesProperty : public testing::TestWithParam<std::uint64_t> {};

TEST_P(ScopesProperty, membership_is_what_plain_sql_says_and_only_what_changed_moves) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()));
    Walk walk(GetParam());
    walk.sql("PRAGMA synchronous = OFF");
    walk.change_rules();
    for (int step = 0; step < 60 && !testing::Test::HasFailure(); ++step) {
        if (walk.below(12) == 0) {
            walk.other_rules();
        } else {
            walk.one_batch();
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ScopesProperty, testing::Range<std::uint64_t>(1, 9));

}  // namespace
}  // namespace skerry::server::storage
