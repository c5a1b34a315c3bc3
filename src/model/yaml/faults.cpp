#include "model/yaml/faults.hpp"

#include <algorithm>

#include "model/model.hpp"
#include "model/yaml/reader.hpp"

namespace skerry::model::yaml {

namespace {

// Levenshtein distance, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

constexpr std::size_t kKnownWordsShown = 20;

}  // namespace

const NotYet* find(std::span<const NotYet> list, std::string_view word) {
    const auto at = std::find_if(list.begin(), list.end(), [&](const NotYet& n) { return n.word == word; });
    return at == list.end() ? nullptr : &*at;
}

bool contains(Words list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

std::string suggestion(std::string_view word, Words words, std::span<const NotYet> later) {
    std::string_view best;
    std::size_t least = word.size() <= 4 ? 2 : 3;  // more letters may be wrong in a longer word
    const auto try_word = [&](std::string_view candidate) {
        const std::size_t d = word.size() > 64 ? 64 : distance(word, candidate);
        if (d < least) {
            least = d;
            best = candidate;
        }
    };
    for (const std::string_view candidate : words) try_word(candidate);
    for (const NotYet& candidate : later) try_word(candidate.word);
    if (!best.empty()) return "; did you mean " + quoted(best) + "?";
    std::string known;
    for (std::size_t i = 0; i < words.size() && i < kKnownWordsShown; ++i)
        known += (i == 0 ? "" : ", ") + std::string(words[i]);
    if (words.size() > kKnownWordsShown) known += ", …";
    return "; known here: " + known;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

bool is_one_word(std::string_view text) {
    const bool may_have_spaces = text.find(',') != std::string_view::npos;
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-' || c == ',' || (c == ' ' && may_have_spaces);
    });
}

void Faults::unknown_word(const Node& key, std::string_view where, Words words, std::span<const NotYet> later) {
    if (const NotYet* n = find(later, key.text))
        return not_yet(key.mark, "`" + std::string(n->word) + ":`" + std::string(where) + " is not supported; " +
                                     std::string(n->instead));
    wrong_word(key.mark, "unknown word " + quoted(key.text) + std::string(where), key.text, words, later);
}

void Faults::wrong_word(Mark mark, std::string what, std::string_view word, Words words,
                        std::span<const NotYet> later) {
    if (list.size() < 2 * kModelFaultsShown) what += suggestion(word, words, later);
    invalid(mark, std::move(what));
}

bool Faults::name_is_good(const Node& node, std::string_view what) {
    if (is_valid_name(node.text)) return true;
    invalid(node.mark, "the " + std::string(what) + " name " + quoted(node.text) +
                           " is not allowed; use lower-case letters, digits and underscores, at most " +
                           std::to_string(kNameLengthMax) +
                           ", beginning with a letter and not with 'skerry' or 'sqlite'");
    return false;
}

}  // namespace skerry::model::yaml
