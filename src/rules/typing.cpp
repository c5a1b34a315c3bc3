#include "rules/typing.hpp"

#include <charconv>
#include <cmath>

#include "base/text.hpp"
#include "model/value.hpp"
#include "rules/lexer.hpp"

namespace skerry::rules {

namespace {

using model::Attribute;

std::string name_of(const Type& type) { return type.type ? std::string(model::type_name(*type.type)) : "null"; }

bool is_whole(std::string_view number) { return number.find_first_of(".eE") == std::string_view::npos; }

// As SQL takes it for a real, and only for that.
std::string real_text(double v) {
    char buffer[40];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
    std::string text(buffer, end);
    if (is_whole(text)) text += ".0";
    return text;
}

Result<std::string> as_decimal(const model::Entity& entity, const Typed& part, std::uint8_t scale) {
    Attribute attribute{"the number", model::Type::kDecimal};
    attribute.precision = model::kPrecisionMax;
    attribute.scale = scale;
    const auto scaled = model::decimal_from_text(entity, attribute, *part.literal);
    if (!scaled) return refuse(part.at, "beside a decimal stands a number with at most " + std::to_string(scale) + " digits behind the point");
    return std::to_string(*scaled);
}

Result<void> adapt(const model::Entity& entity, Typed& part, const Type& to) {
    if (!part.literal || is_null(to)) return {};
    if (is(part.type, model::Type::kText)) {
        if (!to.attribute || is(to, model::Type::kText)) return {};
        if (auto good = model::check_value(entity, *to.attribute, *part.literal); !good)
            return refuse(part.at, "the text beside it: " + good.error().message);
    } else if (is(to, model::Type::kDecimal)) {
        SKERRY_ASSIGN(part.node.text, as_decimal(entity, part, to.scale));
    } else if (is(to, model::Type::kReal)) {
        part.node.text = real_text(parse_double(*part.literal).value_or(0));
    } else {
        return {};
    }
    part.type = to;
    return {};
}

Result<Type> common(const Typed& a, const Typed& b, std::string_view what) {
    if (is_null(a.type)) return b.type;
    if (is_null(b.type)) return a.type;
    if (is(a.type, model::Type::kDecimal) && is(b.type, model::Type::kDecimal)) {
        if (a.type.scale == b.type.scale) return a.type;
        return refuse(b.at, "decimals of different scales cannot be " + std::string(what));
    }
    if (a.type.type == b.type.type) return a.type;
    if (is_text(a.type) && is_text(b.type)) return Type{model::Type::kText};
    const auto whole_or_real = [](const Type& t) { return is(t, model::Type::kInt) || is(t, model::Type::kReal); };
    if (whole_or_real(a.type) && whole_or_real(b.type)) return Type{model::Type::kReal};
    return refuse(b.at, name_of(a.type) + " and " + name_of(b.type) + " cannot be " + std::string(what));
}

}  // namespace

bool is(const Type& type, model::Type wanted) { return type.type == wanted; }
bool is_null(const Type& type) { return !type.type; }
bool is_text(const Type& type) { return is(type, model::Type::kText) || is(type, model::Type::kUuid) || is(type, model::Type::kEnum); }
bool is_number(const Type& type) { return is(type, model::Type::kInt) || is(type, model::Type::kReal) || is(type, model::Type::kDecimal); }

Result<Typed> number_literal(std::string text, std::size_t at) {
    Typed part{{}, {is_whole(text) ? model::Type::kInt : model::Type::kReal}, at, text};
    part.node.text = text;
    if (is_whole(text)) {
        std::int64_t n = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
        if (error != std::errc{} || end != text.data() + text.size()) return refuse(at, "the number is beyond 64 bits");
        part.node.text = std::to_string(n);
    } else {
        const double v = parse_double(text).value_or(HUGE_VAL);
        if (!std::isfinite(v)) return refuse(at, "the number is larger than a double holds");
        part.node.text = real_text(v);
    }
    return part;
}

Typed text_literal(std::string text, std::size_t at) {
    Typed part{{}, {model::Type::kText}, at, text};
    part.node.text = quote_text(text);
    return part;
}

Result<Type> unify(const model::Entity& entity, std::span<Typed> parts, std::string_view what) {
    // Attributes decide first, then reals among the literals.
    Type all;
    for (const bool literals : {false, true})
        for (Typed& part : parts) {
            if (part.literal.has_value() != literals) continue;
            SKERRY_TRY(adapt(entity, part, all));
            SKERRY_ASSIGN(all, common(Typed{{}, all, part.at}, part, what));
        }
    for (Typed& part : parts) SKERRY_TRY(adapt(entity, part, all));
    return all;
}

void as_real(Typed& part) {
    if (!is(part.type, model::Type::kInt)) return;
    Node cast{Node::Kind::kCall, "real"};
    cast.children.push_back(std::move(part.node));
    part.node = std::move(cast);
    part.type = {model::Type::kReal};
}

}  // namespace skerry::rules
