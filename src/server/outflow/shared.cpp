#include "server/outflow/shared.hpp"

#include "server/outflow/limits.hpp"

namespace skerry::server::outflow {

std::optional<storage::Mark> Shared::last(const storage::ViewOf& of) const {
    return of_ == of ? std::optional(last_) : std::nullopt;
}

void Shared::begin(const storage::ViewOf& of, const storage::Mark& last) {
    of_ = of;
    last_ = last;
    grants_.clear();
    continues_.clear();
    deltas_.clear();
    bytes_ = 0;
}

// Lengths before texts: no two principals have one name.
std::string Shared::name_of(const scopes::Who& who) {
    std::string name;
    Writer out(name);
    out.bytes(who.principal.user);
    out.varint(who.principal.claims.size());
    for (const auto& [claim, value] : who.principal.claims) {
        out.bytes(claim);
        out.bytes(value);
    }
    out.varint(who.chosen.size());
    for (const wire::Chosen& chosen : who.chosen) {
        out.bytes(chosen.name);
        out.varint(chosen.values.size());
        for (const std::string& value : chosen.values) out.bytes(value);
    }
    return name;
}

std::shared_ptr<const scopes::Grants> Shared::grants(const scopes::Who& who, Micros mono) const {
    const auto read = grants_.find(name_of(who));
    return read == grants_.end() || mono - read->second.at >= kGrantsFor ? nullptr : read->second.grants;
}

void Shared::keep(const scopes::Who& who, Micros mono, std::shared_ptr<const scopes::Grants> grants) {
    if (grants_.size() >= kSharedGrantsMax) grants_.clear();
    grants_[name_of(who)] = {mono, std::move(grants)};
}

std::optional<bool> Shared::continues(const scopes::Cursor& cursor) const {
    const auto known = continues_.find(from(cursor));
    return known == continues_.end() ? std::nullopt : std::optional(known->second);
}

void Shared::keep(const scopes::Cursor& cursor, bool continues) {
    if (continues_.size() >= kSharedCursorsMax) continues_.clear();
    continues_[from(cursor)] = continues;
}

const Shared::Delta* Shared::delta(const scopes::Cursor& cursor) const {
    const auto known = deltas_.find(from(cursor));
    return known == deltas_.end() ? nullptr : &known->second;
}

void Shared::keep(const scopes::Cursor& cursor, Delta delta) {
    bytes_ += delta.frames.size();
    if (deltas_.size() >= kSharedCursorsMax || bytes_ > kSharedBytesMax) {
        deltas_.clear();
        bytes_ = delta.frames.size();
    }
    deltas_.insert_or_assign(from(cursor), std::move(delta));
}

}  // namespace skerry::server::outflow
