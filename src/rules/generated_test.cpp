// Conditions made at random, written in the language, evaluated twice: by SQLite on what the room makes of the text, and
// here, on the tree that the text was written from. This half knows nothing of the room's parser or types.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.hpp"
#include "model/value.hpp"
#include "rules/rules.hpp"
#include "sqlite/database.hpp"

namespace skerry::rules {
namespace {

using Kind = model::Type;

// A condition or value with what it is worth on the row at hand.
struct Part {
    std::string text;
    Value worth;
};

std::optional<bool> truth(const Value& v) {
    if (is_null(v)) return std::nullopt;
    return std::get<std::int64_t>(v) != 0;
}
Value of(std::optional<bool> b) { return b ? Value{std::int64_t{*b ? 1 : 0}} : Value{Null{}}; }

// -1, 0 or 1; neither is NULL, both are of comparable types.
int order(const Value& a, const Value& b) {
    const auto three_way = [](const auto& x, const auto& y) { return x < y ? -1 : y < x ? 1 : 0; };
    if (const auto* text = std::get_if<std::string>(&a)) return three_way(*text, std::get<std::string>(b));
    const auto number = [](const Value& v) { return std::holds_alternative<double>(v) ? std::get<double>(v) : static_cast<double>(std::get<std::int64_t>(v)); };
    return three_way(number(a), number(b));  // small ones: exact
}

std::string lower_ascii(std::string s, bool up) {
    for (char& c : s) {
        if (!up && c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
        if (up && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    }
    return s;
}

// By the definition, over code points: % any, _ one.
bool matches(std::u32string_view text, std::u32string_view pattern) {
    if (pattern.empty()) return text.empty();
    if (pattern[0] == U'%') {
        for (std::size_t n = 0; n <= text.size(); ++n)
            if (matches(text.substr(n), pattern.substr(1))) return true;
        return false;
    }
    return !text.empty() && (pattern[0] == U'_' || pattern[0] == text[0]) && matches(text.substr(1), pattern.substr(1));
}
// Only characters of one and two bytes are generated.
std::u32string points(std::string_view text) {
    std::u32string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x80) out += c;
        else out += static_cast<char32_t>((c & 0x1f) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f));
    }
    return out;
}

class Generator {
  public:
    explicit Generator(std::uint64_t seed) : random_(seed) {}

    Part condition(int depth) {
        const auto choice = depth <= 0 ? 3 + random_.below(5) : random_.below(10);
        switch (choice) {
            case 0: case 1: case 2: {
                Part a = condition(depth - 1), b = condition(depth - 1);
                const auto x = truth(a.worth), y = truth(b.worth);
                if (choice == 0) return {word("not") + " " + bracket(a.text), of(x ? std::optional(!*x) : std::nullopt)};
                const bool decides = choice == 1;  // what `or` has as soon as one side has it
                const auto both = (x && *x == decides) || (y && *y == decides) ? std::optional(decides) : !x || !y ? std::nullopt : std::optional(!decides);
                return {bracket(a.text) + " " + word(choice == 1 ? "or" : "and") + " " + bracket(b.text), of(both)};
            }
            case 3: {
                const Part a = value(kind(), depth - 1);
                const bool negated = random_.below(2) == 0;
                return {bracket(a.text) + (negated ? " is not null" : " is null"), of(is_null(a.worth) != negated)};
            }
            case 4: return membership(depth);
            case 5: return between(depth);
            case 6: return like();
            case 7: return random_.below(3) == 0 ? constant() : value(Kind::kBool, 0);
            default: return comparison(depth);
        }
    }

    model::Entity entity{"e", {"id", Kind::kText}};
    std::vector<Value> row;  // of the attributes

    void new_row() {
        if (entity.attributes.empty()) {
            for (const Kind k : kKinds)
                for (int i = 0; i < 3; ++i) {
                    model::Attribute& a = entity.attributes.emplace_back(model::Attribute{std::string(model::type_name(k)) + std::to_string(i), k});
                    a.precision = 12;
                    a.scale = 2;
                }
        }
        row.clear();
        for (const model::Attribute& a : entity.attributes) row.push_back(random_.below(4) == 0 ? Value{Null{}} : fresh(a.type));
    }
    static constexpr Kind kKinds[] = {Kind::kInt, Kind::kReal, Kind::kDecimal, Kind::kText, Kind::kDate, Kind::kBool};

  private:
    Kind kind() { return kKinds[random_.below(std::size(kKinds))]; }
    Kind number() { return kKinds[random_.below(3)]; }
    std::string word(std::string w) { return random_.below(4) == 0 ? lower_ascii(w, true) : w; }
    static std::string bracket(const std::string& text) { return "(" + text + ")"; }

    Value fresh(Kind k) {
        switch (k) {
            case Kind::kInt: return static_cast<std::int64_t>(random_.below(9)) - 4;
            case Kind::kReal: return static_cast<double>(random_.below(17)) / 4 - 2;
            case Kind::kDecimal: return static_cast<std::int64_t>(random_.below(9)) * 50 - 200;
            case Kind::kDate: return "2026-0" + std::to_string(1 + random_.below(3)) + "-11";
            case Kind::kBool: return static_cast<std::int64_t>(random_.below(2));
            default: {
                static constexpr std::string_view kTexts[] = {"", "a", "A", "ab", "é", "É", "a%b", "a_b", "it's", "*", "[a]", "?", "ä é"};
                return std::string(kTexts[random_.below(std::size(kTexts))]);
            }
        }
    }

    static std::string quoted(std::string_view text) {
        std::string out = "'";
        for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
        return out + "'";
    }

    static std::string literal(Kind k, const Value& v) {
        if (is_null(v)) return "null";
        char buffer[32];
        switch (k) {
            case Kind::kInt: return std::to_string(std::get<std::int64_t>(v));
            case Kind::kReal: std::snprintf(buffer, sizeof buffer, "%.2f", std::get<double>(v)); return buffer;
            case Kind::kDecimal: std::snprintf(buffer, sizeof buffer, "%.2f", static_cast<double>(std::get<std::int64_t>(v)) / 100); return buffer;
            case Kind::kBool: return std::get<std::int64_t>(v) != 0 ? "true" : "false";
            default: return quoted(std::get<std::string>(v));
        }
    }

    Part column(Kind k) {
        std::vector<std::size_t> fitting;
        for (std::size_t i = 0; i < entity.attributes.size(); ++i)
            if (entity.attributes[i].type == k) fitting.push_back(i);
        const std::size_t at = fitting[static_cast<std::size_t>(random_.below(fitting.size()))];
        const std::string& name = entity.attributes[at].name;
        return {random_.below(4) == 0 ? "\"" + name + "\"" : name, row[at]};
    }

    Part constant() {
        const Value v = random_.below(3) == 0 ? Value{Null{}} : fresh(Kind::kBool);
        return {literal(Kind::kBool, v), v};
    }

    // A literal has a neighbour to take its type from, so only the second of two is one.
    Part operand(Kind k, int depth) {
        if (random_.below(3) > 0) return value(k, depth);
        const Value v = fresh(k);
        return {literal(k, v), v};
    }

    Part value(Kind k, int depth) {
        if (depth <= 0 || random_.below(3) == 0) return column(k);
        const auto choice = random_.below(k == Kind::kInt ? 9 : k == Kind::kReal || k == Kind::kDecimal ? 7 : k == Kind::kText ? 5 : 3);
        Part a = value(k, depth - 1);
        Part b = operand(k, depth - 1);
        if (k == Kind::kBool) return a;
        if (choice == 0) {
            return {"coalesce(" + a.text + ", " + b.text + ")", is_null(a.worth) ? b.worth : a.worth};
        }
        if (choice == 1 || choice == 2) {
            const bool nulls = is_null(a.worth) || is_null(b.worth);
            const bool first = !nulls && (order(a.worth, b.worth) < 0) == (choice == 1);
            return {(choice == 1 ? "min(" : "max(") + a.text + ", " + b.text + ")", nulls ? Value{Null{}} : first ? a.worth : b.worth};
        }
        if (k == Kind::kText) {
            const bool up = choice == 4;
            return {(up ? "upper(" : "lower(") + a.text + ")", is_null(a.worth) ? a.worth : Value{lower_ascii(std::get<std::string>(a.worth), up)}};
        }
        return arithmetic(k, choice, std::move(a), std::move(b), depth);
    }

    Part arithmetic(Kind k, std::uint64_t choice, Part a, Part b, int depth) {
        const bool nulls = is_null(a.worth) || is_null(b.worth);
        if (choice == 3) {  // abs and the sign
            Value v = a.worth;
            if (auto* n = std::get_if<std::int64_t>(&v)) *n = std::abs(*n);
            if (auto* x = std::get_if<double>(&v)) *x = std::abs(*x);
            return {"abs(" + a.text + ")", v};
        }
        if (choice == 4) {
            Value v = a.worth;
            if (auto* n = std::get_if<std::int64_t>(&v)) *n = -*n;
            if (auto* x = std::get_if<double>(&v)) *x = -*x;
            return {"-" + bracket(a.text), v};
        }
        const bool times = choice == 6;
        if (times && k == Kind::kDecimal) b = value(Kind::kInt, depth - 1);
        if (choice >= 7) {
            const bool divide = choice == 7;
            const std::string text = bracket(a.text) + (divide ? " / " : " % ") + bracket(b.text);
            if (nulls || std::get<std::int64_t>(b.worth) == 0) return {text, Null{}};
            const auto x = std::get<std::int64_t>(a.worth), y = std::get<std::int64_t>(b.worth);
            return {text, divide ? x / y : x % y};
        }
        const bool minus = random_.below(2) == 0;
        const std::string text = bracket(a.text) + (times ? " * " : minus ? "-" : " + ") + bracket(b.text);
        if (is_null(a.worth) || is_null(b.worth)) return {text, Null{}};
        const auto apply = [&](auto x, auto y) { return times ? x * y : minus ? x - y : x + y; };
        if (std::holds_alternative<double>(a.worth)) return {text, apply(std::get<double>(a.worth), std::get<double>(b.worth))};
        return {text, apply(std::get<std::int64_t>(a.worth), std::get<std::int64_t>(b.worth))};
    }

    Part comparison(int depth) {
        Kind k = kind();
        Part a = value(k, depth - 1);
        if (k == Kind::kText && random_.below(4) == 0) {
            a = {"length(" + a.text + ")", is_null(a.worth) ? a.worth : Value{static_cast<std::int64_t>(points(std::get<std::string>(a.worth)).size())}};
            k = Kind::kInt;
        }
        Part b = operand(k, depth - 1);
        if (k == Kind::kInt && random_.below(4) == 0) b = value(Kind::kReal, depth - 1);
        if (random_.below(2) == 0) std::swap(a, b);
        static constexpr std::string_view kSigns[] = {"=", "<>", "<", "<=", ">", ">="};
        const auto sign = random_.below(k == Kind::kBool ? 2 : 6);
        const std::string text = bracket(a.text) + std::string(kSigns[sign]) + bracket(b.text);
        if (is_null(a.worth) || is_null(b.worth)) return {text, Null{}};
        const int o = order(a.worth, b.worth);
        const bool holds[] = {o == 0, o != 0, o < 0, o <= 0, o > 0, o >= 0};
        return {text, of(holds[sign])};
    }

    Part membership(int depth) {
        const Kind k = kind();
        const Part a = value(k, depth - 1);
        const bool negated = random_.below(2) == 0;
        std::string list;
        bool found = false, unknown = is_null(a.worth);
        for (auto n = 1 + random_.below(3); n > 0; --n) {
            const Value v = random_.below(8) == 0 ? Value{Null{}} : fresh(k);
            list += (list.empty() ? "" : ", ") + literal(k, v);
            if (is_null(v)) unknown = true;
            else if (!is_null(a.worth) && order(a.worth, v) == 0) found = true;
        }
        return {bracket(a.text) + (negated ? " not in (" : " in (") + list + ")", found ? of(!negated) : unknown ? Value{Null{}} : of(negated)};
    }

    Part between(int depth) {
        Kind k = kind();
        if (k == Kind::kBool) k = Kind::kInt;
        const Part a = value(k, depth - 1), low = operand(k, depth - 1), high = operand(k, depth - 1);
        const bool negated = random_.below(2) == 0;
        const auto over = is_null(a.worth) || is_null(low.worth) ? std::nullopt : std::optional(order(a.worth, low.worth) >= 0);
        const auto under = is_null(a.worth) || is_null(high.worth) ? std::nullopt : std::optional(order(a.worth, high.worth) <= 0);
        const auto inside = over == false || under == false ? std::optional(false) : !over || !under ? std::nullopt : std::optional(true);
        return {bracket(a.text) + (negated ? " not between " : " between ") + bracket(low.text) + " and " + bracket(high.text),
                of(inside ? std::optional(*inside != negated) : std::nullopt)};
    }

    Part like() {
        const Part a = column(Kind::kText);
        static constexpr std::string_view kPatterns[] = {"%", "_", "", "a%", "%b", "a_b", "%é", "_ _", "*", "[a]", "?", "A", "%a%", "__", "i%'s"};
        const std::string pattern(kPatterns[random_.below(std::size(kPatterns))]);
        const bool negated = random_.below(2) == 0;
        const std::string text = a.text + (negated ? " not like " : " like ") + quoted(pattern);
        if (is_null(a.worth)) return {text, Null{}};
        return {text, of(matches(points(std::get<std::string>(a.worth)), points(pattern)) != negated)};
    }

    SeededRandom random_;
};

TEST(RulesGenerated, sqlite_and_an_independent_evaluator_agree_nulls_included) {
    const std::uint64_t seed = SystemRandom().u64();
    SCOPED_TRACE("seed " + std::to_string(seed));
    Generator generator(seed);
    auto db = sqlite::Database::open(":memory:");
    ASSERT_TRUE(db);
    generator.new_row();
    std::string columns, marks;
    for (const model::Attribute& a : generator.entity.attributes) {
        columns += ", \"" + a.name + "\" " + (a.type == Kind::kReal ? "REAL" : a.type == Kind::kText || a.type == Kind::kDate ? "TEXT" : "INTEGER");
        marks += ", ?";
    }
    ASSERT_TRUE(db->exec("CREATE TABLE e(id TEXT" + columns + ") STRICT"));
    int count[3] = {};
    for (int round = 0; round < 3000; ++round) {
        generator.new_row();
        const Part wanted = generator.condition(3);
        const auto parsed = parse(wanted.text, generator.entity);
        if (!parsed && (wanted.text.size() > model::kExpressionBytesMax || parsed.error().message.find("nested deeper") != std::string::npos)) continue;
        ASSERT_TRUE(parsed) << describe(parsed.error()) << "\n" << wanted.text;
        ASSERT_TRUE(db->exec("DELETE FROM e"));
        auto insert = db->prepare("INSERT INTO e VALUES('k'" + marks + ")");
        ASSERT_TRUE(insert);
        for (std::size_t i = 0; i < generator.row.size(); ++i) insert->bind(static_cast<int>(i) + 1, generator.row[i]);
        ASSERT_TRUE(insert->run());
        auto select = db->prepare_once("SELECT " + to_sql(*parsed, "e.") + " FROM e");
        ASSERT_TRUE(select) << describe(select.error()) << "\n" << to_sql(*parsed, "e.");
        ASSERT_TRUE(*(*select)->step());
        std::string row;
        for (const Value& v : generator.row) row += " " + model::to_text(v);
        ASSERT_EQ((*select)->value(0), wanted.worth) << wanted.text << "\n" << to_sql(*parsed, "e.") << "\nrow" << row;
        ++count[is_null(wanted.worth) ? 2 : static_cast<std::size_t>(std::get<std::int64_t>(wanted.worth))];
    }
    for (const int n : count) EXPECT_GT(n, 200) << "one of true, false and NULL hardly came up";
}

// Whatever somebody writes, the room answers; what it accepts, SQLite takes.
TEST(RulesGenerated, any_words_in_any_order_are_refused_or_run) {
    const std::uint64_t seed = SystemRandom().u64();
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    Generator generator(seed);
    generator.new_row();
    auto db = sqlite::Database::open(":memory:");
    ASSERT_TRUE(db);
    std::string columns;
    for (const model::Attribute& a : generator.entity.attributes) columns += ", \"" + a.name + "\"";
    ASSERT_TRUE(db->exec("CREATE TABLE e(id" + columns + ")"));
    static constexpr std::string_view kWords[] = {"int0", "text0", "decimal0", "bool0", "date0", "real0", "id", "(", ")", "and", "or", "not", "in", "is", "null", "between",
                                                  "like", "'a'", "'%'", "1", "2.5", "-", "+", "*", "/", "%", "=", "<", ",", "coalesce(", "abs(", "true", "escape", ".", ":x", "\"", "'", "é"};
    int accepted = 0;
    for (int round = 0; round < 60'000; ++round) {
        std::string text;
        for (auto n = 1 + random.below(7); n > 0; --n) text += std::string(kWords[random.below(std::size(kWords))]) + " ";
        const auto parsed = parse(text, generator.entity);
        if (!parsed) {
            ASSERT_EQ(parsed.error().code, Code::kExpressionInvalid);
            continue;
        }
        ++accepted;
        const auto statement = db->prepare_once("SELECT " + to_sql(*parsed, "e.") + " FROM e");
        ASSERT_TRUE(statement) << text << "\n" << to_sql(*parsed, "e.");
    }
    EXPECT_GT(accepted, 100);
}

TEST(RulesGenerated, the_ends_of_64_bits_do_not_stop_a_write) {
    model::Entity entity{"e", {"id", Kind::kText}};
    entity.attributes.push_back({"n", Kind::kInt});
    auto db = sqlite::Database::open(":memory:");
    ASSERT_TRUE(db);
    ASSERT_TRUE(db->exec("CREATE TABLE e(id TEXT, n INTEGER) STRICT; INSERT INTO e VALUES('k', -9223372036854775808)"));
    for (const char* text : {"abs(n) > 0", "-n > 0", "n - 1 < 0", "n / -1 > 0", "n % -1 = 0", "n * n > 0", "n = -9223372036854775808", "n / 0 is null"}) {
        const auto parsed = parse(text, entity);
        ASSERT_TRUE(parsed) << text << describe(parsed.error());
        const auto found = db->integer("SELECT " + to_sql(*parsed, "") + " FROM e");
        ASSERT_TRUE(found) << text << describe(found.error());
        EXPECT_EQ(*found, 1) << text;
    }
}

}  // namespace
}  // namespace skerry::rules
