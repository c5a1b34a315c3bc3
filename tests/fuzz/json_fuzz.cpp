// JSON of rows: what any program may write into a json or set column. What is taken is a fixed point, and stays one
// through the value it becomes.
#include "base/assert.hpp"
#include "model/json.hpp"
#include "model/value.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace skerry;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto once = model::canonical_json(text)) {
        const auto twice = model::canonical_json(*once);
        SKERRY_ASSERT(twice && *twice == *once);
    }
    static const model::Entity entity{.name = "e", .key = {.name = "id"}};
    for (const model::Type type : {model::Type::kJson, model::Type::kSet, model::Type::kInt, model::Type::kReal, model::Type::kDecimal,
                                   model::Type::kText, model::Type::kBlob, model::Type::kTimestamp}) {
        const model::Attribute attribute{.name = "a", .type = type, .precision = 18, .scale = 3};
        const auto value = model::value_from_json(entity, attribute, text);
        if (!value) continue;
        SKERRY_ASSERT(model::check_value(entity, attribute, *value));
        std::string written;
        model::append_json(written, attribute, *value);
        const auto again = model::value_from_json(entity, attribute, written);
        SKERRY_ASSERT(again && *again == *value);
    }
    return 0;
}
