// A query of `principal:`, as far as it can be judged without a database.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace skerry::model::yaml {

struct QueryScan {
    std::vector<std::string> parameters;  // the names behind a colon, each once
    std::string fault;                    // what is wrong, and how to mend it; empty: nothing
};

// One statement that begins with select or with, writes nothing, and has parameters of the form `:name` only.
// Strings, quoted names and comments are passed over. The server prepares it and lets it read only; this scan is
// for faults that a person should see when the model is read.
QueryScan scan_query(std::string_view sql);

}  // namespace skerry::model::yaml
