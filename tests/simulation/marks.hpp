// What worlds must meet: a rule that no world ever tried is not shown to hold. Counted by the kit and by the oracle
// ("met."); printed by skerry-sim, and looked at over all worlds of a test run (marks_test.cpp).
#pragma once

#include <string>
#include <map>
#include <vector>

namespace skerry::kit {

struct Mark {
    const char* name;
    bool often;  // also in a few hundred worlds; the others in thousands
};

inline constexpr Mark kMarks[] = {
    // life and death
    {"device.down", true}, {"device.clone", true}, {"device.restore", true}, {"device.new_identity", true}, {"device.bad_token", true},
    {"device.restart.kill", true}, {"device.restart.kill-torn", true}, {"device.restart.power-nothing", true}, {"device.restart.power-all", true},
    {"device.restart.power-prefix", true}, {"device.restart.power-random", true}, {"device.restart.power-torn", true},
    {"server.down", true}, {"server.restored", true}, {"server.restart.kill", true}, {"server.restart.power-torn", true},
    {"device.disk_full", true}, {"device.write_met_full_disk", true}, {"server.disk_full", true}, {"server.write_met_full_disk", true}, {"device.disk_fails", true}, {"device.write_met_failing_disk", true}, {"server.disk_fails", true}, {"server.write_met_failing_disk", true}, {"world.leap", true}, {"world.partition", true},
    // the network
    {"net.bad_gateway", true}, {"net.cut", true}, {"net.duplicate", true}, {"net.empty", true}, {"net.lose_request", true}, {"net.lose_response", true},
    {"net.partition_request", true}, {"net.partition_response", true}, {"net.portal", true}, {"net.silence", true}, {"net.silent", true}, {"net.stale", true},
    {"net.stall", true}, {"net.truncate", true},
    // rights
    {"scope.gained", true}, {"scope.lost", true}, {"scope.read_again", true}, {"row.left_its_scopes", true}, {"row.moved_to_a_held_scope", true}, {"view.compared", true},
    {"writes_follow_reads.compared", true},
    // verdicts
    {"verdict.applied", true}, {"verdict.merged", true}, {"verdict.conflict both_changed", true}, {"verdict.conflict row_changed", true}, {"verdict.conflict row_deleted", true},
    {"verdict.conflict strict", false}, {"verdict.rejected assert_failed", true}, {"verdict.rejected dependency", true}, {"verdict.rejected key_taken", true},
    {"verdict.rejected not_unique", true}, {"verdict.rejected reference_missing", true}, {"verdict.rejected value_invalid", true}, {"verdict.rejected check_failed", false},
    {"verdict.settled before", true},
    // policies, as written, merged and lost
    {"met.ask asked", true}, {"met.ask written", true}, {"met.counter merged", true}, {"met.first lost", true}, {"met.first written", true}, {"met.last merged", true}, {"met.last written", true},
    {"met.max lost", true}, {"met.max merged", true}, {"met.min lost", true}, {"met.min merged", true}, {"met.set merged", true}, {"met.set written", true}, {"met.text asked", true},
    {"met.text merged", true}, {"met.text written", true}, {"met.chain 1", true}, {"met.chain 2", true}, {"met.created twice, merged", true}, {"met.row came back", false},
    {"met.cascade on the server", false}, {"met.set null on the server", false}, {"met.held as a whole", true},
    // people
    {"met.record closed", true}, {"met.record closed again", true}, {"met.record joined", true}, {"met.record on a row, row_changed", true}, {"met.record on a row, row_deleted", true},
    {"met.draft redone", true}, {"met.draft discarded", true}, {"resolve.mine", true}, {"resolve.theirs", true}, {"resolve.mix", true}, {"draft.edit", true}, {"draft.retry", true}, {"draft.discard", true},
};

// Those that have to fire and have not.
inline std::vector<std::string> never_fired(const std::map<std::string, std::uint64_t>& marks, bool also_rare) {
    std::vector<std::string> out;
    for (const Mark& mark : kMarks)
        if ((mark.often || also_rare) && !marks.contains(mark.name)) out.emplace_back(mark.name);
    return out;
}

}  // namespace skerry::kit
