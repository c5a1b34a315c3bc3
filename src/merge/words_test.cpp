#include <gtest/gtest.h>

#include "base/random.hpp"
#include "merge/merge.hpp"

namespace skerry::merge {
namespace {

using std::string;

string merged(std::string_view old_text, std::string_view mine, std::string_view current) {
    const auto one = merge_words(old_text, mine, current);
    EXPECT_EQ(one, merge_words(old_text, current, mine)) << "the order matters";
    return one.value_or("(ask)");
}

TEST(Words, changes_of_different_words_are_both_there) {
    EXPECT_EQ(merged("the cat sat", "a cat sat", "the cat lay"), "a cat lay");
    EXPECT_EQ(merged("one two", "zero one two", "one two three"), "zero one two three");
    EXPECT_EQ(merged("one two three", "one three", "one two four"), "one four");
    EXPECT_EQ(merged("a\nb\nc\n", "a\nb\nc\nd\n", "x\nb\nc\n"), "x\nb\nc\nd\n");
    EXPECT_EQ(merged("grüße an alle", "Grüße an alle", "grüße an niemanden"), "Grüße an niemanden");
}

TEST(Words, what_only_one_changed_is_as_he_wrote_it) {
    EXPECT_EQ(merged("a b", "", "a b"), "");
    EXPECT_EQ(merged("", "a  b\n", ""), "a  b\n");
    EXPECT_EQ(merged("a b", "a b", "a b"), "a b");
    EXPECT_EQ(merged("a b", "a c", "a c"), "a c");
}

TEST(Words, the_same_change_beside_others_is_there_once) {
    EXPECT_EQ(merged("one two three", "1 two three", "1 two 3"), "1 two 3");
    EXPECT_EQ(merged("one two", "one two three", "zero one two three"), "zero one two three");
}

TEST(Words, both_changed_the_same_words) {
    EXPECT_EQ(merged("the cat", "the dog", "the bird"), "(ask)");
    EXPECT_EQ(merged("the cat", "the", "the bird"), "(ask)");
    EXPECT_EQ(merged("", "mine", "yours"), "(ask)");
    EXPECT_EQ(merged("a", "a mine", "a yours"), "(ask)");
    EXPECT_EQ(merged("a b c d", "a x d", "a b y d"), "(ask)");
}

TEST(Words, a_text_too_long_to_compare_is_still_merged_or_asked_about) {
    string head;
    for (int i = 0; i < 15'000; ++i) head += "w" + std::to_string(i) + " ";
    EXPECT_EQ(merged(head + "end", "new " + head + "end", head + "last"), "new " + head + "last");
    string other;
    for (int i = 0; i < 15'000; ++i) other += "v" + std::to_string(i) + " ";
    // No word in common, and more of them than are compared: one hunk, which meets the other's.
    EXPECT_EQ(merged(head, other, "new " + head), "new " + other);
    EXPECT_EQ(merged(head, other, head.substr(3)), "(ask)");
    const string huge(300 << 10, 'x');
    EXPECT_EQ(merged(huge, huge + " a", huge + " b"), "(ask)");
    EXPECT_EQ(merged(huge, huge + " a", huge), huge + " a");
}

TEST(Words, the_device_shows_its_own_words_where_both_changed_the_same) {
    model::Attribute note{"note", model::Type::kText};
    note.merge = model::Merge::kText;
    EXPECT_EQ(rebase(note, string("the cat sat"), string("the dog sat"), string("a bird sat")), Value{string("a dog sat")});
    EXPECT_EQ(rebase(note, string("a b"), Null{}, string("a c")), Value{Null{}});
    EXPECT_EQ(rebase(note, Null{}, string("a"), string("b")), Value{string("a")});
}

// A text of numbered words, a third of which each side changes. Whoever changed a word decides what stands there.
TEST(Words, generated_disjoint_changes_are_all_there_and_shared_ones_are_asked_about) {
    const std::uint64_t seed = SystemRandom().u64();
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    int disjoint = 0;
    for (int round = 0; round < 3000; ++round) {
        const auto count = 1 + random.below(12);
        string old_text, mine, current, both;
        bool clash = false;
        for (std::uint64_t i = 0; i < count; ++i) {
            const string word = "w" + std::to_string(i) + (i + 1 < count ? " " : "");
            // 0 nobody, 1 mine replaces, 2 they replace, 3 both differently, 4 both alike
            std::uint64_t what = random.below(8);
            if (what == 3 && random.below(4) != 0) what = 0;
            const string m = "m" + word;
            const string t = "t" + word;
            old_text += word;
            mine += what == 1 || what == 3 || what == 4 ? m : word;
            current += what == 2 || what == 3 ? t : what == 4 ? m : word;
            both += what == 1 || what == 4 ? m : what == 2 ? t : word;
            clash = clash || what == 3;
        }
        SCOPED_TRACE(old_text + " | " + mine + " | " + current);
        EXPECT_EQ(merged(old_text, mine, current), clash ? "(ask)" : both);
        disjoint += clash ? 0 : 1;
    }
    EXPECT_GT(disjoint, 1000);
}

// Anything against anything, from few words, so that the comparison has many ways to go.
TEST(Words, generated_texts_keep_every_law) {
    const std::uint64_t seed = SystemRandom().u64();
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    const auto text = [&] {
        static constexpr std::string_view kTokens[] = {"a", "b", "c", " ", " ", "  ", "\n", "ä"};
        string out;
        for (std::uint64_t n = random.below(14); n > 0; --n) out += kTokens[random.below(std::size(kTokens))];
        return out;
    };
    for (int round = 0; round < 20'000; ++round) {
        const string o = text(), m = text(), t = text();
        SCOPED_TRACE("'" + o + "' '" + m + "' '" + t + "'");
        EXPECT_EQ(merged(o, m, o), m);
        EXPECT_EQ(merged(o, m, m), m);
        const string both = merged(o, m, t);
        if (both == "(ask)") continue;
        // A word that one side has oftener than the old text, the merge has oftener, and nothing comes from nowhere.
        for (const char word : {'a', 'b', 'c'}) {
            const auto count = [word](const string& s) { return std::count(s.begin(), s.end(), word); };
            EXPECT_LE(count(both), count(m) + count(t));
        }
    }
}

}  // namespace
}  // namespace skerry::merge
