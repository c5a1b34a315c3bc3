// The words of the model file: what is known, and what is refused by name. docs/model.md describes them.
#pragma once

#include "model/model.hpp"
#include "model/yaml/faults.hpp"

namespace skerry::model::yaml {

inline constexpr std::string_view kTopWords[] = {"app", "version", "access", "entities", "principal", "profiles"};

inline constexpr std::string_view kEntityWords[] = {"attributes", "key",     "conflict", "strict", "update_delete", "create_create",
                                                    "on_delete",  "indexes", "unique",   "checks"};
// Known words that stand elsewhere.
inline constexpr NotYet kEntityElsewhere[] = {
    {"check", "an entity has a list, `checks: [\"expression\"]`"},
    {"index", "an entity has a list, `indexes: [[attribute]]`"},
    {"merge", "it is said of an attribute: `name: { type: text, merge: ask }`; for whole rows there is `conflict:`"},
};

inline constexpr std::string_view kAttributeWords[] = {"type", "merge", "required", "default", "values", "check"};
inline constexpr NotYet kAttributeElsewhere[] = {
    {"unique", "it is said of the entity: `unique: [[name]]`"},
    {"on_delete", "it is said of the entity: `on_delete: { name: cascade }`"},
    {"index", "it is said of the entity: `indexes: [[name]]`"},
    {"precision", "it is part of the type: `decimal(10, 2)`"},
    {"scale", "it is part of the type: `decimal(10, 2)`"},
    {"references", "an association is written with the entity's name as the type"},
    {"conflict", "it is said of the entity; an attribute has `merge:`"},
};

inline constexpr std::string_view kTypes[] = {"uuid",      "text", "int",  "real", "decimal", "bool", "date",
                                              "timestamp", "json", "blob", "set",  "enum"};
inline constexpr NotYet kTypesNotYet[] = {
    {"order", "use a real or an int, and number anew when a row moves"},
    {"file", "keep the file elsewhere and its name in text; up to 1 MiB fits in a blob"},
};

inline constexpr std::string_view kMerges[] = {"last", "first", "max", "min", "counter", "set", "text", "ask"};
inline constexpr NotYet kMergeNotYet[] = {
    {"latest", "`last` takes the later arrival; keep a timestamp attribute and decide by it with `ask`"},
    {"rule", "use `ask` and decide in the app"},
};

// In the order of the enums of model.hpp, whose numbers begin at 1. `set null` is how people say set_null.
inline constexpr std::string_view kConflicts[] = {"merge", "last", "detect"};
inline constexpr std::string_view kUpdateDeletes[] = {"delete_wins", "ask", "update_wins"};
inline constexpr std::string_view kCreateCreates[] = {"reject", "merge"};
inline constexpr std::string_view kOnDeletes[] = {"restrict", "cascade", "set_null"};

inline constexpr std::string_view kPrincipalWords[] = {"claim", "chosen"};

inline constexpr std::string_view kProfileWords[] = {"download", "with", "where", "upload", "priority"};
inline constexpr NotYet kProfileNotYet[] = {
    {"window", "write a fixed day: `where: \"on >= '2026-01-01'\"`"},
    {"group", "all entities are synced together; `priority:` says what comes first"},
};
// `none, clear` is how people say none_clear.
struct DownloadWord {
    std::string_view word;
    Download download;
};
inline constexpr DownloadWord kDownloads[] = {{"all", Download::kAll},
                                              {"none_clear", Download::kNoneClear},
                                              {"none_preserve", Download::kNonePreserve},
                                              {"never", Download::kNever}};
inline constexpr NotYet kDownloadNotYet[] = {
    {"online", "take a part of it by a rule, such as `id in :opened` with `opened: chosen`"},
};
inline constexpr std::string_view kUploads[] = {"allow", "reject"};
inline constexpr NotYet kUploadNotYet[] = {
    {"accept_legacy", "write `allow` while older apps are in use, then `reject`"},
};

}  // namespace skerry::model::yaml
