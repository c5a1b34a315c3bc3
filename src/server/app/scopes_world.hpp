// For tests: a server whose devices take parts, and what SQL says that each of them should have.
#pragma once

#include "server/app/test_world.hpp"

namespace skerry::server::test {

inline constexpr EntityIx kSite{0};
inline constexpr EntityIx kAllowance{1};
inline constexpr EntityIx kHousehold{2};
inline constexpr EntityIx kCall{3};
inline constexpr EntityIx kComment{4};
inline constexpr EntityIx kMemo{5};

// site(id; name)  allowance(id; user, area)  household(id; name, area, status)  call(id; household_id, note)
// comment(id; call_id, note)  memo(id; note), all keys text
//
//   field    household: area in :areas and status <> 'closed', call with household, comment with call; memo: none, preserve
//   office   everything; call takes no changes
//   street   household: area = :street (a claim); no calls, no comments
//   chosen   household: area in :opened, which the app asks for, call with household
//   single   household: area = :areas, which has to be one value
model::Model areas_model();
// What `field` takes of households and comments may differ from one version to the next.
struct FieldPart {
    std::string households = "status <> 'closed'";  // empty: all of its areas
    bool comments = true;
};
model::Model areas_model(const FieldPart& field, std::uint32_t version);

class AreasWorld : public World {
  public:
    AreasWorld() : World(areas_model()) {}
    // The user may see households of the area.
    void allow(const std::string& user, const std::string& area);
    void forbid(const std::string& user, const std::string& area);
    void household(const std::string& key, const std::string& area, const std::string& status = "open");
    void call(const std::string& key, const std::string& household, const std::string& note = "");
    // What a device of the profile should have: rows by entity and key.
    std::map<KeyRef, model::Row> truth(const std::string& user, const std::string& profile = "field",
                                       const std::vector<std::string>& values = {});
    // As an operator may do with SQL.
    void put_profile(const std::string& user, const std::string& profile);
    // The server goes on with another version of the model.
    void take(const FieldPart& part);
    FieldPart field;
};

}  // namespace skerry::server::test
