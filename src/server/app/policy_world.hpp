// For tests: a world whose model has an attribute of every policy, and entities with every way to decide about rows.
#pragma once

#include "server/app/test_world.hpp"

namespace skerry::server::test {

inline constexpr EntityIx kCard{0}, kDetected{1}, kWhole{2}, kBack{3}, kKeep{4}, kNatural{5}, kPair{6};

// Attributes of card, by position.
inline constexpr std::uint32_t kLastAt = 0, kFirstAt = 1, kMaxAt = 2, kMinAt = 3, kCounterAt = 4, kSetAt = 5, kTextAt = 6, kAskAt = 7;

inline model::Model policies() {
    using model::Merge;
    using model::Type;
    const auto two = [](std::string name) {
        return model::Entity{.name = std::move(name), .key = {"id", Type::kText}, .attributes = {{"a", Type::kText}, {"b", Type::kInt}}};
    };
    model::Model model{"policies", 1, {}};
    model.entities.push_back({.name = "card",
                              .key = {"id", Type::kText},
                              .attributes = {{"last", Type::kText, Merge::kLast}, {"first", Type::kText, Merge::kFirst},
                                             {"max", Type::kInt, Merge::kMax}, {"min", Type::kInt, Merge::kMin},
                                             {"counter", Type::kInt, Merge::kCounter}, {"set", Type::kSet, Merge::kSet},
                                             {"text", Type::kText, Merge::kText}, {"ask", Type::kText, Merge::kAsk}}});
    model.entities.push_back(two("detected"));
    model.entities.back().conflict = model::Conflict::kDetect;
    model.entities.push_back(two("whole"));
    model.entities.back().conflict = model::Conflict::kLast;
    model.entities.push_back(two("back"));
    model.entities.back().update_delete = model::UpdateDelete::kUpdateWins;
    model.entities.back().attributes[1].merge = Merge::kCounter;
    model.entities.push_back(two("keep"));
    model.entities.back().update_delete = model::UpdateDelete::kAsk;
    model.entities.push_back(two("natural"));
    model.entities.back().create_create = model::CreateCreate::kMerge;
    model.entities.back().attributes[1].merge = Merge::kAsk;
    model.entities.push_back(two("pair"));
    model.entities.back().strict = true;
    model::complete(model);
    return model;
}

struct PolicyWorld : testing::Test {
    World world{policies()};
    Peer anna{world, "anna"};
    Peer bert{world, "bert"};

    static wire::Op update(EntityIx entity, std::string key, std::uint32_t attribute, Value old_value, Value new_value, TxnNo prev = {}) {
        return Peer::update(entity, std::move(key), {{attribute, std::move(old_value), std::move(new_value), prev}});
    }
    // A delete by somebody who knew the row as `base`.
    wire::Op remove(EntityIx entity, std::string key, const model::Row& base) const {
        return {.kind = wire::OpKind::kDelete, .entity = entity, .key = std::move(key), .base_hash = model::row_hash(world.model.entity(entity), base)};
    }
    Outcome send(Peer& peer, std::vector<wire::Op> ops, std::vector<TxnNo> needs = {}) { return send(peer, peer.txn(std::move(ops), std::move(needs))); }
    Outcome send(Peer& peer, const Transaction& txn) {
        const PushAnswer answer = peer.push({txn});
        EXPECT_EQ(answer.verdicts.size(), 1u);
        return answer.verdicts.empty() ? Outcome{} : answer.verdicts[0];
    }
    Value value(const std::string& query) {
        const Table table = world.sql(query);
        return table.rows.empty() ? Value{text("no row")} : table.rows[0][0];
    }
    std::string value_text(const std::string& query) { return model::to_text(value(query)); }
    // One line for each record, oldest first.
    std::vector<std::string> records() {
        std::vector<std::string> lines;
        for (const auto& row : world.sql("SELECT entity, row, attribute, author, operation, why, base, mine, theirs, state FROM skerry_conflict "
                                         "ORDER BY txn, entity, row, attribute").rows) {
            std::string line;
            for (const Value& v : row) line += (line.empty() ? "" : " ") + (is_null(v) ? std::string("-") : std::get<std::string>(v));
            lines.push_back(std::move(line));
        }
        return lines;
    }
    std::int64_t history(const std::string& why) {
        return world.integer("SELECT count(*) FROM skerry_history WHERE why = " + why);
    }
};

}  // namespace skerry::server::test
