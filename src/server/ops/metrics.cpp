#include "server/ops/metrics.hpp"

#include <cstdio>

#include "wire/transaction.hpp"

namespace skerry::server::ops {

namespace {

constexpr std::pair<wire::Verdict, std::string_view> kVerdicts[] = {
    {wire::Verdict::kApplied, "applied"},
    {wire::Verdict::kMerged, "merged"},
    {wire::Verdict::kConflict, "conflict"},
    {wire::Verdict::kRejected, "rejected"},
};

class Page {
  public:
    void head(std::string_view name, std::string_view type, std::string_view help) {
        text_ += "# HELP " + std::string(name) + " " + std::string(help) + "\n# TYPE " + std::string(name) + " " + std::string(type) + "\n";
    }
    // Labels are names from tables of this program, never what somebody sent: nothing in them needs an escape.
    void line(std::string_view name, std::string_view labels, std::string_view value) {
        text_ += name;
        if (!labels.empty()) text_ += "{" + std::string(labels) + "}";
        text_ += " " + std::string(value) + "\n";
    }
    void line(std::string_view name, std::string_view labels, std::uint64_t value) { line(name, labels, std::to_string(value)); }
    void one(std::string_view name, std::string_view type, std::string_view help, std::uint64_t value) {
        head(name, type, help);
        line(name, {}, value);
    }
    std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

std::string label(std::string_view name, std::string_view value) { return std::string(name) + "=\"" + std::string(value) + "\""; }

std::string seconds(double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.9g", value);
    return buffer;
}

void put_routes(Page& page, const Traffic& traffic) {
    page.head("skerry_requests_total", "counter", "Requests answered, by route and status.");
    for (const auto& [name, route] : traffic.routes)
        for (const auto& [status, count] : route.answers)
            page.line("skerry_requests_total", label("route", name) + "," + label("status", std::to_string(status)), count);
    page.head("skerry_request_bytes_total", "counter", "Bytes of request bodies.");
    for (const auto& [name, route] : traffic.routes) page.line("skerry_request_bytes_total", label("route", name), route.bytes_in);
    page.head("skerry_response_bytes_total", "counter", "Bytes of answers' bodies.");
    for (const auto& [name, route] : traffic.routes) page.line("skerry_response_bytes_total", label("route", name), route.bytes_out);
    page.head("skerry_request_seconds", "histogram", "Time from a whole request to the beginning of its answer.");
    for (const auto& [name, route] : traffic.routes) {
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < kBucketSeconds.size(); ++i) {
            below += route.buckets[i];
            page.line("skerry_request_seconds_bucket", label("route", name) + "," + label("le", seconds(kBucketSeconds[i])), below);
        }
        page.line("skerry_request_seconds_bucket", label("route", name) + "," + label("le", "+Inf"), route.timed);
        page.line("skerry_request_seconds_sum", label("route", name), seconds(static_cast<double>(route.time.count()) / 1e6));
        page.line("skerry_request_seconds_count", label("route", name), route.timed);
    }
}

}  // namespace

void Traffic::timed(Route& route, Micros took) {
    ++route.timed;
    route.time += took;
    const double took_seconds = static_cast<double>(took.count()) / 1e6;
    for (std::size_t i = 0; i < kBucketSeconds.size(); ++i) {
        if (took_seconds > kBucketSeconds[i]) continue;
        ++route.buckets[i];
        return;
    }
}

std::string metrics_text(const Seen& seen) {
    Page page;
    put_routes(page, seen.traffic);
    page.one("skerry_answers_open", "gauge", "Answers being sent or waiting for changes.", seen.traffic.bodies_open);
    page.head("skerry_transactions_total", "counter", "Transactions judged, by verdict.");
    for (const auto& [verdict, name] : kVerdicts)
        page.line("skerry_transactions_total", label("verdict", name), seen.tally.transactions.at(static_cast<std::size_t>(verdict)));
    page.head("skerry_errors_total", "counter", "Errors that devices were answered with, by code (docs/errors.md).");
    for (const auto& [code, count] : seen.tally.errors) page.line("skerry_errors_total", label("code", code_name(code)), count);
    page.one("skerry_disk_full_total", "counter", "Requests that failed because nothing more could be written.", seen.tally.disk_full);
    page.one("skerry_rows_sequenced_total", "counter", "Changed rows that were given their place.", seen.rows_sequenced);
    page.one("skerry_checkpoints_total", "counter", "Checkpoints sent whole.", seen.tally.checkpoints);
    page.one("skerry_last_seq", "gauge", "Number of the last batch.", seen.last_seq);
    page.one("skerry_queue_rows", "gauge", "Changes that wait for their place.", seen.figures.queue);
    page.one("skerry_devices", "gauge", "Devices enrolled.", seen.figures.devices);
    page.one("skerry_conflicts_open", "gauge", "Conflict records that wait for a person.", seen.figures.conflicts_open);
    page.one("skerry_drafts_open", "gauge", "Rejected transactions that wait for their author.", seen.figures.drafts_open);
    page.one("skerry_quarantined_rows", "gauge", "Rows that no device would accept.", seen.figures.quarantined);
    page.one("skerry_database_bytes", "gauge", "Size of the database file.", seen.figures.file_bytes);
    page.one("skerry_wal_bytes", "gauge", "Size of the write-ahead log.", seen.figures.log_bytes);
    return page.take();
}

}  // namespace skerry::server::ops
