// For this room's tests: a model with every type, and how lines become bytes.
#pragma once

#include <gtest/gtest.h>

#include "model/model.hpp"
#include "wire/json/requests.hpp"

namespace skerry::wire::json::testing {

inline model::Model every_type() {
    using model::Type;
    model::Model m{"lines", 1, {}};
    m.entities.push_back({"thing", {"id", Type::kText},
                          {{"name", Type::kText},
                           {"count", Type::kInt, model::Merge::kLast, false, Value{std::int64_t{7}}},
                           {"weight", Type::kReal},
                           {.name = "price", .type = Type::kDecimal, .precision = 18, .scale = 2},
                           {"open", Type::kBool},
                           {"day", Type::kDate},
                           {"notes", Type::kJson},
                           {"photo", Type::kBlob},
                           {"tags", Type::kSet},
                           {.name = "state", .type = Type::kEnum, .values = {"new", "old"}}}});
    m.entities.push_back({"tag", {"code", Type::kText}, {{.name = "thing_id", .type = Type::kText, .references = EntityIx{0}}}});
    return m;
}

inline Result<Request> read(std::string_view lines, Kind kind, const model::Model& model, std::size_t bytes_max = 32u << 20) {
    return read_request(lines, kind, {model, model.hash(), bytes_max});
}

inline constexpr std::string_view kDevice = "30313233343536373839616263646566";  // "0123456789abcdef"

}  // namespace skerry::wire::json::testing
