#include "model/model.hpp"

#include <set>

#include "base/hash.hpp"

namespace skerry::model {

namespace {

constexpr std::string_view kMagic = "SKMD";

void put_attribute(Writer& out, const Attribute& attribute) {
    out.bytes(attribute.name);
    out.u8(static_cast<std::uint8_t>(attribute.type));
    out.u8(static_cast<std::uint8_t>(attribute.merge));
}

Attribute get_attribute(Reader& in) {
    Attribute attribute;
    attribute.name = in.bytes();
    const std::uint8_t type = in.u8();
    if (type < 1 || type > static_cast<std::uint8_t>(Type::kInt)) in.fail();
    attribute.type = static_cast<Type>(type);
    const std::uint8_t merge = in.u8();
    if (merge != static_cast<std::uint8_t>(Merge::kLast)) in.fail();
    attribute.merge = static_cast<Merge>(merge);
    return attribute;
}

}  // namespace

const Entity* Model::find(std::string_view name, EntityIx* ix) const {
    for (std::size_t i = 0; i < entities.size(); ++i) {
        if (entities[i].name != name) continue;
        if (ix != nullptr) *ix = EntityIx{static_cast<std::uint32_t>(i)};
        return &entities[i];
    }
    return nullptr;
}

Bytes Model::compile() const {
    Bytes bytes;
    Writer out(bytes);
    out.raw(kMagic);
    out.u16(kModelFormat);
    out.bytes(app);
    out.varint(version);
    out.varint(entities.size());
    for (const Entity& entity : entities) {
        out.bytes(entity.name);
        put_attribute(out, entity.key);
        out.varint(entity.attributes.size());
        for (const Attribute& attribute : entity.attributes) put_attribute(out, attribute);
    }
    return bytes;
}

std::uint64_t Model::hash() const { return hash64(compile()); }

Result<Model> Model::load(BytesView compiled) {
    Reader in(compiled);
    if (in.raw(kMagic.size()) != kMagic)
        return fail(Code::kModelInvalid, "these bytes are not a compiled model");
    const std::uint16_t format = in.u16();
    if (in.ok() && format > kModelFormat)
        return fail(Code::kFormatTooNew,
                    "the compiled model has format " + std::to_string(format) +
                        "; this program knows formats up to " + std::to_string(kModelFormat));
    Model model;
    model.app = in.bytes();
    const std::uint64_t version = in.varint();
    if (version > UINT32_MAX) in.fail();
    model.version = static_cast<std::uint32_t>(version);
    const std::size_t entities = in.count(4);
    for (std::size_t i = 0; i < entities && in.ok(); ++i) {
        Entity& entity = model.entities.emplace_back();
        entity.name = in.bytes();
        entity.key = get_attribute(in);
        const std::size_t attributes = in.count(3);
        for (std::size_t k = 0; k < attributes && in.ok(); ++k)
            entity.attributes.push_back(get_attribute(in));
    }
    if (!in.at_end()) return fail(Code::kModelInvalid, "the compiled model is damaged");
    SKERRY_TRY(check(model));
    return model;
}

bool is_valid_name(std::string_view name) {
    if (name.empty() || name.size() > kNameLengthMax) return false;
    if (name[0] < 'a' || name[0] > 'z') return false;
    for (const char c : name)
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
    return !name.starts_with("skerry") && !name.starts_with("sqlite");
}

Result<void> check(const Model& model) {
    const auto bad_name = [](std::string_view what, std::string_view name) {
        return fail(Code::kModelInvalid,
                    "the " + std::string(what) + " name '" + std::string(name) +
                        "' is not allowed: use lower-case letters, digits and underscores, at most " +
                        std::to_string(kNameLengthMax) +
                        " of them, beginning with a letter, and not with 'skerry' or 'sqlite'");
    };
    if (!is_valid_name(model.app)) return bad_name("app", model.app);
    if (model.version == 0) return fail(Code::kModelInvalid, "version must be 1 or more");
    if (model.entities.empty()) return fail(Code::kModelInvalid, "the model has no entities");
    if (model.entities.size() > kEntitiesMax)
        return fail(Code::kModelInvalid, "a model can have at most " + std::to_string(kEntitiesMax) + " entities");
    std::set<std::string_view> names;
    for (const Entity& entity : model.entities) {
        if (!is_valid_name(entity.name)) return bad_name("entity", entity.name);
        if (!names.insert(entity.name).second)
            return fail(Code::kModelInvalid, "two entities are named '" + entity.name + "'");
        if (entity.key.type == Type::kInt)
            return fail(Code::kNotSupported, "entity '" + entity.name + "': an integer key is not supported; use a uuid or a text key");
        if (entity.attributes.size() > kAttributesMax)
            return fail(Code::kModelInvalid, "entity '" + entity.name + "' has more than " + std::to_string(kAttributesMax) + " attributes");
        std::set<std::string_view> attributes;
        if (!is_valid_name(entity.key.name)) return bad_name("attribute", entity.key.name);
        attributes.insert(entity.key.name);
        for (const Attribute& attribute : entity.attributes) {
            if (!is_valid_name(attribute.name)) return bad_name("attribute", attribute.name);
            if (!attributes.insert(attribute.name).second)
                return fail(Code::kModelInvalid, "entity '" + entity.name + "' has two attributes named '" + attribute.name + "'");
        }
    }
    return {};
}

std::string_view type_name(Type type) {
    switch (type) {
        case Type::kUuid: return "uuid";
        case Type::kText: return "text";
        case Type::kInt: return "int";
    }
    return "?";
}

}  // namespace skerry::model
