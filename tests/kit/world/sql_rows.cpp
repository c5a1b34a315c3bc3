#include "kit/world/sql_rows.hpp"

#include "kit/plan/vocabulary.hpp"

namespace skerry::kit {

namespace {

using sqlite::quote_name;

std::string column_list(const model::Entity& entity) {
    std::string out = quote_name(entity.key.name);
    for (const auto& attribute : entity.attributes) out += ", " + quote_name(attribute.name);
    return out;
}

struct Sql {
    std::string text;
    std::vector<Value> parameters;
};

std::string parameter(Sql& sql, Value value) {
    sql.parameters.push_back(std::move(value));
    return "?" + std::to_string(sql.parameters.size());
}

Sql insert(std::string_view verb, const model::Entity& entity, const Write& write) {
    Sql sql;
    std::string names = quote_name(entity.key.name);
    std::string values = parameter(sql, write.key);
    for (const auto& [name, value] : write.values) {
        names += ", " + quote_name(name);
        values += ", " + parameter(sql, value);
    }
    sql.text = std::string(verb) + " INTO " + quote_name(entity.name) + "(" + names + ") VALUES(" + values + ")";
    return sql;
}

Sql update(const model::Entity& entity, const Write& write, std::string_view comparison) {
    Sql sql;
    std::string sets;
    for (const auto& [name, value] : write.values) {
        if (!sets.empty()) sets += ", ";
        sets += quote_name(name) + " = " + parameter(sql, value);
    }
    sql.text = "UPDATE " + quote_name(entity.name) + " SET " + sets + " WHERE " + quote_name(entity.key.name) + " " +
               std::string(comparison) + " " + parameter(sql, write.key);
    return sql;
}

// UPDATE … SET a = <an expression over a>.
Sql go_on(const model::Entity& entity, const Write& write) {
    Sql sql;
    std::string sets;
    for (const auto& [name, value] : write.values) {
        const std::string column = quote_name(name);
        std::string expression;
        if (write.kind == WriteKind::kAddTo) {
            expression = "coalesce(" + column + ", 0) + " + parameter(sql, value);
        } else if (write.kind == WriteKind::kReword) {
            const auto* word = std::get_if<std::string>(&value);
            expression = column;
            if (word != nullptr)
                for (const std::string_view other : words_like(*word))
                    if (other != *word) expression = "replace(" + expression + ", " + sqlite::quote_text(other) + ", " + sqlite::quote_text(*word) + ")";
        } else {
            expression = "(SELECT json_group_array(value) FROM (SELECT value FROM json_each(coalesce(" + column + ", '[]')) WHERE value <> " + parameter(sql, value);
            if (write.kind == WriteKind::kPutIn) expression += " UNION ALL SELECT " + parameter(sql, value);
            expression += "))";
        }
        sets += (sets.empty() ? "" : ", ") + column + " = " + expression;
    }
    sql.text = "UPDATE " + quote_name(entity.name) + " SET " + sets + " WHERE " + quote_name(entity.key.name) + " = " + parameter(sql, write.key);
    return sql;
}

Sql erase(const model::Entity& entity, const std::string& key) {
    return {"DELETE FROM " + quote_name(entity.name) + " WHERE " + quote_name(entity.key.name) + " = ?1", {key}};
}

}  // namespace

Result<Images> read_images(sqlite::Database& db, const model::Model& model) {
    Images images;
    for (std::uint32_t e = 0; e < model.entities.size(); ++e) {
        const model::Entity& entity = model.entities[e];
        SKERRY_ASSIGN(sqlite::OwnedStatement rows, db.prepare_once("SELECT " + column_list(entity) + " FROM " + quote_name(entity.name)));
        for (;;) {
            SKERRY_ASSIGN(const bool more, rows->step());
            if (!more) break;
            model::Row row;
            for (int i = 1; i < rows->columns(); ++i) row.push_back(rows->value(i));
            images.emplace(RowId{EntityIx{e}, std::string(rows->text(0))}, std::move(row));
        }
    }
    return images;
}

std::vector<std::string> as_lines(const Images& images, const model::Model& model, std::string_view entity) {
    std::vector<std::string> lines;
    for (const auto& [row, values] : images) {
        if (model.entity(row.entity).name != entity) continue;
        std::string line = row.key + ":";
        for (const Value& value : values) line += " " + model::to_text(value);
        lines.push_back(std::move(line));
    }
    return lines;
}

Result<void> say(const Write& write, const model::Model& model, const Say& target) {
    const auto tolerant = [&](const Sql& sql) -> Result<void> {
        auto said = target(sql.text, sql.parameters);
        if (!said && is_answer(said.error().code)) return {};
        return said;
    };
    switch (write.kind) {
        case WriteKind::kSavepoint: return target("SAVEPOINT app", {});
        case WriteKind::kRollbackTo: {
            SKERRY_TRY(target("ROLLBACK TO app", {}));
            return target("RELEASE app", {});
        }
        case WriteKind::kRelease: return target("RELEASE app", {});
        default: break;
    }
    const model::Entity* entity = model.find(write.entity);
    if (entity == nullptr) return fail(Code::kInvalidArgument, "no entity " + write.entity);
    switch (write.kind) {
        case WriteKind::kInsert: return tolerant(insert("INSERT", *entity, write));
        case WriteKind::kInsertIgnore: return tolerant(insert("INSERT OR IGNORE", *entity, write));
        case WriteKind::kReplace: return tolerant(insert("REPLACE", *entity, write));
        case WriteKind::kUpsert: {
            Sql sql = insert("INSERT", *entity, write);
            std::string sets;
            for (const auto& [name, value] : write.values)
                sets += (sets.empty() ? "" : ", ") + quote_name(name) + " = excluded." + quote_name(name);
            sql.text += " ON CONFLICT DO UPDATE SET " + sets;
            return tolerant(sql);
        }
        case WriteKind::kUpdate: return tolerant(update(*entity, write, "="));
        case WriteKind::kUpdateMany: return tolerant(update(*entity, write, "<="));
        case WriteKind::kAddTo:
        case WriteKind::kReword:
        case WriteKind::kPutIn:
        case WriteKind::kTakeOut: return tolerant(go_on(*entity, write));
        case WriteKind::kDelete: return tolerant(erase(*entity, write.key));
        case WriteKind::kReinsert:
            SKERRY_TRY(tolerant(erase(*entity, write.key)));
            return tolerant(insert("INSERT", *entity, write));
        case WriteKind::kGroup:
            for (std::int64_t k = 0; k < write.count; ++k) {
                Write row{WriteKind::kInsert, "grp", write.key + "-" + std::to_string(k),
                          {{"g", write.key}, {"n", write.count}, {"k", k}}, 0};
                SKERRY_TRY(tolerant(insert("INSERT", *entity, row)));
            }
            return tolerant({"INSERT INTO total(id, n) VALUES(?1, ?2)", {write.key, write.count}});
        case WriteKind::kDeleteGroup:
            SKERRY_TRY(tolerant({"DELETE FROM grp WHERE g = ?1", {write.key}}));
            return tolerant({"DELETE FROM total WHERE id = ?1", {write.key}});
        default: return {};
    }
}

bool is_answer(Code code) {
    switch (code) {
        case Code::kConstraint:
        case Code::kValueInvalid:
        case Code::kRequired:
        case Code::kCheckFailed:
        case Code::kReferenceMissing:
        case Code::kStillReferenced:
        case Code::kNotUnique: return true;
        default: return false;
    }
}

Say plainly(sqlite::Database& db) {
    return [&db](const std::string& text, const std::vector<Value>& parameters) -> Result<void> {
        SKERRY_ASSIGN(sqlite::OwnedStatement statement, db.prepare_once(text));
        for (std::size_t i = 0; i < parameters.size(); ++i) statement->bind(static_cast<int>(i) + 1, parameters[i]);
        return statement->run();
    };
}

}  // namespace skerry::kit
