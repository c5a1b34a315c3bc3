// Recursive descent: one function for each level of the grammar, weakest first. Every part knows its type, so that what
// means nothing is refused where it stands.
#include <algorithm>

#include "base/text.hpp"
#include "rules/lexer.hpp"
#include "rules/rules.hpp"
#include "rules/typing.hpp"

namespace skerry::rules {

namespace {

using Kind = Node::Kind;
using Parts = std::vector<Typed>;

constexpr std::string_view kComparisons[] = {"=", "<>", "!=", "<", "<=", ">", ">="};

class Parser {
  public:
    Parser(std::vector<Token> tokens, const model::Entity& entity) : tokens_(std::move(tokens)), entity_(entity) {}

    Result<Expression> run() {
        SKERRY_ASSIGN(Typed whole, condition());
        if (token().kind != Token::Kind::kEnd) return refuse(token().at, "here it should end");
        if (open_symbols(whole.node) > kOpenSymbolsMax) return refuse(0, "it is nested too deep for SQLite");
        return Expression{std::move(whole.node)};
    }

  private:
    const Token& token() const { return tokens_[next_]; }
    bool is_word(std::string_view word) const { return token().kind == Token::Kind::kWord && token().text == word; }
    bool is_symbol(std::string_view symbol) const { return token().kind == Token::Kind::kSymbol && token().text == symbol; }
    bool take_word(std::string_view word) { return is_word(word) && (++next_, true); }
    bool take_symbol(std::string_view symbol) { return is_symbol(symbol) && (++next_, true); }
    Result<void> need_symbol(std::string_view symbol) {
        if (take_symbol(symbol)) return {};
        return refuse(token().at, "here should be " + std::string(symbol));
    }

    Result<Typed> made(Kind kind, std::string text, Type type, std::size_t at, Parts parts, bool negated = false) {
        if (++nodes_ > kNodesMax) return refuse(at, "it has more than " + std::to_string(kNodesMax) + " parts");
        Typed out{{kind, std::move(text), negated}, type, at};
        for (Typed& part : parts) out.node.children.push_back(std::move(part.node));
        return out;
    }
    static Parts pair(Typed a, Typed b) {
        Parts parts;
        parts.push_back(std::move(a));
        parts.push_back(std::move(b));
        return parts;
    }
    static Parts one(Typed a) {
        Parts parts;
        parts.push_back(std::move(a));
        return parts;
    }

    // Everything that nests comes through here.
    template <class Inner>
    Result<Typed> nested(Inner inner) {
        if (++depth_ > kDepthMax) return refuse(token().at, "it is nested deeper than " + std::to_string(kDepthMax));
        Result<Typed> out = inner();
        --depth_;
        return out;
    }

    Result<void> need_condition(const Typed& part) const {
        if (is(part.type, model::Type::kBool) || is_null(part.type)) return {};
        return refuse(part.at, "here should be a condition, something that is true or false");
    }

    Result<Typed> condition() {
        SKERRY_ASSIGN(Typed out, disjunction());
        SKERRY_TRY(need_condition(out));
        return out;
    }

    template <class Operand>
    Result<Typed> chain(std::string_view word, std::string_view sql, Operand operand) {
        SKERRY_ASSIGN(Typed left, operand());
        while (is_word(word)) {
            SKERRY_TRY(need_condition(left));
            ++next_;
            SKERRY_ASSIGN(Typed right, operand());
            SKERRY_TRY(need_condition(right));
            const std::size_t at = left.at;
            SKERRY_ASSIGN(left, made(Kind::kBinary, std::string(sql), {model::Type::kBool}, at, pair(std::move(left), std::move(right))));
        }
        return left;
    }
    Result<Typed> disjunction() {
        return chain("or", "OR", [&] { return conjunction(); });
    }
    Result<Typed> conjunction() {
        return chain("and", "AND", [&] { return negation(); });
    }
    Result<Typed> negation() {
        const std::size_t at = token().at;
        if (!take_word("not")) return predicate();
        SKERRY_ASSIGN(Typed inner, nested([&] { return negation(); }));
        SKERRY_TRY(need_condition(inner));
        return made(Kind::kNot, "NOT", {model::Type::kBool}, at, one(std::move(inner)));
    }

    Result<Typed> predicate() {
        SKERRY_ASSIGN(Typed left, sum());
        if (token().kind == Token::Kind::kSymbol &&
            std::find(std::begin(kComparisons), std::end(kComparisons), token().text) != std::end(kComparisons))
            return comparison(std::move(left));
        if (take_word("is")) return null_test(std::move(left));
        const std::size_t at = token().at;
        const bool negated = take_word("not");
        if (take_word("in")) return membership(std::move(left), negated);
        if (take_word("between")) return between(std::move(left), negated);
        if (take_word("like")) return like(std::move(left), negated);
        if (negated) return refuse(at, "behind `not` should be in, between or like");
        return left;
    }

    Result<void> need_comparable(const Type& type, std::size_t at, bool ordered) const {
        for (const model::Type t : {model::Type::kJson, model::Type::kSet, model::Type::kBlob})
            if (is(type, t)) return refuse(at, std::string(model::type_name(t)) + " can only be tested for null");
        if (ordered && is(type, model::Type::kBool)) return refuse(at, "true and false have no order");
        return {};
    }

    Result<Typed> comparison(Typed left) {
        const std::size_t at = left.at;
        std::string symbol = tokens_[next_++].text;
        if (symbol == "!=") symbol = "<>";
        SKERRY_ASSIGN(Typed right, sum());
        Parts parts = pair(std::move(left), std::move(right));
        SKERRY_ASSIGN(const Type type, unify(entity_, parts, "compared"));
        SKERRY_TRY(need_comparable(type, at, symbol != "=" && symbol != "<>"));
        if (token().kind == Token::Kind::kSymbol &&
            std::find(std::begin(kComparisons), std::end(kComparisons), token().text) != std::end(kComparisons))
            return refuse(token().at, "comparisons do not chain; join two of them with `and`");
        return made(Kind::kBinary, symbol, {model::Type::kBool}, at, std::move(parts));
    }

    Result<Typed> null_test(Typed left) {
        const bool negated = take_word("not");
        if (!take_word("null")) return refuse(token().at, "behind `is` should be null or not null");
        const std::size_t at = left.at;
        return made(Kind::kIsNull, "", {model::Type::kBool}, at, one(std::move(left)), negated);
    }

    Result<Typed> membership(Typed left, bool negated) {
        const std::size_t at = left.at;
        Parts parts = one(std::move(left));
        SKERRY_TRY(need_symbol("("));
        if (is_word("select")) return refuse_for_now(token().at, "sub-selects");
        do {
            const std::size_t item_at = token().at;
            SKERRY_ASSIGN(Typed item, signed_value());
            if (item.node.kind != Kind::kLiteral) return refuse(item_at, "a list has literals only");
            parts.push_back(std::move(item));
        } while (take_symbol(","));
        SKERRY_TRY(need_symbol(")"));
        SKERRY_ASSIGN(const Type type, unify(entity_, parts, "compared"));
        SKERRY_TRY(need_comparable(type, at, false));
        return made(Kind::kIn, "", {model::Type::kBool}, at, std::move(parts), negated);
    }

    Result<Typed> between(Typed left, bool negated) {
        const std::size_t at = left.at;
        Parts parts = one(std::move(left));
        SKERRY_ASSIGN(Typed low, sum());
        parts.push_back(std::move(low));
        if (!take_word("and")) return refuse(token().at, "behind the first bound of `between` should be `and`");
        SKERRY_ASSIGN(Typed high, sum());
        parts.push_back(std::move(high));
        SKERRY_ASSIGN(const Type type, unify(entity_, parts, "compared"));
        SKERRY_TRY(need_comparable(type, at, true));
        return made(Kind::kBetween, "", {model::Type::kBool}, at, std::move(parts), negated);
    }

    Result<Typed> like(Typed left, bool negated) {
        if (!is_text(left.type) && !is_null(left.type)) return refuse(left.at, "`like` is for text");
        const std::size_t at = left.at;
        const Token pattern = token();
        if (pattern.kind != Token::Kind::kText) return refuse(pattern.at, "behind `like` should be a text literal");
        ++next_;
        std::string escape;
        if (take_word("escape")) {
            if (token().kind != Token::Kind::kText || token().text.size() != 1) return refuse(token().at, "behind `escape` should be one ASCII character");
            escape = tokens_[next_++].text;
        }
        SKERRY_ASSIGN(std::string glob, glob_of(pattern, escape));
        return made(Kind::kLike, quote_text(glob), {model::Type::kBool}, at, one(std::move(left)), negated);
    }

    // SQLite's own LIKE takes a for A; its GLOB minds the case and has other signs.
    static Result<std::string> glob_of(const Token& pattern, std::string_view escape) {
        std::string glob;
        for (std::size_t i = 0; i < pattern.text.size(); ++i) {
            char c = pattern.text[i];
            const bool escaped = !escape.empty() && c == escape[0];
            if (escaped) {
                if (++i == pattern.text.size() || (pattern.text[i] != '%' && pattern.text[i] != '_' && pattern.text[i] != escape[0]))
                    return refuse(pattern.at, "the escape character stands before %, _ or itself only");
                c = pattern.text[i];
            }
            if (!escaped && c == '%') glob += '*';
            else if (!escaped && c == '_') glob += '?';
            else if (c == '*' || c == '?' || c == '[') glob += {'[', c, ']'};
            else glob += c;
        }
        return glob;
    }

    Result<Typed> sum() {
        SKERRY_ASSIGN(Typed left, product());
        while (is_symbol("+") || is_symbol("-")) {
            const std::string symbol = tokens_[next_++].text;
            SKERRY_ASSIGN(Typed right, product());
            SKERRY_ASSIGN(left, arithmetic(symbol, std::move(left), std::move(right)));
        }
        return left;
    }
    Result<Typed> product() {
        SKERRY_ASSIGN(Typed left, signed_value());
        while (is_symbol("*") || is_symbol("/") || is_symbol("%")) {
            const std::string symbol = tokens_[next_++].text;
            SKERRY_ASSIGN(Typed right, signed_value());
            SKERRY_ASSIGN(left, arithmetic(symbol, std::move(left), std::move(right)));
        }
        return left;
    }

    Result<Typed> arithmetic(const std::string& symbol, Typed left, Typed right) {
        const std::size_t at = left.at;
        for (const Typed* part : {&left, &right})
            if (!is_number(part->type) && !is_null(part->type)) return refuse(part->at, "`" + symbol + "` is for numbers");
        const bool left_decimal = is(left.type, model::Type::kDecimal);
        const bool decimal = left_decimal || is(right.type, model::Type::kDecimal);
        Parts parts = pair(std::move(left), std::move(right));
        if (decimal && symbol == "*") {
            const Typed& factor = parts[left_decimal ? 1 : 0];
            if (!is(factor.type, model::Type::kInt)) return refuse(factor.at, "a decimal is multiplied with an int only");
            const Type type = parts[left_decimal ? 0 : 1].type;
            return made(Kind::kBinary, symbol, plain(type), at, std::move(parts));
        }
        if (decimal && symbol == "/") return refuse(at, "decimals are not divided: there is no rule to round by");
        SKERRY_ASSIGN(const Type type, unify(entity_, parts, "added"));
        if (symbol == "%" && is(type, model::Type::kReal)) return refuse(at, "`%` is for whole numbers and decimals");
        return made(Kind::kBinary, symbol, plain(type), at, std::move(parts));
    }

    // What a function makes of a uuid or an enum is any text; of a date it is a date still.
    static Type plain(Type type) { return is_text(type) ? Type{model::Type::kText} : type; }

    Result<Typed> signed_value() {
        const std::size_t at = token().at;
        if (!take_symbol("-")) return value();
        // The sign belongs to the literal: -9223372036854775808 has no positive counterpart.
        if (token().kind == Token::Kind::kNumber) return counted(number_literal("-" + tokens_[next_++].text, at));
        SKERRY_ASSIGN(Typed inner, nested([&] { return signed_value(); }));
        if (!is_number(inner.type) && !is_null(inner.type)) return refuse(at, "`-` is for numbers");
        const Type type = plain(inner.type);
        return made(Kind::kNegate, "-", type, at, one(std::move(inner)));
    }

    Result<Typed> counted(Result<Typed> part) {
        if (++nodes_ > kNodesMax) return refuse(token().at, "it has more than " + std::to_string(kNodesMax) + " parts");
        return part;
    }

    Result<Typed> value() {
        const Token first = token();
        switch (first.kind) {
            case Token::Kind::kNumber: ++next_; return counted(number_literal(first.text, first.at));
            case Token::Kind::kText: ++next_; return counted(text_literal(first.text, first.at));
            case Token::Kind::kQuoted: ++next_; return attribute(first);
            case Token::Kind::kWord: return word(first);
            case Token::Kind::kEnd: return refuse(first.at, "here it ends too early");
            case Token::Kind::kPrincipal: return refuse_for_now(first.at, "principal values such as :me");
            case Token::Kind::kSymbol: break;
        }
        if (!take_symbol("(")) return refuse(first.at, "here should be a value, not " + first.text);
        if (is_word("select")) return refuse_for_now(token().at, "sub-selects");
        SKERRY_ASSIGN(Typed inner, nested([&] { return disjunction(); }));
        SKERRY_TRY(need_symbol(")"));
        return inner;
    }

    Result<Typed> word(const Token& first) {
        ++next_;
        if (first.text == "true" || first.text == "false")
            return made(Kind::kLiteral, first.text == "true" ? "1" : "0", {model::Type::kBool}, first.at, {});
        if (first.text == "null") return made(Kind::kLiteral, "NULL", {}, first.at, {});
        if (first.text == "select" || first.text == "exists") return refuse_for_now(first.at, "sub-selects");
        if (is_reserved(first.text))
            return refuse(first.at, "here should be a value; an attribute named " + first.text + " is written \"" + first.text + "\"");
        if (!is_symbol("(")) return attribute(first);
        ++next_;
        return call(first);
    }

    Result<Typed> attribute(const Token& name) {
        const model::Attribute* found = nullptr;
        if (name.text == entity_.key.name) found = &entity_.key;
        if (const auto ix = entity_.attribute_named(name.text)) found = &entity_.attributes[*ix];
        if (found == nullptr) return refuse(name.at, entity_.name + " has no attribute '" + name.text + "'");
        return made(Kind::kColumn, found->name, {found->type, found->scale, found}, name.at, {});
    }

    Result<Typed> call(const Token& name) {
        Parts parts;
        if (is_word("select")) return refuse_for_now(token().at, "sub-selects");
        do {
            SKERRY_ASSIGN(Typed part, nested([&] { return sum(); }));
            parts.push_back(std::move(part));
        } while (take_symbol(","));
        SKERRY_TRY(need_symbol(")"));
        const auto takes = [&](std::size_t least, std::size_t most) -> Result<void> {
            if (parts.size() >= least && parts.size() <= most) return {};
            return refuse(name.at, name.text + " takes " + (most == 1 ? "one value" : least == most ? "two values" : "two values or more"));
        };
        if (name.text == "length" || name.text == "lower" || name.text == "upper") {
            SKERRY_TRY(takes(1, 1));
            if (!is_text(parts[0].type) && !is_null(parts[0].type)) return refuse(parts[0].at, name.text + " is for text");
            return made(Kind::kCall, name.text, {name.text == "length" ? model::Type::kInt : model::Type::kText}, name.at, std::move(parts));
        }
        if (name.text == "abs") {
            SKERRY_TRY(takes(1, 1));
            if (!is_number(parts[0].type) && !is_null(parts[0].type)) return refuse(parts[0].at, "abs is for numbers");
            const Type type = plain(parts[0].type);
            return made(Kind::kCall, is(type, model::Type::kReal) ? "abs" : "abs of int", type, name.at, std::move(parts));
        }
        if (name.text != "coalesce" && name.text != "min" && name.text != "max")
            return refuse(name.at, "there is no function " + name.text + "; there are length, lower, upper, abs, coalesce, min and max");
        SKERRY_TRY(takes(2, name.text == "coalesce" ? static_cast<std::size_t>(kNodesMax) : 2));
        // coalesce(status, 'none') may name what is no value of the enum.
        for (Typed& part : parts)
            if (is_text(part.type)) part.type = plain(part.type);
        SKERRY_ASSIGN(const Type type, unify(entity_, parts, "mixed"));
        SKERRY_TRY(need_comparable(type, name.at, name.text != "coalesce"));
        if (is(type, model::Type::kReal))
            for (Typed& part : parts) as_real(part);
        return made(Kind::kCall, name.text, plain(type), name.at, std::move(parts));
    }

    std::vector<Token> tokens_;
    std::size_t next_ = 0;
    const model::Entity& entity_;
    int depth_ = 0;
    int nodes_ = 0;
};

}  // namespace

Result<Expression> parse(std::string_view text, const model::Entity& entity) {
    SKERRY_ASSIGN(auto tokens, tokens_of(text));
    return Parser(std::move(tokens), entity).run();
}

}  // namespace skerry::rules
