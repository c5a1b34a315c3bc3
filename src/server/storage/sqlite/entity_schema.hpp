// Table, indexes and triggers of one entity, as SQL. The shape is decided here and nowhere else: reading and writing
// name columns only, never a rowid. What a row may not be, rules/refusals.hpp says; what that cannot tell (text that is
// not UTF-8) is quarantined when it is sequenced. Triggers use no function newer than SQLite 3.37 and none of ours, and no
// OR-clause: the conflict clause of the outer statement would replace it (pitfall 9).
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/model.hpp"

namespace skerry::server::storage {

// Something of the schema that is made anew when its text changes.
struct SchemaPart {
    std::string name;
    std::string sql;
};

// A unique index that an operator made on an entity's table: a REPLACE may evict the row that it finds there.
struct ForeignUnique {
    std::vector<std::string> columns;     // names
    std::vector<std::string> collations;  // of each
};

std::string create_table_sql(const model::Entity& entity);
// Last images of deleted rows; skerry_seq is the last batch before the deletion.
std::string create_gone_sql(const model::Entity& entity);

// On what the model declares unique, on its indexes and on associations.
std::vector<SchemaPart> indexes_of(const model::Entity& entity);

// All triggers of the entity's table. expression_invalid when a check of the model is none.
Result<std::vector<SchemaPart>> triggers_of(const model::Model& model, EntityIx ix, const std::vector<ForeignUnique>& foreign);

// ---- the parts of it ----

// Triggers that hold references, uniques and on_delete for direct SQL; they stand aside while intake judges.
void append_relation_triggers(const model::Model& model, EntityIx ix, std::vector<SchemaPart>& out);

SchemaPart trigger(std::string_view kind, const model::Entity& entity, std::string_view event, const std::string& body);

}  // namespace skerry::server::storage
