// Three values of one attribute under every policy: the outcome is a value of the attribute, and the laws of the policies hold.
#include "fuzz.hpp"
#include "merge/merge.hpp"

namespace {

using namespace skerry;
using merge::Decision;
using merge::Prior;

const model::Entity& entity() {
    using model::Merge;
    using model::Type;
    static const model::Entity e{
        .name = "e",
        .key = {.name = "id"},
        .attributes = {{.name = "text", .merge = Merge::kText}, {.name = "set", .type = Type::kSet, .merge = Merge::kSet},
                       {.name = "count", .type = Type::kInt, .merge = Merge::kCounter},
                       {.name = "money", .type = Type::kDecimal, .merge = Merge::kCounter, .precision = 4, .scale = 2},
                       {.name = "max", .type = Type::kReal, .merge = Merge::kMax}, {.name = "min", .type = Type::kTimestamp, .merge = Merge::kMin},
                       {.name = "first", .merge = Merge::kFirst}, {.name = "last", .type = Type::kJson, .merge = Merge::kLast},
                       {.name = "ask", .type = Type::kBlob, .merge = Merge::kAsk}}};
    return e;
}

// The text as the attribute takes it, or NULL.
Value value_of(const model::Attribute& attribute, BytesView text) {
    if (attribute.type == model::Type::kBlob) return Blob(text.begin(), text.end());
    return model::value_from_text(entity(), attribute, text).value_or(Value{Null{}});
}

void check_policies(const model::Attribute& attribute, const Value& old_value, const Value& mine, const Value& current, std::uint8_t how) {
    merge::Input in{.old_value = old_value, .mine = mine, .current = current};
    in.prior = static_cast<Prior>(how % 5);
    if ((how & 8) != 0) in.left = model::value_hash((how & 16) != 0 ? current : mine);
    const auto merged = merge::merge(attribute, in);
    if (merged) {
        if (merged->decision == Decision::kWrite) SKERRY_ASSERT(model::check_value(entity(), attribute, merged->value) && merged->value != current);
        if (in.prior == Prior::kNone && current == old_value && mine != current)
            SKERRY_ASSERT(merged->decision == Decision::kWrite && merged->value == mine && !merged->merged);
    }
    const Value shown = merge::rebase(attribute, old_value, mine, current);
    SKERRY_ASSERT(model::check_value(entity(), attribute, shown));
    SKERRY_ASSERT(merge::rebase(attribute, old_value, mine, old_value) == mine);
}

void check_words(BytesView old_text, BytesView mine, BytesView current) {
    const auto mixed = merge::merge_words(old_text, mine, current);
    SKERRY_ASSERT(merge::merge_words(old_text, current, mine) == mixed);
    SKERRY_ASSERT(merge::merge_words(old_text, old_text, current) == std::string(current));
    SKERRY_ASSERT(merge::merge_words(old_text, mine, mine) == std::string(mine));
    if (mixed) SKERRY_ASSERT(mixed->size() <= old_text.size() + mine.size() + current.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Choices in(fuzz::view(data, size));
    const std::uint8_t how = in.byte();
    const model::Attribute& attribute = entity().attributes[in.byte() % entity().attributes.size()];
    const BytesView old_text = in.piece();
    const BytesView mine = in.piece();
    const BytesView current = in.rest();
    check_words(old_text, mine, current);
    check_policies(attribute, value_of(attribute, old_text), value_of(attribute, mine), value_of(attribute, current), how);
    return 0;
}
