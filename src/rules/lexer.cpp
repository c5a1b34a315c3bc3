#include "rules/lexer.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "model/model.hpp"

namespace skerry::rules {

namespace {

constexpr std::string_view kReserved[] = {"and",  "between", "escape", "exists", "false", "in",    "is",
                                          "like", "not",     "null",   "or",     "select", "true"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

class Lexer {
  public:
    Lexer(std::string_view text, Principal principal) : text_(text), principal_(principal) {}

    Result<std::vector<Token>> run() {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (is_space(c)) {
                ++at_;
            } else if (begins_word(c)) {
                word();
            } else if (is_digit(c)) {
                SKERRY_TRY(number());
            } else if (c == '\'' || c == '"') {
                SKERRY_TRY(quoted(c));
            } else {
                SKERRY_TRY(symbol());
            }
        }
        tokens_.push_back({Token::Kind::kEnd, "", text_.size()});
        return std::move(tokens_);
    }

  private:
    char peek(std::size_t further = 0) const { return at_ + further < text_.size() ? text_[at_ + further] : '\0'; }

    void word() {
        Token token{Token::Kind::kWord, "", at_};
        while (begins_word(peek()) || is_digit(peek())) token.text += lower(text_[at_++]);
        tokens_.push_back(std::move(token));
    }

    Result<void> number() {
        const std::size_t start = at_;
        while (is_digit(peek())) ++at_;
        if (peek() == '.' && is_digit(peek(1))) {
            ++at_;
            while (is_digit(peek())) ++at_;
        }
        if (peek() == 'e' || peek() == 'E') {
            std::size_t digits = 1;
            if (peek(1) == '+' || peek(1) == '-') digits = 2;
            if (!is_digit(peek(digits))) return refuse(at_, "digits are missing in the exponent");
            at_ += digits;
            while (is_digit(peek())) ++at_;
        }
        if (begins_word(peek()) || peek() == '.') return refuse(start, "this is no number");
        tokens_.push_back({Token::Kind::kNumber, std::string(text_.substr(start, at_ - start)), start});
        return {};
    }

    Result<void> quoted(char quote) {
        Token token{quote == '"' ? Token::Kind::kQuoted : Token::Kind::kText, "", at_++};
        for (;; ++at_) {
            if (at_ == text_.size()) return refuse(token.at, "a quote is not closed");
            if (text_[at_] == quote && peek(1) != quote) break;
            if (text_[at_] == quote) ++at_;
            token.text += text_[at_];
        }
        ++at_;
        tokens_.push_back(std::move(token));
        return {};
    }

    Result<void> symbol() {
        for (const std::string_view two : {"<>", "!=", "<=", ">="})
            if (text_.substr(at_, 2) == two) return take(two);
        if (text_[at_] == ':') return principal();
        if (text_[at_] == '.') return refuse_for_now(at_, "paths over associations such as site_id.name");
        if (std::string_view("=<>+-*/%(),").find(text_[at_]) == std::string_view::npos)
            return refuse(at_, "nothing of the language begins like this");
        return take(text_.substr(at_, 1));
    }
    Result<void> principal() {
        if (principal_ == Principal::kRefuse) return refuse_for_now(at_, "principal values such as :me");
        if (!begins_word(peek(1))) return refuse(at_, "behind a colon stands the name of a principal value, as in :me");
        const std::size_t colon = at_++;
        word();
        tokens_.back().kind = Token::Kind::kPrincipal;
        tokens_.back().at = colon;
        return {};
    }
    Result<void> take(std::string_view symbol) {
        tokens_.push_back({Token::Kind::kSymbol, std::string(symbol), at_});
        at_ += symbol.size();
        return {};
    }

    std::string_view text_;
    Principal principal_;
    std::size_t at_ = 0;
    std::vector<Token> tokens_;
};

}  // namespace

tl::unexpected<Error> refuse(std::size_t at, std::string_view why) {
    return fail(Code::kExpressionInvalid, "at byte " + std::to_string(at) + ": " + std::string(why));
}

tl::unexpected<Error> refuse_for_now(std::size_t at, std::string_view what) {
    return refuse(at, "not_supported: " + std::string(what));
}

bool is_reserved(std::string_view word) {
    return std::find(std::begin(kReserved), std::end(kReserved), word) != std::end(kReserved);
}

Result<std::vector<Token>> tokens_of(std::string_view text, Principal principal) {
    if (text.size() > model::kExpressionBytesMax)
        return refuse(model::kExpressionBytesMax, "it is longer than " + with_commas(model::kExpressionBytesMax) + " bytes");
    if (!is_clean_text(text)) return refuse(0, "it is not UTF-8 text without NUL");
    return Lexer(text, principal).run();
}

}  // namespace skerry::rules
