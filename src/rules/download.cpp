// Only the words around the link are looked at here. Everything else is read by parse(), with `true` in the place
// of the link, so that a fault keeps its byte.
#include "rules/download.hpp"

#include <algorithm>

#include "rules/lexer.hpp"
#include "rules/rules.hpp"

namespace skerry::rules {

namespace {

using Kind = Token::Kind;

constexpr std::string_view kOneLink =
    "a rule has one link to the user, `attribute = :name` or `attribute in :name`, joined to the rest by `and`";
class Splitter {
  public:
    Splitter(std::string_view text, std::vector<Token> tokens, const model::Entity& entity)
        : text_(text), tokens_(std::move(tokens)), entity_(entity) {}

    Result<DownloadRule> run() {
        const std::size_t end = tokens_.size() - 1;
        if (!has_principal(0, end)) {
            SKERRY_TRY(parse(text_, entity_));
            out_.where = text_of(0, end);
            return std::move(out_);
        }
        SKERRY_TRY(split(0, end, 0));
        SKERRY_TRY(parse(without_link_, entity_));
        if (out_.where.empty()) return std::move(out_);
        SKERRY_TRY(parse(out_.where, entity_));  // the pieces, joined again, may be too long
        return std::move(out_);
    }

  private:
    bool is_word(std::size_t i, std::string_view word) const {
        return tokens_[i].kind == Kind::kWord && tokens_[i].text == word;
    }
    bool is_symbol(std::size_t i, std::string_view symbol) const {
        return tokens_[i].kind == Kind::kSymbol && tokens_[i].text == symbol;
    }

    // Between tokens there is white space only, so the text up to the next one, without that, is what they say.
    std::string text_of(std::size_t first, std::size_t last) const {
        const std::size_t begin = tokens_[first].at;
        std::string_view text = text_.substr(begin, tokens_[last].at - begin);
        while (!text.empty() && std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos)
            text.remove_suffix(1);
        return std::string(text);
    }

    template <class Test>
    std::size_t first_of(std::size_t first, std::size_t last, Test test) const {
        while (first < last && !test(first)) ++first;
        return first;
    }
    std::size_t principal_in(std::size_t first, std::size_t last) const {
        return first_of(first, last, [&](std::size_t i) { return tokens_[i].kind == Kind::kPrincipal; });
    }
    bool has_principal(std::size_t first, std::size_t last) const { return principal_in(first, last) != last; }

    // `message` says what it is, and what to do instead.
    tl::unexpected<Error> not_supported(std::size_t token, std::string message) const {
        return fail(Code::kNotSupported,
                    "at byte " + std::to_string(tokens_[token].at) + ": " + std::move(message));
    }
    std::string by_query() const {
        return "let a query under `principal:` give the keys of the rows that are wanted, and write `" +
               entity_.key.name + " in :name`";
    }
    std::string shown(std::size_t principal) const { return ":" + tokens_[principal].text; }

    // Precondition: a principal value stands in [first, last).
    Result<void> split(std::size_t first, std::size_t last, int depth) {
        if (depth > kDepthMax)
            return refuse(tokens_[first].at, "it is nested deeper than " + std::to_string(kDepthMax));
        std::vector<std::size_t> ends;
        int brackets = 0;
        bool between = false;  // its own `and` joins no conditions
        for (std::size_t i = first; i < last; ++i) {
            if (is_symbol(i, "(")) ++brackets;
            if (is_symbol(i, ")")) --brackets;
            if (brackets != 0) continue;
            if (is_word(i, "or")) return beside_or(i, principal_in(first, last));
            if (is_word(i, "between")) between = true;
            if (!is_word(i, "and")) continue;
            if (!between) ends.push_back(i);
            between = false;
        }
        if (ends.empty())
            return in_brackets(first, last) ? split(first + 1, last - 1, depth + 1) : link(first, last);
        ends.push_back(last);
        for (const std::size_t end : ends) {
            if (has_principal(first, end))
                SKERRY_TRY(split(first, end, depth));
            else
                out_.where += (out_.where.empty() ? "" : " and ") + text_of(first, end);
            first = end + 1;
        }
        return {};
    }

    // Whether the first bracket is closed by the last one.
    bool in_brackets(std::size_t first, std::size_t last) const {
        if (!is_symbol(first, "(")) return false;
        int open = 0;
        for (std::size_t i = first; i < last; ++i) {
            if (is_symbol(i, "(")) ++open;
            if (is_symbol(i, ")") && --open == 0) return i + 1 == last;
        }
        return false;
    }

    tl::unexpected<Error> beside_or(std::size_t at, std::size_t principal) const {
        return not_supported(at, "`or` around " + shown(principal) +
                                     " is not supported: " + std::string(kOneLink) + "; " + by_query());
    }

    bool names_attribute(std::size_t i) const {
        if (tokens_[i].kind == Kind::kQuoted) return true;
        return tokens_[i].kind == Kind::kWord && !is_reserved(tokens_[i].text) && !is_symbol(i + 1, "(");
    }

    Result<void> link(std::size_t first, std::size_t last) {
        const std::size_t principal = principal_in(first, last);
        const bool three = last - first == 3;
        const bool equal = three && is_symbol(first + 1, "=");
        const bool among = three && is_word(first + 1, "in") && principal == first + 2;
        std::size_t attribute = principal == first ? first + 2 : first;
        if ((!equal && !among) || !names_attribute(attribute)) return refuse_link(first, last, principal);
        if (out_.link)
            return not_supported(principal, "two values of the user in one rule are not supported; " + by_query());
        SKERRY_ASSIGN(const std::uint32_t index, attribute_of(attribute));
        out_.link = {.attribute = index, .value = tokens_[principal].text, .many = among};
        out_.value_at = tokens_[principal].at;
        without_link_ = text_;
        const std::size_t begin = tokens_[first].at;
        const std::size_t length = text_of(first, last).size();  // at least `a=:b`
        without_link_.replace(begin, length, "true" + std::string(length - 4, ' '));
        return {};
    }

    Result<std::uint32_t> attribute_of(std::size_t token) const {
        const std::string& name = tokens_[token].text;
        if (name == entity_.key.name) return model::kKeyAttribute;
        const auto index = entity_.attribute_named(name);
        if (!index) return refuse(tokens_[token].at, entity_.name + " has no attribute '" + name + "'");
        if (const model::Type type = entity_.attributes[*index].type; !model::may_link(type))
            return not_supported(
                token, "'" + name + "' is of type " + std::string(model::type_name(type)) +
                           ", and a link to the user by it is not supported; link by a uuid, text, enum, int, "
                           "bool or date, or by an association");
        return *index;
    }

    // What the term is, in the words of whom it may help.
    tl::unexpected<Error> refuse_link(std::size_t first, std::size_t last, std::size_t principal) const {
        const auto word = [&](std::string_view wanted) {
            return first_of(first, last, [&](std::size_t i) { return is_word(i, wanted); });
        };
        const auto unequal = first_of(first, last, [&](std::size_t i) {
            return is_symbol(i, "<>") || is_symbol(i, "!=") || is_symbol(i, "<") || is_symbol(i, "<=") ||
                   is_symbol(i, ">") || is_symbol(i, ">=");
        });
        if (word("or") != last) return beside_or(word("or"), principal);
        if (principal_in(principal + 1, last) != last)
            return not_supported(principal, "comparing " + shown(principal) + " with " +
                                                shown(principal_in(principal + 1, last)) +
                                                " is not supported; compare them in a query under `principal:`");
        if (first_of(first, last, [&](std::size_t i) { return names_attribute(i); }) == last)
            return not_supported(
                principal,
                "a condition on the user alone (" + shown(principal) +
                    ") is not supported; give such users a profile of their own, which the claim `profile` of "
                    "their token names");
        if (word("not") != last || unequal != last)
            return not_supported(
                std::min(word("not"), unequal),
                "`" + tokens_[std::min(word("not"), unequal)].text + "` around " + shown(principal) +
                    " is not supported, because what it leaves is no part that a user can be given; let a query "
                    "under "
                    "`principal:` give the values that are wanted, and write `attribute in :name`");
        if (word("in") != last)
            return not_supported(word("in"), "a list with " + shown(principal) +
                                                 " in it is not supported; write `attribute in " +
                                                 shown(principal) + "`");
        return not_supported(principal,
                             shown(principal) + " in an expression is not supported: " + std::string(kOneLink));
    }

    std::string_view text_;
    std::vector<Token> tokens_;
    const model::Entity& entity_;
    DownloadRule out_;
    std::string without_link_;
};

}  // namespace

Result<DownloadRule> parse_download(std::string_view text, const model::Entity& entity) {
    SKERRY_ASSIGN(auto tokens, tokens_of(text, Principal::kAllow));
    return Splitter(text, std::move(tokens), entity).run();
}

}  // namespace skerry::rules
