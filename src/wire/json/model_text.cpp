#include "model/value.hpp"
#include "wire/json/answers.hpp"
#include "wire/json/line.hpp"

namespace skerry::wire::json {

namespace {

using namespace model;

std::string_view word(Conflict conflict) {
    switch (conflict) {
        case Conflict::kMerge: return "merge";
        case Conflict::kLast: return "last";
        case Conflict::kDetect: return "detect";
    }
    return "?";
}

std::string_view word(OnDelete on_delete) {
    switch (on_delete) {
        case OnDelete::kRestrict: return "restrict";
        case OnDelete::kCascade: return "cascade";
        case OnDelete::kSetNull: return "set_null";
    }
    return "?";
}

std::string_view word(Download download) {
    switch (download) {
        case Download::kAll: return "all";
        case Download::kRule: return "rule";
        case Download::kWith: return "with";
        case Download::kNoneClear: return "none_clear";
        case Download::kNonePreserve: return "none_preserve";
        case Download::kNever: return "never";
    }
    return "?";
}

void append_attribute(Bytes& out, const Model& model, const Attribute& attribute) {
    ObjectWriter object(out);
    object.text("name", attribute.name).text("type", type_name(attribute.type)).text("merge", merge_name(attribute.merge));
    object.flag("required", attribute.required);
    if (attribute.default_value) append_json(object.key("default"), attribute, *attribute.default_value);
    if (attribute.type == Type::kEnum) object.texts("values", attribute.values);
    if (attribute.type == Type::kDecimal) object.number("precision", attribute.precision).number("scale", attribute.scale);
    if (attribute.references) object.text("references", model.entity(*attribute.references).name).text("on_delete", word(attribute.on_delete));
    object.end();
}

void append_entity(Bytes& out, const Model& model, const Entity& entity) {
    ObjectWriter object(out);
    object.text("name", entity.name);
    ObjectWriter(object.key("key")).text("name", entity.key.name).text("type", type_name(entity.key.type)).end();
    object.text("conflict", word(entity.conflict)).flag("strict", entity.strict);
    object.list("attributes", entity.attributes, [&](Bytes& to, const Attribute& attribute) { append_attribute(to, model, attribute); });
    object.list("checks", entity.checks, [](Bytes& to, const Check& check) { append_json_string(to, check.expression); });
    object.end();
}

void append_profile(Bytes& out, const Model& model, const Profile& profile) {
    ObjectWriter object(out);
    object.text("name", profile.name);
    object.list("entities", profile.entities, [&](Bytes& to, const EntityProfile& said) {
        ObjectWriter(to).text("entity", model.entity(said.entity).name).text("download", word(said.download))
            .text("upload", said.upload == Upload::kAllow ? "allow" : "reject").end();
    });
    object.end();
}

}  // namespace

void append_model(Bytes& out, const Model& model) {
    ObjectWriter object(out);
    object.text("app", model.app).number("version", model.version);
    object.list("entities", model.entities, [&](Bytes& to, const Entity& entity) { append_entity(to, model, entity); });
    std::vector<std::string_view> chosen;
    for (const PrincipalValue& value : model.principal)
        if (value.kind == PrincipalKind::kChosen) chosen.push_back(value.name);
    object.texts("chosen", chosen);
    object.list("profiles", model.profiles, [&](Bytes& to, const Profile& profile) { append_profile(to, model, profile); });
    object.end();
}

}  // namespace skerry::wire::json
