// A type as the short form writes it: `text`, `int! = 0`, `decimal(10, 2)`, `enum(open, closed)! = open`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace skerry::model::yaml {

struct TypeText {
    std::string word;  // before the brackets; "" if there is none
    bool has_arguments = false;
    std::vector<std::string> arguments;        // between the brackets, without quotes
    bool required = false;                     // !
    std::optional<std::string> default_value;  // behind =, may be empty
    std::string fault;                         // what is wrong with the form; then the rest is not to be used
};

TypeText parse_type(std::string_view text);

}  // namespace skerry::model::yaml
