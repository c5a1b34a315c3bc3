// The checker of causality itself: what it takes for a violation, and what not.
#include <gtest/gtest.h>

#include "kit/oracle/causality.hpp"
#include "kit/world/world.hpp"

namespace skerry::kit {
namespace {

struct CausalityTest : testing::Test {
    Causality causality{world_model()};
    std::set<Label> out;

    static RowId row(std::string_view entity, const std::string& key) {
        EntityIx ix;
        EXPECT_NE(world_model().find(entity, &ix), nullptr);
        return {ix, key};
    }
    // An author who sees these groups, and tick 't' at that value, writes a group or deletes one.
    void write(Label label, const std::string& group, const std::set<std::string>& sees, std::int64_t tick, bool deletes = false) {
        Images before;
        for (const std::string& one : sees) before[row("total", one)] = {std::int64_t{1}};
        if (tick != 0) before[row("tick", "t")] = {tick};
        const Image image = model::Row{std::int64_t{1}};
        causality.committed(label, before, {{row("total", group), deletes ? image : Image{}, deletes ? Image{} : image}});
    }
    std::string look(const std::set<std::string>& groups, std::int64_t tick, const Seen& before = {}) {
        return causality.look(before, {groups, {{"t", tick}}}, [&](Label label) { return out.contains(label); }).missing;
    }
};

TEST_F(CausalityTest, what_was_seen_when_it_was_written_has_to_be_seen_with_it) {
    write(1, "a", {}, 0);
    write(2, "b", {"a"}, 3);
    EXPECT_EQ(look({"a", "b"}, 3), "");
    EXPECT_EQ(look({"a"}, 0), "") << "the cause alone may be seen";
    EXPECT_EQ(look({"b"}, 3), "sees b and not a, which its author had seen");
    EXPECT_EQ(look({"a", "b"}, 2), "sees b and tick 't' at 2, where its author had seen 3");
    EXPECT_EQ(look({"b"}, 3, {{"b"}, {}}), "") << "told once, when it was seen first";
}

TEST_F(CausalityTest, what_did_not_come_to_be_or_was_deleted_need_not_be_seen) {
    write(1, "a", {}, 0);
    write(2, "b", {"a"}, 0);
    out.insert(1);
    EXPECT_EQ(look({"b"}, 0), "");
    out.clear();
    EXPECT_NE(look({"b"}, 0), "");
    write(3, "a", {"a", "b"}, 0, true);
    EXPECT_EQ(look({"b"}, 0), "");
}

TEST_F(CausalityTest, of_a_draft_that_was_sent_again_nothing_is_concluded) {
    write(1, "a", {}, 0);
    write(2, "b", {}, 0);
    write(3, "b", {"a"}, 0);
    EXPECT_EQ(look({"b"}, 0), "");
}

}  // namespace
}  // namespace skerry::kit
