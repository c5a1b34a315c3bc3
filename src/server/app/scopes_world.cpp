#include "server/app/scopes_world.hpp"

namespace skerry::server::test {

namespace {

model::Attribute key() { return {.name = "id", .required = true}; }
model::Attribute plain(std::string name) { return {.name = std::move(name)}; }
model::Attribute association(std::string name, EntityIx to) { return {.name = std::move(name), .references = to, .on_delete = model::OnDelete::kCascade}; }

using model::Download;
using model::EntityProfile;

EntityProfile all(EntityIx entity) { return {.entity = entity}; }
EntityProfile linked(EntityIx entity, std::uint32_t attribute, std::string value, bool many, std::string where = {}) {
    return {.entity = entity, .download = Download::kRule, .link = model::Link{attribute, std::move(value), many}, .where = std::move(where)};
}
EntityProfile with(EntityIx entity) { return {.entity = entity, .download = Download::kWith, .with = 0}; }
EntityProfile mode(EntityIx entity, Download download) { return {.entity = entity, .download = download}; }

}  // namespace

model::Model areas_model() { return areas_model({}, 1); }

model::Model areas_model(const FieldPart& field, std::uint32_t version) {
    model::Model model{"areas", version, {}};
    model.entities.push_back({"site", key(), {plain("name")}});
    model.entities.push_back({"allowance", key(), {plain("user"), plain("area")}});
    model.entities.push_back({"household", key(), {plain("name"), plain("area"), plain("status")}});
    model.entities.push_back({"call", key(), {association("household_id", kHousehold), plain("note")}});
    model.entities.push_back({"comment", key(), {association("call_id", kCall), plain("note")}});
    model.entities.push_back({"memo", key(), {plain("note")}});
    model.principal = {{"areas", model::PrincipalKind::kQuery, "select area from allowance where user = :sub"},
                       {"street", model::PrincipalKind::kClaim, {}},
                       {"opened", model::PrincipalKind::kChosen, {}}};
    EntityProfile read_only = all(kCall);
    read_only.upload = model::Upload::kReject;
    model.profiles = {
        {"field", {all(kSite), all(kAllowance), linked(kHousehold, 1, "areas", true, field.households), with(kCall), field.comments ? with(kComment) : mode(kComment, Download::kNever), mode(kMemo, Download::kNonePreserve)}},
        {"office", {all(kSite), all(kAllowance), all(kHousehold), read_only, all(kComment), all(kMemo)}},
        {"street", {all(kSite), all(kAllowance), linked(kHousehold, 1, "street", false), mode(kCall, Download::kNoneClear), mode(kComment, Download::kNever), all(kMemo)}},
        {"chosen", {all(kSite), all(kAllowance), linked(kHousehold, 1, "opened", true), with(kCall), mode(kComment, Download::kNever), all(kMemo)}},
        {"single", {all(kSite), all(kAllowance), linked(kHousehold, 1, "areas", false), with(kCall), with(kComment), all(kMemo)}},
    };
    model::complete(model);
    return model;
}

void AreasWorld::allow(const std::string& user, const std::string& area) {
    sql("INSERT INTO allowance VALUES('" + user + "-" + area + "', '" + user + "', '" + area + "')");
}
void AreasWorld::forbid(const std::string& user, const std::string& area) {
    sql("DELETE FROM allowance WHERE user = '" + user + "' AND area = '" + area + "'");
}
void AreasWorld::household(const std::string& key, const std::string& area, const std::string& status) {
    sql("INSERT INTO household VALUES('" + key + "', 'home', '" + area + "', '" + status + "')");
}
void AreasWorld::call(const std::string& key, const std::string& household, const std::string& note) {
    sql("INSERT INTO call VALUES('" + key + "', '" + household + "', '" + note + "')");
}
void AreasWorld::put_profile(const std::string& user, const std::string& profile) {
    sql("UPDATE skerry_token SET claims = '{\"profile\":\"" + profile + "\"}' WHERE user = '" + user + "'");
}

std::map<KeyRef, model::Row> AreasWorld::truth(const std::string& user, const std::string& profile, const std::vector<std::string>& values) {
    std::string list;
    for (const std::string& value : values) list += (list.empty() ? "'" : ", '") + value + "'";
    const std::string allowed = "(SELECT area FROM allowance WHERE user = '" + user + "')";
    std::string households = "1";
    if (profile == "field") households = "area IN " + allowed + (field.households.empty() ? "" : " AND " + field.households);
    if (profile == "single") households = "area IN " + allowed;
    if (profile == "street" || profile == "chosen") households = "area IN (" + list + ")";
    const std::string calls = profile == "office" ? "1" : profile == "street" ? "0" : "household_id IN (SELECT id FROM household WHERE " + households + ")";
    const bool no_comments = profile == "street" || profile == "chosen" || (profile == "field" && !field.comments);
    const std::string comments = profile == "office" ? "1" : no_comments ? "0" : "call_id IN (SELECT id FROM call WHERE " + calls + ")";
    const std::string memos = profile == "field" ? "0" : "1";
    std::map<KeyRef, model::Row> rows;
    const std::array<std::string, 6> where{"1", "1", households, calls, comments, memos};
    for (std::uint32_t i = 0; i < where.size(); ++i) {
        for (auto& row : sql("SELECT * FROM " + model.entities[i].name + " WHERE " + where[i]).rows) {
            const KeyRef at{EntityIx{i}, std::get<std::string>(row[0])};
            row.erase(row.begin());
            rows[at] = std::move(row);
        }
    }
    return rows;
}

void AreasWorld::take(const FieldPart& part) {
    field = part;
    const std::uint32_t version = server->model().version + 1;
    stop();
    start(areas_model(part, version));
}

}  // namespace skerry::server::test
