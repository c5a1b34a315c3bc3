#include "store/meta.hpp"

namespace skerry::store {

Result<std::optional<Value>> Meta::value(std::string_view name) {
    SKERRY_ASSIGN(sqlite::Statement get, db_.prepare("SELECT value FROM skerry_meta WHERE name = ?1"));
    get.bind_text(1, name);
    SKERRY_ASSIGN(const bool found, get.step());
    std::optional<Value> result;
    if (found) result = get.value(0);
    get.reset();
    return result;
}

Result<std::optional<std::int64_t>> Meta::integer(std::string_view name) {
    SKERRY_ASSIGN(const auto found, value(name));
    if (!found) return std::nullopt;
    const auto* v = std::get_if<std::int64_t>(&*found);
    if (v == nullptr) return fail(Code::kCorruptStore, "skerry_meta." + std::string(name) + " is not an integer");
    return *v;
}

Result<std::optional<Bytes>> Meta::bytes(std::string_view name) {
    SKERRY_ASSIGN(const auto found, value(name));
    if (!found) return std::nullopt;
    if (const auto* text = std::get_if<std::string>(&*found)) return *text;
    if (const auto* blob = std::get_if<Blob>(&*found)) return Bytes(view_of(*blob));
    return fail(Code::kCorruptStore, "skerry_meta." + std::string(name) + " is neither text nor blob");
}

namespace {
constexpr std::string_view kSet =
    "INSERT INTO skerry_meta(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = excluded.value";
}

Result<void> Meta::set(std::string_view name, std::int64_t v) {
    SKERRY_ASSIGN(sqlite::Statement set, db_.prepare(kSet));
    return set.bind_text(1, name).bind(2, v).run();
}
Result<void> Meta::set_bytes(std::string_view name, BytesView v) {
    SKERRY_ASSIGN(sqlite::Statement set, db_.prepare(kSet));
    return set.bind_text(1, name).bind_blob(2, v).run();
}
Result<void> Meta::set_text(std::string_view name, std::string_view v) {
    SKERRY_ASSIGN(sqlite::Statement set, db_.prepare(kSet));
    return set.bind_text(1, name).bind_text(2, v).run();
}
Result<void> Meta::erase(std::string_view name) {
    SKERRY_ASSIGN(sqlite::Statement erase, db_.prepare("DELETE FROM skerry_meta WHERE name = ?1"));
    return erase.bind_text(1, name).run();
}

Result<DeviceId> Meta::device() {
    SKERRY_ASSIGN(const auto found, bytes(key::kDevice));
    if (!found || found->size() != 16) return fail(Code::kCorruptStore, "the store has no device id");
    return DeviceId::from(*found);
}

Result<TxnNo> Meta::next_no() {
    SKERRY_ASSIGN(const auto found, integer(key::kNextNo));
    if (found && *found < 1) return fail(Code::kCorruptStore, "skerry_meta.next_no is no number of a transaction");
    return TxnNo{static_cast<std::uint64_t>(found.value_or(1))};
}

}  // namespace skerry::store
