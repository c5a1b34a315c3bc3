#include "store/chosen.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "store/store.hpp"

namespace skerry::store {

namespace {

bool declared(const model::Model& model, std::string_view name) {
    return std::any_of(model.principal.begin(), model.principal.end(),
                       [&](const model::PrincipalValue& value) { return value.kind == model::PrincipalKind::kChosen && value.name == name; });
}

tl::unexpected<Error> not_declared(const model::Model& model, std::string_view name) {
    std::string names;
    for (const model::PrincipalValue& value : model.principal)
        if (value.kind == model::PrincipalKind::kChosen) names += (names.empty() ? "" : ", ") + value.name;
    return fail(Code::kNotFound, "the model has no chosen value '" + std::string(name) + "'" + (names.empty() ? "; it has none" : "; it has " + names));
}

Result<std::vector<wire::Chosen>> stored(Store& store) {
    std::vector<wire::Chosen> all;
    SKERRY_ASSIGN(const auto bytes, store.meta().bytes(key::kChosen));
    if (!bytes) return all;
    Reader in(*bytes);
    for (std::size_t names = in.count(2); names > 0 && in.ok(); --names) {
        wire::Chosen& one = all.emplace_back();
        one.name = in.bytes();
        for (std::size_t values = in.count(1); values > 0 && in.ok(); --values) one.values.emplace_back(in.bytes());
    }
    if (!in.at_end()) return fail(Code::kCorruptStore, "skerry_meta.chosen does not decode");
    return all;
}

}  // namespace

Result<void> choose(Store& store, std::string_view name, std::vector<std::string> values) {
    if (store.in_transaction()) return fail(Code::kInvalidArgument, "what is chosen does not belong to a transaction");
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(store.db()));
    SKERRY_TRY(store.reload_model());
    if (!store.has_model()) return fail(Code::kModelMissing, "nothing can be chosen before the model is here");
    if (!declared(store.model(), name)) return not_declared(store.model(), name);
    for (const std::string& value : values) {
        if (value.size() > kChosenValueBytesMax || !is_clean_text(value))
            return fail(Code::kInvalidArgument, "a chosen value is a text of at most " + std::to_string(kChosenValueBytesMax) + " bytes");
    }
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    SKERRY_ASSIGN(auto all, stored(store));
    // What an earlier model declared goes too.
    std::erase_if(all, [&](const wire::Chosen& one) { return one.name == name || !declared(store.model(), one.name); });
    if (!values.empty()) all.push_back({std::string(name), std::move(values)});
    std::sort(all.begin(), all.end(), [](const wire::Chosen& a, const wire::Chosen& b) { return a.name < b.name; });
    std::size_t count = 0;
    Bytes bytes;
    Writer out(bytes);
    out.varint(all.size());
    for (const wire::Chosen& one : all) {
        count += one.values.size();
        out.bytes(one.name);
        out.varint(one.values.size());
        for (const std::string& value : one.values) out.bytes(value);
    }
    if (count > wire::kChosenMax)
        return fail(Code::kInvalidArgument, "at most " + std::to_string(wire::kChosenMax) + " values can be chosen in all; these would be " + std::to_string(count));
    SKERRY_TRY(store.meta().set_bytes(key::kChosen, bytes));
    return txn.commit();
}

Result<std::vector<wire::Chosen>> chosen(Store& store) {
    SKERRY_ASSIGN(auto all, stored(store));
    std::erase_if(all, [&](const wire::Chosen& one) { return !store.has_model() || !declared(store.model(), one.name); });
    return all;
}

}  // namespace skerry::store
