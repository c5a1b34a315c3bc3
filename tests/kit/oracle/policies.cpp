#include "kit/oracle/policies.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "model/json.hpp"

namespace skerry::kit {

namespace {

bool written(Earlier earlier) { return earlier == Earlier::kApplied || earlier == Earlier::kMerged; }
// Nobody else changed it since what the author built on.
bool untouched(const Meeting& m) {
    if (m.earlier == Earlier::kNone) return m.current == m.old_value;
    return written(m.earlier) && m.current == m.left;
}

Result3 last(const Meeting& m) { return {Effect::kWrite, m.mine, !untouched(m)}; }
Result3 first(const Meeting& m) { return untouched(m) ? Result3{Effect::kWrite, m.mine} : Result3{Effect::kLose, {}, true}; }
Result3 ask(const Meeting& m) { return untouched(m) ? Result3{Effect::kWrite, m.mine} : Result3{Effect::kAsk, {}}; }

// Both of one type, neither NULL.
bool less(const Value& a, const Value& b) {
    if (const auto* i = std::get_if<std::int64_t>(&a)) return *i < std::get<std::int64_t>(b);
    if (const auto* d = std::get_if<double>(&a)) return *d < std::get<double>(b);
    return std::get<std::string>(a) < std::get<std::string>(b);
}

Result3 extreme(const Meeting& m, bool largest) {
    if (untouched(m)) return {Effect::kWrite, m.mine};
    const bool mine_wins = is_null(m.current) || (!is_null(m.mine) && (largest ? less(m.current, m.mine) : less(m.mine, m.current)));
    return mine_wins ? Result3{Effect::kWrite, m.mine, true} : Result3{Effect::kLose, {}, true};
}

std::int64_t number(const Value& value) { return is_null(value) ? 0 : std::get<std::int64_t>(value); }

Result3 counter(const model::Attribute& attribute, const Meeting& m) {
    // A NULL that was meant is written where nobody else counted; beside others it counts as 0.
    if (m.current == m.old_value) return {Effect::kWrite, m.mine};
    __extension__ using Wide = __int128;
    const Wide exact = static_cast<Wide>(number(m.current)) + number(m.mine) - number(m.old_value);
    const auto sum = static_cast<std::int64_t>(exact);
    if (sum != exact) return {Effect::kInvalid, {}};
    std::int64_t limit = 1;
    for (int i = 0; i < attribute.precision; ++i) limit *= 10;
    if (attribute.type == model::Type::kDecimal && (sum >= limit || sum <= -limit)) return {Effect::kInvalid, {}};
    if (Value{sum} == m.current || (sum == 0 && is_null(m.current))) return {};
    return {Effect::kWrite, sum, true};
}

std::vector<std::string> elements(const Value& value) {
    if (is_null(value)) return {};
    auto parsed = model::json_elements(std::get<std::string>(value));
    SKERRY_ASSERT(parsed.has_value());
    return std::move(*parsed);
}

Result3 set(const Meeting& m) {
    if (m.current == m.old_value) return {Effect::kWrite, m.mine};
    const auto old_value = elements(m.old_value);
    const auto mine = elements(m.mine);
    const auto has = [](const std::vector<std::string>& in, const std::string& what) { return std::find(in.begin(), in.end(), what) != in.end(); };
    std::vector<std::string> result;
    for (const std::string& one : elements(m.current))
        if (!has(old_value, one) || has(mine, one)) result.push_back(one);
    for (const std::string& one : mine)
        if (!has(old_value, one) && !has(result, one)) result.push_back(one);
    // Sorted by the bytes of the strings themselves, not of their JSON form.
    std::sort(result.begin(), result.end(), [](const std::string& a, const std::string& b) {
        return model::json_string_content(a).value_or("") < model::json_string_content(b).value_or("");
    });
    std::string json = "[";
    for (const std::string& one : result) json += (json.size() > 1 ? "," : "") + one;
    json += "]";
    const Value value = result.empty() && is_null(m.current) ? m.current : Value{json};
    return {Effect::kWrite, value, true, value == m.current};
}

using Words = std::vector<std::string>;
Words words(const Value& value) {
    Words out;
    if (is_null(value)) return out;
    const auto space = [](char c) { return c == ' ' || c == '\n' || c == '\t'; };
    for (const char c : std::get<std::string>(value)) {
        if (out.empty() || space(out.back().back()) != space(c)) out.emplace_back();
        out.back().push_back(c);
    }
    return out;
}

// For each word of `from` the place of its partner in `to`, or -1: a longest common subsequence.
std::vector<int> partners(const Words& from, const Words& to) {
    std::vector<std::vector<int>> best(from.size() + 1, std::vector<int>(to.size() + 1, 0));
    for (std::size_t i = from.size(); i-- > 0;)
        for (std::size_t k = to.size(); k-- > 0;)
            best[i][k] = from[i] == to[k] ? best[i + 1][k + 1] + 1 : std::max(best[i + 1][k], best[i][k + 1]);
    std::vector<int> out(from.size(), -1);
    for (std::size_t i = 0, k = 0; i < from.size() && k < to.size();) {
        if (from[i] == to[k]) {
            out[i++] = static_cast<int>(k++);
        } else if (best[i + 1][k] >= best[i][k + 1]) {
            ++i;
        } else {
            ++k;
        }
    }
    return out;
}

Result3 text(const Meeting& m) {
    if (untouched(m) && m.earlier != Earlier::kMerged) return {Effect::kWrite, m.mine};
    const Words old_words = words(m.old_value);
    const Words mine = words(m.mine);
    const Words current = words(m.current);
    const auto in_mine = partners(old_words, mine);
    const auto in_current = partners(old_words, current);
    std::string result;
    std::size_t o = 0, a = 0, b = 0;
    const auto part = [](const Words& of, std::size_t from, std::size_t to) {
        std::string out;
        for (std::size_t i = from; i < to; ++i) out += of[i];
        return out;
    };
    // Between two words that all three share, at most one of the two may differ from the old.
    for (std::size_t i = 0; i <= old_words.size(); ++i) {
        if (i < old_words.size() && (in_mine[i] < 0 || in_current[i] < 0)) continue;
        const std::size_t ma = i < old_words.size() ? static_cast<std::size_t>(in_mine[i]) : mine.size();
        const std::size_t cb = i < old_words.size() ? static_cast<std::size_t>(in_current[i]) : current.size();
        const std::string was = part(old_words, o, i), ours = part(mine, a, ma), theirs = part(current, b, cb);
        if (ours == was) {
            result += theirs;
        } else if (theirs == was || ours == theirs) {
            result += ours;
        } else {
            return {Effect::kAsk, {}};
        }
        if (i < old_words.size()) result += old_words[i];
        o = i + 1;
        a = ma + 1;
        b = cb + 1;
    }
    // Unless it is what the author wrote, it holds words that he has not seen.
    return {Effect::kWrite, Value{result}, true, Value{result} == m.mine};
}

}  // namespace

Result3 resolve(const model::Attribute& attribute, const Meeting& m) {
    if (attribute.merge == model::Merge::kCounter) return counter(attribute, m);
    if (attribute.merge == model::Merge::kSet) return set(m);
    if (m.current == m.mine) return {};
    switch (attribute.merge) {
        case model::Merge::kFirst: return first(m);
        case model::Merge::kMax: return extreme(m, true);
        case model::Merge::kMin: return extreme(m, false);
        case model::Merge::kText: return text(m);
        case model::Merge::kAsk: return ask(m);
        default: return last(m);
    }
}

}  // namespace skerry::kit
