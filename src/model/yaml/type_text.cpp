#include "model/yaml/type_text.hpp"

#include <algorithm>

#include "model/yaml/faults.hpp"

namespace skerry::model::yaml {

namespace {

std::string_view without_quotes(std::string_view text) {
    text = trimmed(text);
    if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front())
        return text.substr(1, text.size() - 2);
    return text;
}

}  // namespace

TypeText parse_type(std::string_view text) {
    TypeText out;
    text = trimmed(text);
    std::size_t at = 0;
    while (at < text.size() && text[at] != '(' && text[at] != '!' && text[at] != '=' && text[at] != ' ') ++at;
    out.word = text.substr(0, at);
    at = std::min(text.find_first_not_of(' ', at), text.size());
    if (at < text.size() && text[at] == '(') {
        const std::size_t close = text.find(')', at);
        if (close == std::string_view::npos) {
            out.fault =
                "a bracket is open; where braces { } stand around it, put the type in quotes, such as \"decimal(10, "
                "2)\"";
            return out;
        }
        out.has_arguments = true;
        std::string_view inside = text.substr(at + 1, close - at - 1);
        while (!trimmed(inside).empty()) {
            const std::size_t comma = inside.find(',');
            out.arguments.emplace_back(without_quotes(inside.substr(0, comma)));
            if (comma == std::string_view::npos) break;
            inside.remove_prefix(comma + 1);
            if (trimmed(inside).empty()) out.arguments.emplace_back();
        }
        at = close + 1;
    }
    std::string_view rest = trimmed(text.substr(at));
    if (rest.starts_with('!')) {
        out.required = true;
        rest = trimmed(rest.substr(1));
    }
    if (rest.starts_with('=')) {
        out.default_value = std::string(trimmed(rest.substr(1)));
    } else if (!rest.empty()) {
        out.fault = "behind the type come `!` (required) and `= value` (default), not " + quoted(rest);
    }
    return out;
}

}  // namespace skerry::model::yaml
