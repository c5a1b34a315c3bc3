// Drafts, conflicts and the log as people and programs see them, wherever they come from: a device's store or a
// server's folder. Values are as people write them ("12.34", "true", a set as JSON), so that what is shown can be typed
// again.
#pragma once

#include <functional>
#include <optional>
#include <skerry/device.hpp>
#include <string>
#include <vector>

#include "model/model.hpp"
#include "server/app/inspect.hpp"

namespace skerry::cli {

// Empty: NULL.
using Shown = std::optional<std::string>;
// Empty: there is no such value, or it is not told.
using MaybeShown = std::optional<Shown>;

struct ShownField {
    std::string attribute;
    MaybeShown was;
    MaybeShown now;
};

struct ShownChange {
    std::string entity;
    std::string key;
    std::string operation;
    std::vector<ShownField> fields;
};

// ---- from where they come ----

Result<Shown> shown_value(Device& device, std::string_view entity, std::string_view attribute, const Value& value);
Result<std::vector<ShownChange>> shown_changes(Device& device, const std::vector<RowChange>& changes);

// What a model no longer knows is shown as it is stored.
Shown shown_value(const model::Model& model, std::string_view entity, std::string_view attribute, const Value& value);
std::vector<ShownChange> shown_changes(const model::Model& model, const std::vector<server::RowChange>& changes);

// ISO 8601; empty for 0.
std::string time_text(std::int64_t us);

// ---- how they look ----

// NULL, - for what is not there, else the text, cut where it is very long.
std::string shown_text(const MaybeShown& value);
// Lines, indented: "  update note 0190…" and under it "    body: 'a' -> 'b'".
std::string changes_text(const std::vector<ShownChange>& changes);
// "2 rows: note, place"
std::string changes_summary(const std::vector<ShownChange>& changes);

// {"entity": …, "key": …, "operation": …, "fields": {"body": {"was": …, "now": …}}}; values are strings or null.
std::string changes_json(const std::vector<ShownChange>& changes);

// A JSON object, written member by member; values of json() are JSON already.
class JsonObject {
  public:
    JsonObject& text(std::string_view name, std::string_view value);
    JsonObject& text_or_null(std::string_view name, std::string_view value);  // empty: null
    JsonObject& number(std::string_view name, std::uint64_t value);
    JsonObject& flag(std::string_view name, bool value);
    JsonObject& shown(std::string_view name, const MaybeShown& value);  // leaves it out if there is none
    JsonObject& json(std::string_view name, std::string_view value);
    std::string done() const { return "{" + text_ + "}"; }

  private:
    std::string text_;
};
// "[a,\n b]\n"
std::string json_lines(const std::vector<std::string>& items);

// "name value" lines, values under each other; empty values are left out.
std::string facts_text(const std::vector<std::pair<std::string, std::string>>& facts);

// "attribute=value" -> the two.
Result<std::pair<std::string, std::string>> assignment(const std::string& text);
// The same for all, with the values made those of the attributes.
Result<std::vector<std::pair<std::string, Value>>> assignments(Device& device, std::string_view entity,
                                                               const std::vector<std::string>& texts);

// The store at `path`, which must be there.
Result<Device> open_store(const std::string& path);

// What a code means and what to do, from the table of errors; empty for an unknown one.
std::string cause_of(std::string_view code);
std::string remedy_of(std::string_view code);

}  // namespace skerry::cli
