// Three-way merge of texts by words. A token is a run of characters without space, a run of blanks, or one line break;
// the texts are compared by Myers' algorithm ("An O(ND) Difference Algorithm", 1986) into hunks, and the hunks of both
// sides are laid over the old text. Languages that put no space between words have long tokens: they are asked more
// often, never mixed wrongly.
#include <algorithm>
#include <span>

#include "merge/common.hpp"

namespace skerry::merge {

namespace {

// A longer text counts as one word: its tokens would take sixteen times its size in memory.
constexpr std::size_t kTextBytesMax = 256 << 10;
// Beyond these, what differs between common beginning and end counts as one hunk: still right, only coarser, so that
// people are asked more often. The second bounds the memory (one int for each pair of steps, 2 MB) and the time.
constexpr std::size_t kTokensMax = 20'000;  // of both texts together
constexpr int kDifferencesMax = 1'000;

using Tokens = std::vector<std::string_view>;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool is_word(char c) { return c != '\n' && !is_blank(c); }

Tokens tokens_of(std::string_view text) {
    if (text.size() > kTextBytesMax) return {text};
    Tokens tokens;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at + 1;
        if (text[at] != '\n')
            while (end < text.size() && text[end] != '\n' && is_word(text[end]) == is_word(text[at])) ++end;
        tokens.push_back(text.substr(at, end - at));
        at = end;
    }
    return tokens;
}

// The old tokens [from, to) are replaced by `with`.
struct Hunk {
    std::size_t from;
    std::size_t to;
    std::span<const std::string_view> with;
    bool is_insertion() const { return from == to; }
};

bool same(const Hunk& a, const Hunk& b) {
    return a.from == b.from && a.to == b.to && std::equal(a.with.begin(), a.with.end(), b.with.begin(), b.with.end());
}

// Marks which tokens of a and b are common to both; false when they differ in too much.
class Comparison {
  public:
    Comparison(std::span<const std::string_view> a, std::span<const std::string_view> b) : a_(a), b_(b) {}

    bool run(std::vector<bool>& kept_a, std::vector<bool>& kept_b) {
        const int n = static_cast<int>(a_.size());
        const int m = static_cast<int>(b_.size());
        const int most = std::min(n + m, kDifferencesMax);
        std::vector<int> furthest(static_cast<std::size_t>(2 * most + 3), 0);
        const auto at = [&](int k) -> int& { return furthest[static_cast<std::size_t>(k + most + 1)]; };
        for (int d = 0; d <= most; ++d) {
            for (int k = -d; k <= d; k += 2) {
                int x = down(d, k, at) ? at(k + 1) : at(k - 1) + 1;
                while (x < n && x - k < m && a_[index(x)] == b_[index(x - k)]) ++x;
                at(k) = x;
                if (x >= n && x - k >= m) {
                    trace(d, kept_a, kept_b);
                    return true;
                }
            }
            std::vector<int>& row = rows_.emplace_back();
            for (int k = -d; k <= d; k += 2) row.push_back(at(k));
        }
        return false;
    }

  private:
    static std::size_t index(int i) { return static_cast<std::size_t>(i); }
    template <class At>
    static bool down(int d, int k, const At& at) {
        return k == -d || (k != d && at(k - 1) < at(k + 1));
    }

    void trace(int d, std::vector<bool>& kept_a, std::vector<bool>& kept_b) const {
        int x = static_cast<int>(a_.size());
        int y = static_cast<int>(b_.size());
        const auto keep_back_to = [&](int to_x) {
            for (; x > to_x; --x, --y) kept_a[index(x - 1)] = kept_b[index(y - 1)] = true;
        };
        for (; d > 0; --d) {
            const std::vector<int>& row = rows_[index(d - 1)];
            const auto at = [&](int k) { return row[index((k + d - 1) / 2)]; };
            const int k = x - y;
            const bool came_down = down(d, k, at);
            const int before_x = came_down ? at(k + 1) : at(k - 1);
            const int before_y = before_x - (came_down ? k + 1 : k - 1);
            keep_back_to(came_down ? before_x : before_x + 1);
            x = before_x;
            y = before_y;
        }
        keep_back_to(0);
    }

    std::span<const std::string_view> a_;
    std::span<const std::string_view> b_;
    std::vector<std::vector<int>> rows_;  // by number of differences, the furthest x of each diagonal
};

std::vector<Hunk> hunks_of(const Tokens& a, const Tokens& b) {
    std::size_t head = 0;
    while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
    std::size_t tail = 0;
    while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
    const auto middle_a = std::span(a).subspan(head, a.size() - head - tail);
    const auto middle_b = std::span(b).subspan(head, b.size() - head - tail);
    if (middle_a.empty() && middle_b.empty()) return {};
    std::vector<bool> kept_a(middle_a.size(), false);
    std::vector<bool> kept_b(middle_b.size(), false);
    const bool compared = middle_a.size() + middle_b.size() <= kTokensMax && Comparison(middle_a, middle_b).run(kept_a, kept_b);
    if (!compared) return {{head, head + middle_a.size(), middle_b}};
    std::vector<Hunk> hunks;
    for (std::size_t i = 0, j = 0; i < kept_a.size() || j < kept_b.size();) {
        const std::size_t from_i = i;
        const std::size_t from_j = j;
        while (i < kept_a.size() && !kept_a[i]) ++i;
        while (j < kept_b.size() && !kept_b[j]) ++j;
        if (i > from_i || j > from_j) hunks.push_back({head + from_i, head + i, middle_b.subspan(from_j, j - from_j)});
        while (i < kept_a.size() && j < kept_b.size() && kept_a[i] && kept_b[j]) ++i, ++j;
    }
    return hunks;
}

class Merger {
  public:
    Merger(std::string_view old_text, std::string_view mine, std::string_view other)
        : old_(tokens_of(old_text)), mine_(tokens_of(mine)), other_(tokens_of(other)), mine_hunks_(hunks_of(old_, mine_)), other_hunks_(hunks_of(old_, other_)) {}

    // `mine_wins` says what becomes of words that both changed; without it they end the merge.
    std::optional<std::string> run(bool mine_wins) {
        std::string out;
        std::size_t at = 0;
        for (std::size_t m = 0, o = 0; m < mine_hunks_.size() || o < other_hunks_.size();) {
            const std::size_t from_m = m;
            const std::size_t from_o = o;
            const auto [from, to] = next_region(m, o);
            append(out, std::span(old_).subspan(at, from - at));
            at = to;
            const auto mine = std::span(mine_hunks_).subspan(from_m, m - from_m);
            const auto other = std::span(other_hunks_).subspan(from_o, o - from_o);
            const bool agree = mine.size() == 1 && other.size() == 1 && same(mine[0], other[0]);
            if (!mine.empty() && !other.empty() && !agree && !mine_wins) return std::nullopt;
            apply(out, from, to, mine.empty() ? other : mine);
        }
        append(out, std::span(old_).subspan(at));
        return out;
    }

  private:
    // The hunks from m and o on that cannot be told apart: they share old tokens, or insert at the same place.
    std::pair<std::size_t, std::size_t> next_region(std::size_t& m, std::size_t& o) const {
        const auto take = [&]() -> const Hunk& {
            const bool mine = o == other_hunks_.size() || (m < mine_hunks_.size() && before(mine_hunks_[m], other_hunks_[o]));
            return mine ? mine_hunks_[m++] : other_hunks_[o++];
        };
        const Hunk& first = take();
        const std::size_t from = first.from;
        std::size_t to = first.to;
        while (m < mine_hunks_.size() || o < other_hunks_.size()) {
            const std::size_t old_m = m;
            const std::size_t old_o = o;
            const Hunk& next = take();
            const bool touches = next.from < to || (next.is_insertion() && from == to && next.from == from);
            if (!touches) {
                m = old_m;
                o = old_o;
                break;
            }
            to = std::max(to, next.to);
        }
        return {from, to};
    }
    static bool before(const Hunk& a, const Hunk& b) { return a.from != b.from ? a.from < b.from : a.to <= b.to; }

    static void append(std::string& out, std::span<const std::string_view> tokens) {
        for (const std::string_view token : tokens) out += token;
    }
    void apply(std::string& out, std::size_t at, std::size_t to, std::span<const Hunk> hunks) const {
        for (const Hunk& hunk : hunks) {
            append(out, std::span(old_).subspan(at, hunk.from - at));
            append(out, hunk.with);
            at = hunk.to;
        }
        append(out, std::span(old_).subspan(at, to - at));
    }

    Tokens old_;
    Tokens mine_;
    Tokens other_;
    std::vector<Hunk> mine_hunks_;
    std::vector<Hunk> other_hunks_;
};

}  // namespace

std::optional<std::string> merge_words(std::string_view old_text, std::string_view mine, std::string_view current) {
    return Merger(old_text, mine, current).run(false);
}

Value rebase_text(const Value& old_value, const Value& mine, const Value& base) {
    const auto* old_text = std::get_if<std::string>(&old_value);
    const auto* mine_text = std::get_if<std::string>(&mine);
    const auto* base_text = std::get_if<std::string>(&base);
    if (old_text == nullptr || mine_text == nullptr || base_text == nullptr) return mine;
    std::string mixed = Merger(*old_text, *mine_text, *base_text).run(true).value_or(*mine_text);
    return mixed.size() > model::kValueBytesMax ? mine : Value{std::move(mixed)};
}

}  // namespace skerry::merge
