#include "model/yaml/query.hpp"

#include <algorithm>

#include "model/yaml/tree.hpp"

namespace skerry::model::yaml {

namespace {

bool begins_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}
bool in_word(char c) { return begins_word(c) || (c >= '0' && c <= '9') || c == '$'; }

class Scanner {
  public:
    explicit Scanner(std::string_view sql) : sql_(sql) {}

    QueryScan run() {
        while (at_ < sql_.size() && out_.fault.empty()) step();
        if (out_.fault.empty() && first_.empty()) begins_wrong();
        return std::move(out_);
    }

  private:
    bool has(std::string_view text) const { return sql_.substr(at_, text.size()) == text; }
    void fault(std::string text) { out_.fault = std::move(text); }
    void begins_wrong() {
        fault("is a query that begins with `select` or `with`, or one of the words `claim` and `chosen`");
    }

    void step() {
        const char c = sql_[at_];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            ++at_;
        } else if (has("--")) {
            at_ = std::min(sql_.find('\n', at_), sql_.size());
        } else if (has("/*")) {
            pass(2, "*/", "a comment");
        } else if (ended_) {
            fault("holds several statements; keep one query");
        } else if (c == '\'' || c == '"' || c == '`') {
            pass(1, sql_.substr(at_, 1), "a quote");
        } else if (c == '[') {
            pass(1, "]", "a bracket");
        } else if (begins_word(c)) {
            word();
        } else if (c == ':') {
            parameter();
        } else if (c == '?' || c == '@' || c == '$') {
            fault("has a parameter with `" + std::string(1, c) +
                  "`; write `:sub`, or `:` and the name of a claim");
        } else {
            if (first_.empty()) return begins_wrong();
            ended_ = c == ';';
            ++at_;
        }
    }

    // Doubled quotes need no care: the second one begins a text that the next one ends.
    void pass(std::size_t opening, std::string_view closing, std::string_view what) {
        if (first_.empty() && closing != "*/") return begins_wrong();
        const std::size_t end = sql_.find(closing, at_ + opening);
        if (end == std::string_view::npos) return fault("has " + std::string(what) + " that is not closed");
        at_ = end + closing.size();
    }

    std::string_view take_word() {
        const std::size_t begin = at_;
        while (at_ < sql_.size() && in_word(sql_[at_])) ++at_;
        return sql_.substr(begin, at_ - begin);
    }

    void word() {
        std::string word(take_word());
        for (char& c : word)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (first_.empty()) {
            first_ = word;
            if (word != "select" && word != "with") begins_wrong();
        }
        // None of them is a name in SQL without quotes, and `with` may begin a statement that writes.
        if (word == "insert" || word == "update" || word == "delete")
            fault("may only read; it has the word " + quoted(word) + ", which stands in quotes if it is a name");
    }

    void parameter() {
        if (first_.empty()) return begins_wrong();
        ++at_;
        if (at_ == sql_.size() || !begins_word(sql_[at_]))
            return fault("has a colon without a name behind it; parameters are `:sub` and claims");
        const std::string name(take_word());
        if (std::find(out_.parameters.begin(), out_.parameters.end(), name) == out_.parameters.end())
            out_.parameters.push_back(name);
    }

    std::string_view sql_;
    std::size_t at_ = 0;
    std::string first_;  // word
    bool ended_ = false;
    QueryScan out_;
};

}  // namespace

QueryScan scan_query(std::string_view sql) { return Scanner(sql).run(); }

}  // namespace skerry::model::yaml
