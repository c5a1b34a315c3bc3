// The C interface: translates, decides nothing.
#include <skerry/device.hpp>
#include <skerry/skerry.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "capi/sized.hpp"

struct skerry_table {
    skerry::Table own;
    const skerry::Table* shown = &own;  // of a live query: the library's
};

struct skerry_device {
    explicit skerry_device(skerry::Device opened) : device(std::move(opened)) {}
    skerry::Device device;
    std::string message;
};

namespace skerry {

namespace {

std::string_view view(const char* text) { return text == nullptr ? std::string_view() : std::string_view(text); }

// Of the first version: the members up to `name`. Does not change when others are added.
constexpr std::size_t kFirstOptions = offsetof(skerry_options, name) + sizeof(skerry_options::name);

int number(Code code) { return static_cast<int>(code); }

int failed(skerry_device* device, const Error& error) {
    device->message = describe(error);
    return number(error.code);
}

template <class T>
int done(skerry_device* device, const Result<T>& result) {
    return result ? 0 : failed(device, result.error());
}

char* copied(const std::string& text) {
    char* copy = static_cast<char*>(std::malloc(text.size() + 1));
    if (copy == nullptr) std::abort();
    std::memcpy(copy, text.c_str(), text.size() + 1);
    return copy;
}

Result<Value> value_from(const skerry_value& value) {
    const char* bytes = value.size == 0 ? "" : static_cast<const char*>(value.bytes);
    if (bytes == nullptr) return fail(Code::kInvalidArgument, "a value of " + std::to_string(value.size) + " bytes points nowhere");
    switch (value.type) {
        case SKERRY_NULL: return Value{Null{}};
        case SKERRY_INT: return Value{value.integer};
        case SKERRY_REAL: return Value{value.real};
        case SKERRY_TEXT: return Value{std::string(bytes, value.size)};
        case SKERRY_BLOB: return Value{Blob(bytes, bytes + value.size)};
    }
    return fail(Code::kInvalidArgument, "there is no type of values with the number " + std::to_string(static_cast<int>(value.type)));
}

Result<std::vector<Value>> values_from(const skerry_value* values, std::size_t count) {
    std::vector<Value> out;
    out.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        auto value = value_from(values[i]);
        if (!value) return fail(std::move(value.error()), "parameter " + std::to_string(i + 1));
        out.push_back(std::move(*value));
    }
    return out;
}

using Fields = std::vector<std::pair<std::string, Value>>;

Result<Fields> fields_from(const skerry_field* fields, std::size_t count) {
    Fields out;
    out.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        auto value = value_from(fields[i].value);
        if (!value) return fail(std::move(value.error()), "attribute " + std::string(view(fields[i].attribute)));
        out.emplace_back(view(fields[i].attribute), std::move(*value));
    }
    return out;
}

void fill(skerry_status& out, const DeviceStatus& status) {
    skerry_status filled{};
    filled.size = std::min(out.size, sizeof filled);
    const std::size_t length = std::min(status.phase.size(), sizeof filled.phase - 1);
    std::memcpy(filled.phase, status.phase.data(), length);
    filled.waiting_to_send = status.waiting_to_send;
    filled.waiting_to_settle = status.waiting_to_settle;
    filled.drafts = status.drafts;
    filled.conflicts = status.conflicts;
    filled.rows_received = status.rows_received;
    filled.rows_left = status.rows_left;
    filled.fresh_as_of_us = status.fresh_as_of_us.value_or(0);
    filled.problem = status.problem ? number(status.problem->code) : 0;
    // A caller that was built against an older header has a smaller struct.
    std::memcpy(static_cast<void*>(&out), &filled, filled.size);
}

int give(skerry_device* device, Result<Table> result, skerry_table** out) {
    if (out != nullptr) *out = result ? new skerry_table{.own = std::move(*result)} : nullptr;
    return done(device, result);
}

Result<Table> drafts_of(Device& device) {
    auto drafts = device.drafts();
    if (!drafts) return tl::unexpected(std::move(drafts.error()));
    Table table{.columns = {"number", "code", "message", "member", "made_at"}, .rows = {}};
    for (Draft& draft : *drafts)
        table.rows.push_back({static_cast<std::int64_t>(draft.number), std::move(draft.code), std::move(draft.message), std::move(draft.member), std::move(draft.made_at)});
    return table;
}

Table decided_of(const DraftRetry& retry) {
    Table table{.columns = {"conflict"}, .rows = {}};
    for (const std::string& id : retry.decided) table.rows.push_back({id});
    return table;
}

}  // namespace

}  // namespace skerry

using skerry::done;
using skerry::view;

extern "C" {

const char* skerry_version(void) { return SKERRY_VERSION; }

const char* skerry_code_name(int code) {
    // The names in the table are literals: they end with NUL.
    return skerry::code_name(static_cast<skerry::Code>(code < 0 || code > 0xffff ? 0 : code)).data();
}

void skerry_free(char* text) { std::free(text); }

int skerry_open(const skerry_options* options, skerry_device** device, char** message) {
    if (message != nullptr) *message = nullptr;
    *device = nullptr;
    const auto refused = [&](const skerry::Error& error) {
        if (message != nullptr) *message = skerry::copied(skerry::describe(error));
        return skerry::number(error.code);
    };
    const auto taken = skerry::capi::taken(options, skerry::kFirstOptions, "skerry_options");
    if (!taken) return refused(taken.error());
    auto opened = skerry::Device::open({.path = std::string(view(taken->path)), .server_url = std::string(view(taken->server_url)),
                                        .token = std::string(view(taken->token)), .name = std::string(view(taken->name)), .model = {}});
    if (!opened) return refused(opened.error());
    *device = new skerry_device(std::move(*opened));
    return 0;
}

void skerry_close(skerry_device* device) { delete device; }

const char* skerry_message(const skerry_device* device) { return device->message.c_str(); }

int skerry_sql(skerry_device* device, const char* statement, const skerry_value* parameters, size_t count, skerry_table** result) {
    auto values = skerry::values_from(parameters, count);
    if (!values) {
        if (result != nullptr) *result = nullptr;
        return skerry::failed(device, values.error());
    }
    return skerry::give(device, device->device.sql(view(statement), *values), result);
}

int skerry_transaction(skerry_device* device, int (*work)(skerry_device*, void*), void* data, int strict) {
    int said = 0;
    const auto result = device->device.transaction(
        [&](skerry::Device&) -> skerry::Result<void> {
            said = work(device, data);
            if (said == 0) return {};
            return skerry::fail(skerry::Code::kInvalidArgument, "the work was given up");
        },
        {.strict = strict != 0});
    // What the work itself failed with has its message already.
    return said != 0 ? said : done(device, result);
}

int skerry_update(skerry_device* device, const char* entity, const char* key, const skerry_field* shown, size_t shown_count,
                  const skerry_field* edited, size_t edited_count) {
    const auto before = skerry::fields_from(shown, shown_count);
    if (!before) return skerry::failed(device, before.error());
    const auto after = skerry::fields_from(edited, edited_count);
    if (!after) return skerry::failed(device, after.error());
    return done(device, device->device.update(view(entity), view(key), *before, *after));
}

int skerry_assert_row(skerry_device* device, const char* entity, const char* key, const char* expression) {
    return done(device, device->device.assert_row(view(entity), view(key), view(expression)));
}

void skerry_new_uuid(skerry_device* device, char out[37]) {
    const std::string uuid = device->device.new_uuid();
    std::memcpy(out, uuid.c_str(), 37);
}

size_t skerry_table_rows(const skerry_table* table) { return table->shown->rows.size(); }
size_t skerry_table_columns(const skerry_table* table) { return table->shown->columns.size(); }

const char* skerry_table_column(const skerry_table* table, size_t column) {
    return column < table->shown->columns.size() ? table->shown->columns[column].c_str() : nullptr;
}

skerry_value skerry_table_value(const skerry_table* table, size_t row, size_t column) {
    skerry_value out{};
    if (row >= table->shown->rows.size() || column >= table->shown->rows[row].size()) return out;
    const skerry::Value& value = table->shown->rows[row][column];
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        out.type = SKERRY_INT;
        out.integer = *integer;
    } else if (const auto* real = std::get_if<double>(&value)) {
        out.type = SKERRY_REAL;
        out.real = *real;
    } else if (const auto* text = std::get_if<std::string>(&value)) {
        out.type = SKERRY_TEXT;
        out.bytes = text->c_str();
        out.size = text->size();
    } else if (const auto* blob = std::get_if<skerry::Blob>(&value)) {
        out.type = SKERRY_BLOB;
        out.bytes = blob->data();
        out.size = blob->size();
    }
    return out;
}

void skerry_table_free(skerry_table* table) { delete table; }

int skerry_sync(skerry_device* device, void (*progress)(const skerry_status*, void*), void* data) {
    std::function<void(const skerry::DeviceStatus&)> told;
    if (progress != nullptr) {
        told = [=](const skerry::DeviceStatus& status) {
            skerry_status out{};
            out.size = sizeof out;
            skerry::fill(out, status);
            progress(&out, data);
        };
    }
    return done(device, device->device.sync(told));
}

void skerry_set_live(skerry_device* device, int live) { device->device.set_live(live != 0); }
void skerry_run_for(skerry_device* device, uint32_t milliseconds) { device->device.run_for(std::chrono::milliseconds(milliseconds)); }
void skerry_stop_running(skerry_device* device) { device->device.stop_running(); }
void skerry_poll(skerry_device* device) { device->device.poll(); }

int skerry_get_status(skerry_device* device, skerry_status* status) {
    const auto result = device->device.status();
    if (result) skerry::fill(*status, *result);
    return done(device, result);
}

int skerry_watch(skerry_device* device, const char* query, void (*changed)(const skerry_table*, void*), void* data, uint64_t* watch) {
    const auto result = device->device.watch(view(query), [=](const skerry::Table& table) {
        const skerry_table shown{.own = {}, .shown = &table};
        changed(&shown, data);
    });
    if (watch != nullptr) *watch = result.value_or(0);
    return done(device, result);
}

void skerry_unwatch(skerry_device* device, uint64_t watch) { device->device.unwatch(watch); }

void skerry_on_verdict(skerry_device* device, void (*settled)(uint64_t, const char*, const char*, const char*, void*), void* data) {
    if (settled == nullptr) return device->device.on_verdict({});
    device->device.on_verdict([=](const skerry::Verdict& verdict) {
        settled(verdict.transaction, verdict.verdict.c_str(), verdict.code.c_str(), verdict.message.c_str(), data);
    });
}

int skerry_resolve(skerry_device* device, const char* conflict, skerry_choice choice, const skerry_field* fields, size_t count) {
    const auto values = skerry::fields_from(fields, count);
    if (!values) return skerry::failed(device, values.error());
    skerry::Resolution resolution;
    switch (choice) {
        case SKERRY_MINE: resolution.choice = skerry::Choice::kMine; break;
        case SKERRY_THEIRS: resolution.choice = skerry::Choice::kTheirs; break;
        case SKERRY_MIX: resolution.choice = skerry::Choice::kMix; break;
        default: return done(device, skerry::Result<void>(skerry::fail(skerry::Code::kInvalidArgument, "there is no choice with the number " + std::to_string(static_cast<int>(choice)))));
    }
    resolution.values = *values;
    return done(device, device->device.resolve(view(conflict), resolution));
}

int skerry_drafts(skerry_device* device, skerry_table** result) { return skerry::give(device, skerry::drafts_of(device->device), result); }

int skerry_edit_draft(skerry_device* device, uint64_t draft, const char* entity, const char* key, const skerry_field* fields, size_t count) {
    const auto values = skerry::fields_from(fields, count);
    if (!values) return skerry::failed(device, values.error());
    return done(device, device->device.edit_draft(draft, view(entity), view(key), *values));
}

int skerry_retry_draft(skerry_device* device, uint64_t draft, uint64_t* transaction, int* nothing_left, skerry_table** decided) {
    const auto result = device->device.retry_draft(draft);
    if (transaction != nullptr) *transaction = result ? result->transaction : 0;
    if (nothing_left != nullptr) *nothing_left = result && result->nothing_left ? 1 : 0;
    if (decided != nullptr) *decided = result ? new skerry_table{.own = skerry::decided_of(*result)} : nullptr;
    return done(device, result);
}

int skerry_discard_draft(skerry_device* device, uint64_t draft) { return done(device, device->device.discard_draft(draft)); }

}  // extern "C"
