#include "model/model.hpp"

#include <set>

#include "base/hash.hpp"
#include "model/value.hpp"

namespace skerry::model {

namespace {

constexpr std::string_view kMagic = "SKMD";

enum AttributeFlag : std::uint8_t { kRequired = 1, kHasDefault = 2, kReferences = 4 };

void put_attribute(Writer& out, const Attribute& attribute) {
    out.bytes(attribute.name);
    out.u8(static_cast<std::uint8_t>(attribute.type));
    out.u8(static_cast<std::uint8_t>(attribute.merge));
    out.u8(static_cast<std::uint8_t>((attribute.required ? kRequired : 0) | (attribute.default_value ? kHasDefault : 0) |
                                     (attribute.references ? kReferences : 0)));
    if (attribute.default_value) put_value(out, *attribute.default_value);
    if (attribute.references) {
        out.varint(attribute.references->value);
        out.u8(static_cast<std::uint8_t>(attribute.on_delete));
    }
    if (attribute.type == Type::kEnum) {
        out.varint(attribute.values.size());
        for (const std::string& value : attribute.values) out.bytes(value);
    }
    if (attribute.type == Type::kDecimal) {
        out.u8(attribute.precision);
        out.u8(attribute.scale);
    }
}

template <class Enum>
Enum get_enum(Reader& in, Enum last) {
    const std::uint8_t number = in.u8();
    if (number < 1 || number > static_cast<std::uint8_t>(last)) {
        in.fail();
        return last;
    }
    return static_cast<Enum>(number);
}

Attribute get_attribute(Reader& in) {
    Attribute attribute;
    attribute.name = in.bytes();
    attribute.type = get_enum(in, Type::kEnum);
    attribute.merge = get_enum(in, Merge::kAsk);
    const std::uint8_t flags = in.u8();
    if (flags > 7) in.fail();
    attribute.required = (flags & kRequired) != 0;
    if ((flags & kHasDefault) != 0) attribute.default_value = get_value(in);
    if ((flags & kReferences) != 0) {
        const std::uint64_t entity = in.varint();
        if (entity > UINT32_MAX) in.fail();
        attribute.references = EntityIx{static_cast<std::uint32_t>(entity)};
        attribute.on_delete = get_enum(in, OnDelete::kSetNull);
    }
    if (attribute.type == Type::kEnum) {
        const std::size_t n = in.count(1);
        for (std::size_t i = 0; i < n && in.ok(); ++i) attribute.values.emplace_back(in.bytes());
    }
    if (attribute.type == Type::kDecimal) {
        attribute.precision = in.u8();
        attribute.scale = in.u8();
    }
    return attribute;
}

void put_lists(Writer& out, const std::vector<AttributeList>& lists) {
    out.varint(lists.size());
    for (const AttributeList& list : lists) {
        out.varint(list.size());
        for (const std::uint32_t attribute : list) out.varint(attribute);
    }
}

std::vector<AttributeList> get_lists(Reader& in) {
    std::vector<AttributeList> lists;
    const std::size_t n = in.count(1);
    for (std::size_t i = 0; i < n && in.ok(); ++i) {
        AttributeList& list = lists.emplace_back();
        const std::size_t length = in.count(1);
        for (std::size_t k = 0; k < length && in.ok(); ++k) {
            const std::uint64_t attribute = in.varint();
            if (attribute > UINT32_MAX) in.fail();
            list.push_back(static_cast<std::uint32_t>(attribute));
        }
    }
    return lists;
}

void put_entity(Writer& out, const Entity& entity) {
    out.bytes(entity.name);
    put_attribute(out, entity.key);
    out.varint(entity.attributes.size());
    for (const Attribute& attribute : entity.attributes) put_attribute(out, attribute);
    out.varint(entity.checks.size());
    for (const Check& check : entity.checks) {
        out.bytes(check.expression);
        out.bytes(check.attribute);
    }
    put_lists(out, entity.unique);
    put_lists(out, entity.indexes);
    out.u8(static_cast<std::uint8_t>(entity.conflict));
    out.u8(static_cast<std::uint8_t>(entity.update_delete));
    out.u8(static_cast<std::uint8_t>(entity.create_create));
    out.u8(entity.strict ? 1 : 0);
}

void get_entity(Reader& in, Entity& entity) {
    entity.name = in.bytes();
    entity.key = get_attribute(in);
    const std::size_t attributes = in.count(4);
    for (std::size_t k = 0; k < attributes && in.ok(); ++k) entity.attributes.push_back(get_attribute(in));
    const std::size_t checks = in.count(2);
    for (std::size_t k = 0; k < checks && in.ok(); ++k) {
        Check& check = entity.checks.emplace_back();
        check.expression = in.bytes();
        check.attribute = in.bytes();
    }
    entity.unique = get_lists(in);
    entity.indexes = get_lists(in);
    entity.conflict = get_enum(in, Conflict::kDetect);
    entity.update_delete = get_enum(in, UpdateDelete::kUpdateWins);
    entity.create_create = get_enum(in, CreateCreate::kMerge);
    const std::uint8_t strict = in.u8();
    if (strict > 1) in.fail();
    entity.strict = strict == 1;
}

void put_profile(Writer& out, const Profile& profile) {
    out.bytes(profile.name);
    out.varint(profile.entities.size());
    for (const EntityProfile& said : profile.entities) {
        out.varint(said.entity.value);
        out.u8(static_cast<std::uint8_t>(said.download));
        out.u8(static_cast<std::uint8_t>(said.upload));
        out.u8(said.link ? 1 : 0);
        if (said.link) {
            out.varint(said.link->attribute);
            out.bytes(said.link->value);
            out.u8(said.link->many ? 1 : 0);
        }
        out.bytes(said.where);
        out.varint(said.with);
        out.varint(said.priority);
    }
}

std::uint32_t get_u32(Reader& in) {
    const std::uint64_t number = in.varint();
    if (number > UINT32_MAX) in.fail();
    return static_cast<std::uint32_t>(number);
}

bool get_flag(Reader& in) {
    const std::uint8_t flag = in.u8();
    if (flag > 1) in.fail();
    return flag == 1;
}

void get_profile(Reader& in, Profile& profile) {
    profile.name = in.bytes();
    const std::size_t entities = in.count(7);
    for (std::size_t i = 0; i < entities && in.ok(); ++i) {
        EntityProfile& said = profile.entities.emplace_back();
        said.entity.value = get_u32(in);
        said.download = get_enum(in, Download::kNever);
        said.upload = get_enum(in, Upload::kReject);
        if (get_flag(in)) {
            Link& link = said.link.emplace();
            link.attribute = get_u32(in);
            link.value = in.bytes();
            link.many = get_flag(in);
        }
        said.where = in.bytes();
        said.with = get_u32(in);
        said.priority = get_u32(in);
    }
}

Bytes compiled(const Model& model, bool whole) {
    Bytes bytes;
    Writer out(bytes);
    out.raw(kMagic);
    out.u16(kModelFormat);
    out.bytes(model.app);
    out.varint(model.version);
    out.varint(model.entities.size());
    for (const Entity& entity : model.entities) put_entity(out, entity);
    out.varint(model.principal.size());
    for (const PrincipalValue& value : model.principal) {
        out.bytes(value.name);
        out.u8(static_cast<std::uint8_t>(value.kind));
        out.bytes(whole ? value.query : std::string());
    }
    out.varint(model.profiles.size());
    for (const Profile& profile : model.profiles) put_profile(out, profile);
    return bytes;
}

Attribute text(std::string name) { return {.name = std::move(name), .required = true}; }

Entity make_conflict_entity() {
    Entity e;
    e.name = kConflictEntity;
    e.key = {.name = "id", .type = Type::kUuid};
    e.attributes = {text("entity"), text("row"), text("attribute"), text("author"), text("device"),
                    {.name = "txn", .type = Type::kInt, .required = true}, text("batch"),
                    {.name = "operation", .type = Type::kEnum, .required = true, .values = {"insert", "update", "delete"}},
                    text("why"), {.name = "base", .type = Type::kJson}, {.name = "mine", .type = Type::kJson},
                    {.name = "theirs", .type = Type::kJson}, {.name = "made_at", .type = Type::kTimestamp},
                    {.name = "at", .type = Type::kTimestamp},
                    {.name = "state", .type = Type::kEnum, .required = true, .values = {"open", "closed"}},
                    text("choice"), {.name = "closed_by"}, {.name = "closed_at", .type = Type::kTimestamp}};
    e.indexes = {{record::kEntity, record::kRow}};
    return e;
}

}  // namespace

bool Entity::builtin() const { return name == kConflictEntity; }

std::optional<std::uint32_t> Entity::attribute_named(std::string_view wanted) const {
    for (std::size_t i = 0; i < attributes.size(); ++i)
        if (attributes[i].name == wanted) return static_cast<std::uint32_t>(i);
    return std::nullopt;
}

const Entity* Model::find(std::string_view name, EntityIx* ix) const {
    for (std::size_t i = 0; i < entities.size(); ++i) {
        if (entities[i].name != name) continue;
        if (ix != nullptr) *ix = EntityIx{static_cast<std::uint32_t>(i)};
        return &entities[i];
    }
    return nullptr;
}

EntityIx Model::conflicts() const {
    EntityIx ix;
    find(kConflictEntity, &ix);
    return ix;
}

const Entity& conflict_entity() {
    static const Entity entity = make_conflict_entity();
    return entity;
}

void complete(Model& model) {
    if (model.find(kConflictEntity) == nullptr) model.entities.push_back(conflict_entity());
}

const Profile* Model::profile(std::string_view name) const {
    for (const Profile& profile : profiles)
        if (name.empty() || profile.name == name) return &profile;
    return nullptr;
}

EntityProfile Model::in_profile(std::string_view name, EntityIx entity) const {
    if (const Profile* found = profile(name))
        for (const EntityProfile& said : found->entities)
            if (said.entity == entity) return said;
    return {.entity = entity};
}

Bytes Model::compile() const { return compiled(*this, false); }
Bytes Model::compile_whole() const { return compiled(*this, true); }

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
    if (in.ok() && format < kModelFormat)
        return fail(Code::kNotSupported, "the compiled model has format " + std::to_string(format) + ", which was never released");
    Model model;
    model.app = in.bytes();
    const std::uint64_t version = in.varint();
    if (version > UINT32_MAX) in.fail();
    model.version = static_cast<std::uint32_t>(version);
    const std::size_t entities = in.count(10);
    for (std::size_t i = 0; i < entities && in.ok(); ++i) get_entity(in, model.entities.emplace_back());
    const std::size_t principal = in.count(3);
    for (std::size_t i = 0; i < principal && in.ok(); ++i) {
        PrincipalValue& value = model.principal.emplace_back();
        value.name = in.bytes();
        value.kind = get_enum(in, PrincipalKind::kChosen);
        value.query = in.bytes();
    }
    const std::size_t profiles = in.count(2);
    for (std::size_t i = 0; i < profiles && in.ok(); ++i) get_profile(in, model.profiles.emplace_back());
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

std::string_view type_name(Type type) {
    switch (type) {
        case Type::kUuid: return "uuid";
        case Type::kText: return "text";
        case Type::kInt: return "int";
        case Type::kReal: return "real";
        case Type::kDecimal: return "decimal";
        case Type::kBool: return "bool";
        case Type::kDate: return "date";
        case Type::kTimestamp: return "timestamp";
        case Type::kJson: return "json";
        case Type::kBlob: return "blob";
        case Type::kSet: return "set";
        case Type::kEnum: return "enum";
    }
    return "?";
}

std::string_view merge_name(Merge merge) {
    switch (merge) {
        case Merge::kLast: return "last";
        case Merge::kFirst: return "first";
        case Merge::kMax: return "max";
        case Merge::kMin: return "min";
        case Merge::kCounter: return "counter";
        case Merge::kSet: return "set";
        case Merge::kText: return "text";
        case Merge::kAsk: return "ask";
    }
    return "?";
}

}  // namespace skerry::model
