#include "cli/status_text.hpp"

#include "base/error_table.hpp"
#include "base/text.hpp"
#include "cli/print.hpp"

namespace skerry::cli {

namespace {

std::string joined(const std::vector<std::string>& list) {
    std::string out;
    for (const std::string& item : list) out += (out.empty() ? "" : ", ") + item;
    return out;
}

}  // namespace

std::string status_json(const DeviceStatus& status) {
    std::string incomplete;
    for (const std::string& entity : status.incomplete) incomplete += (incomplete.empty() ? "" : ", ") + json_text(entity);
    std::string problem = "null";
    if (status.problem)
        problem = "{\"code\": " + json_text(code_name(status.problem->code)) +
                  ", \"message\": " + json_text(status.problem->message) + "}";
    const auto number = [](std::uint64_t n) { return std::to_string(n); };
    const auto time = [](const std::optional<std::int64_t>& at) { return at ? json_text(timestamp_text(Micros(*at))) : std::string("null"); };
    return "{\"phase\": " + json_text(status.phase) + ", \"device\": " + json_text(status.device_id) +
           ", \"user\": " + json_text(status.user) + ", \"server\": " + json_text(status.server_url) +
           ", \"reachable\": " + (status.reachable ? "true" : "false") +
           ", \"network\": " + json_text(network_name(status.network)) + ", \"paused\": " + (status.paused ? "true" : "false") +
           ", \"offline_since\": " + time(status.offline_since_us) +
           ", \"waiting_to_send\": " + number(status.waiting_to_send) +
           ", \"waiting_to_settle\": " + number(status.waiting_to_settle) + ", \"drafts\": " + number(status.drafts) +
           ", \"conflicts\": " + number(status.conflicts) +
           ", \"quarantined\": " + number(status.quarantined) + ", \"incomplete\": [" + incomplete + "], \"synced_at\": " +
           time(status.synced_at_us) + ", \"fresh_as_of\": " + time(status.fresh_as_of_us) + ", \"checked_at\": " + time(status.checked_at_us) + ", \"mended_rows\": " + number(status.mended_rows) +
           ", \"mended_at\": " + time(status.mended_at_us) + ", \"synced_elsewhere\": " + (status.synced_elsewhere ? "true" : "false") +
           ", \"problem\": " + problem +
           ", \"rows_received\": " + number(status.rows_received) + ", \"bytes_received\": " + number(status.bytes_received) +
           ", \"bytes_sent\": " + number(status.bytes_sent) + "}";
}

std::string status_text(const DeviceStatus& status) {
    std::string out;
    const auto line = [&](std::string_view name, const std::string& value) {
        out += std::string(name) + std::string(name.size() < 19 ? 19 - name.size() : 1, ' ') + visible(value) + "\n";
    };
    line("device", status.device_id);
    line("user", status.user.empty() ? "(not signed in yet)" : status.user);
    line("server", status.server_url.empty() ? "(none: local only)" : status.server_url);
    if (!status.server_url.empty()) {
        line("phase", status.phase + (status.paused ? ", paused" : ""));
        if (status.synced_elsewhere) line("", "another program syncs this store now, for this one too");
        if (status.offline_since_us) line("offline since", timestamp_text(Micros(*status.offline_since_us)));
        line("fresh as of", status.fresh_as_of_us ? timestamp_text(Micros(*status.fresh_as_of_us)) : "never: not everything was received yet");
    }
    line("last synced", status.synced_at_us ? timestamp_text(Micros(*status.synced_at_us)) : "never");
    line("waiting to send", grouped(status.waiting_to_send) + (status.waiting_to_send == 1 ? " transaction" : " transactions"));
    line("waiting to settle", grouped(status.waiting_to_settle) + (status.waiting_to_settle == 1 ? " transaction" : " transactions"));
    if (!status.incomplete.empty()) line("incomplete", joined(status.incomplete) + " (first download not finished)");
    if (status.checked_at_us) line("last compared", timestamp_text(Micros(*status.checked_at_us)));
    if (status.mended_rows > 0)
        line("mended", grouped(status.mended_rows) + (status.mended_rows == 1 ? " row" : " rows") + " that differed from the server, read anew by checks" +
                           (status.mended_at_us ? ", last at " + timestamp_text(Micros(*status.mended_at_us)) : ""));
    if (status.drafts > 0) line("drafts", grouped(status.drafts) + " rejected, kept to be mended (skerry drafts)");
    if (status.conflicts > 0) line("conflicts", grouped(status.conflicts) + (status.conflicts == 1 ? " waits" : " wait") + " for a decision (skerry conflicts)");
    if (status.quarantined > 0) line("quarantined", grouped(status.quarantined) + " received rows could not be stored (skerry quarantine)");
    if (status.problem) line("problem", std::string(code_name(status.problem->code)) + ": " + status.problem->message);
    return out;
}

}  // namespace skerry::cli
