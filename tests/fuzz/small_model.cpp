#include "fuzz.hpp"

namespace skerry::fuzz {

const model::Model& small_model() {
    static const model::Model model = [] {
        using model::Type;
        using model::Merge;
        model::Model m{"fuzz", 1, {}};
        m.entities.push_back({"house", {"id", Type::kText},
                              {{.name = "name", .required = true},
                               {.name = "people", .type = Type::kInt, .merge = Merge::kCounter},
                               {.name = "words", .type = Type::kSet, .merge = Merge::kSet},
                               {.name = "note", .merge = Merge::kText},
                               {.name = "photo", .type = Type::kBlob},
                               {.name = "state", .type = Type::kEnum, .merge = Merge::kAsk, .values = {"open", "closed"}}},
                              {{"people >= 0", "people"}}});
        m.entities.push_back({"visit", {"id", Type::kUuid},
                              {{.name = "house_id", .references = EntityIx{0}, .on_delete = model::OnDelete::kCascade},
                               {.name = "cost", .type = Type::kDecimal, .merge = Merge::kMax, .precision = 10, .scale = 2},
                               {.name = "on", .type = Type::kDate},
                               {.name = "at", .type = Type::kTimestamp},
                               {.name = "done", .type = Type::kBool, .merge = Merge::kFirst},
                               {.name = "size", .type = Type::kReal, .merge = Merge::kMin},
                               {.name = "extra", .type = Type::kJson}}});
        m.entities.push_back({"tag", {"code", Type::kText}, {}});
        model::complete(m);
        SKERRY_ASSERT(model::check(m));
        return m;
    }();
    return model;
}

}  // namespace skerry::fuzz
