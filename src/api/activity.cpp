// The part of Device about conflicts, drafts and what happened.
#include <skerry/device.hpp>

#include "api/device_impl.hpp"
#include "base/text.hpp"
#include "store/chosen.hpp"

namespace skerry {

Result<std::vector<ConflictRecord>> Device::conflicts(bool also_closed) {
    SKERRY_TRY(impl_->store->number_open());
    return impl_->records->list(also_closed);
}

Result<ConflictRecord> Device::conflict(std::string_view id) { return impl_->records->get(id); }

Result<void> Device::resolve(std::string_view id, const Resolution& resolution) {
    SKERRY_TRY(impl_->records->resolve(id, resolution));
    impl_->wrote();
    return {};
}

void Device::on_conflict(std::function<void(const ConflictRecord&)> callback) { impl_->on_conflict = std::move(callback); }

Result<std::vector<Draft>> Device::drafts() { return store::Drafts(*impl_->store).list(); }

Result<Draft> Device::draft(std::uint64_t number) { return store::Drafts(*impl_->store).get(number); }

Result<void> Device::edit_draft(std::uint64_t number, std::string_view entity, std::string_view key,
                                const std::vector<std::pair<std::string, Value>>& values) {
    return store::Drafts(*impl_->store).edit(number, entity, key, values);
}

Result<DraftRetry> Device::retry_draft(std::uint64_t number) {
    SKERRY_ASSIGN(DraftRetry done, store::Drafts(*impl_->store).retry(number));
    impl_->wrote();
    return done;
}

Result<std::uint64_t> Device::discard_draft(std::uint64_t number) {
    SKERRY_ASSIGN(const TxnNo made, store::Drafts(*impl_->store).discard(number));
    impl_->wrote();
    return made.value;
}

void Device::on_draft(std::function<void(const Draft&)> callback) { impl_->on_draft = std::move(callback); }

Result<std::vector<LogEntry>> Device::log(const LogFilter& filter) {
    if (filter.entity.empty() && !filter.key.empty()) return fail(Code::kInvalidArgument, "a key is given without the entity that it is of");
    return store::log(*impl_->store, filter);
}

Result<RowState> Device::row_state(std::string_view entity, std::string_view key) {
    return store::row_state(*impl_->store, entity, key);
}

Result<std::vector<QuarantinedRow>> Device::quarantine() { return store::quarantine(*impl_->store); }

Result<void> Device::choose(std::string_view name, const std::vector<std::string>& values) {
    SKERRY_TRY(store::choose(*impl_->store, name, values));
    impl_->wrote();
    return {};
}

Result<std::vector<std::pair<std::string, std::vector<std::string>>>> Device::chosen() {
    std::vector<std::pair<std::string, std::vector<std::string>>> out;
    SKERRY_ASSIGN(auto all, store::chosen(*impl_->store));
    for (wire::Chosen& one : all) out.emplace_back(std::move(one.name), std::move(one.values));
    return out;
}

namespace {

struct Place {
    const model::Entity& entity;
    const model::Attribute& attribute;
};

Result<Place> find_place(const store::Store& store, std::string_view entity, std::string_view attribute) {
    SKERRY_ASSIGN(const EntityIx ix, store.entity_named(entity));
    const model::Entity& found = store.model().entity(ix);
    if (attribute == found.key.name) return Place{found, found.key};
    SKERRY_ASSIGN(const std::uint32_t at, store.attribute_named(ix, attribute));
    return Place{found, found.attributes[at]};
}

}  // namespace

Result<Value> Device::value_from_text(std::string_view entity, std::string_view attribute, std::string_view text) {
    SKERRY_ASSIGN(const Place place, find_place(*impl_->store, entity, attribute));
    return model::value_from_text(place.entity, place.attribute, text);
}

Result<std::string> Device::value_to_text(std::string_view entity, std::string_view attribute, const Value& value) {
    SKERRY_ASSIGN(const Place place, find_place(*impl_->store, entity, attribute));
    if (is_null(value)) return std::string("NULL");
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    std::string json;
    model::append_json(json, place.attribute, value);
    // What JSON writes as a string (a decimal, a blob, a large integer) has nothing in it that is escaped.
    if (json.size() >= 2 && json.front() == '"') return json.substr(1, json.size() - 2);
    return json;
}

}  // namespace skerry
