// Writes docs/limits.md from the limits as the code has them, or checks that it is up to date:
//   skerry_gen_limits docs/limits.md          writes
//   skerry_gen_limits docs/limits.md --check  exit code 1 if the file differs
#include <optional>
#include <string>

#include "base/error_table.hpp"
#include "coding/zstd.hpp"
#include "model/json.hpp"
#include "server/access/principal.hpp"
#include "server/http/route_table.hpp"
#include "server/listener/listener.hpp"
#include "server/outflow/limits.hpp"
#include "server/outflow/live_streams.hpp"
#include "server/outflow/spooler.hpp"
#include "server/scopes/grants.hpp"
#include "server/transit/parts.hpp"
#include "server/transit/spool.hpp"
#include "generated_page.hpp"

namespace skerry::server {
namespace {

std::string bytes(std::uint64_t n) {
    for (const auto& [unit, name] : {std::pair<std::uint64_t, const char*>{1ull << 30, " GiB"}, {1ull << 20, " MiB"}, {1ull << 10, " KiB"}})
        if (n >= unit && n % unit == 0) return std::to_string(n / unit) + name;
    return std::to_string(n) + " bytes";
}

std::string span(Micros time) {
    const auto ms = std::chrono::duration_cast<Millis>(time).count();
    if (ms % 86'400'000 == 0) return std::to_string(ms / 86'400'000) + " days";
    if (ms % 60'000 == 0 && ms > 60'000) return std::to_string(ms / 60'000) + " min";
    return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

std::string number(std::uint64_t n) { return std::to_string(n); }

// What happens beyond: a status, a code, or in words.
struct Beyond {
    int status = 0;
    std::optional<Code> code{};
    std::string_view words{};
};

std::string shown(const Beyond& beyond) {
    std::string out = beyond.status != 0 ? std::to_string(beyond.status) : "";
    if (beyond.code) out += (out.empty() ? "`" : " `") + std::string(code_name(*beyond.code)) + "`";
    if (!beyond.words.empty()) out += (out.empty() ? "" : "; ") + std::string(beyond.words);
    return out;
}

class Page {
  public:
    void table(std::string_view heading, std::string_view about = {}) {
        text_ += "\n## " + std::string(heading) + "\n\n";
        if (!about.empty()) text_ += std::string(about) + "\n\n";
        text_ += "| limit | at most | beyond | what to do |\n|---|---|---|---|\n";
    }
    void row(std::string_view name, const std::string& most, const Beyond& beyond, std::string_view remedy) {
        text_ += "| " + std::string(name) + " | " + most + " | " + shown(beyond) + " | " + std::string(remedy) + " |\n";
    }
    void text(const std::string& text) { text_ += text; }
    std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

std::string_view gate_name(http::Gate gate) {
    switch (gate) {
        case http::Gate::kNobodyAsked: return "none";
        case http::Gate::kUser: return "of a user";
        case http::Gate::kMetrics: return "label `metrics`";
    }
    return "";
}

void put_routes(Page& page) {
    page.text("\n## Routes\n\nOne request at a time on a connection; the next one waits in the kernel. Whoever is refused by the head is answered before the body.\n\n"
              "| route | token | body in frames | in lines of JSON | answer |\n|---|---|---|---|---|\n");
    for (const http::Route& route : http::kRoutes) {
        const auto size = [](std::size_t n) { return n == 0 ? std::string("none") : bytes(n); };
        page.text("| `" + std::string(route.method) + " " + std::string(route.path) + "` | " + std::string(gate_name(route.gate)) + " | " + size(route.body_bytes_max) +
                  " | " + size(route.lines_bytes_max) + " | " + (route.streams ? "streams, as fast as it is read" : "whole") + " |\n");
    }
    page.text("\nBeyond: 413 `limit_exceeded`. No or a wrong token: 401 `unauthorized`. Another content type, or a content coding: 415 `invalid_argument`. "
              "Any other path or method: 404 `no_such_route`.\n");
}

void put_requests(Page& page, const ListenLimits& limits) {
    page.table("Heads and framing");
    page.row("head", bytes(limits.head.bytes), {431, Code::kLimitExceeded}, "send fewer and shorter headers");
    page.row("request line", bytes(limits.head.request_line_bytes), {414, Code::kLimitExceeded}, "no route needs it");
    page.row("header line", bytes(limits.head.line_bytes), {431, Code::kLimitExceeded}, "a bearer token of 8 KiB fits");
    page.row("header lines", number(limits.head.lines), {431, Code::kLimitExceeded}, "see what a proxy adds");
    page.row("line of a chunk, with extensions; trailers", bytes(kChunkLineMax), {400, Code::kLimitExceeded}, "send no extensions");
    page.row("chunks' lines in all", number(kFramingPerByteMax) + " times the body, and " + bytes(kChunkLineMax), {400, Code::kLimitExceeded}, "send larger chunks");
    page.row("bodies being read, of all connections", bytes(limits.bodies_bytes), {503, Code::kServerBusy}, "devices come back by themselves");
}

void put_connections(Page& page, const ListenLimits& limits) {
    page.table("Connections and times");
    page.row("connections (`connections_max`)", number(limits.connections), {503, Code::kServerBusy, "first, those that wait longest for a head are closed"}, "raise it, and the limit of open files");
    page.row("of one address (`address_connections_max`)", number(limits.address_connections), {503, Code::kServerBusy}, "raise it where a proxy on another machine brings everybody");
    page.row("time for a head", span(limits.header_time), {408, Code::kRequestTimeout}, "send it at once");
    page.row("time without a byte of a body", span(limits.body_idle), {408, Code::kRequestTimeout}, "send again on a better line");
    page.row("slowest body, on average", bytes(limits.body_bytes_per_second) + "/s after " + span(limits.body_idle), {408, Code::kRequestTimeout}, "large transactions travel in parts");
    page.row("slowest reader", bytes(limits.read_bytes_per_second) + "/s in each " + span(limits.write_span), {0, {}, "closed"}, "the next pull goes on where this one was cut");
    page.row("idle connection", span(limits.keep_alive), {0, {}, "closed"}, "open another");
    page.row("unread bytes after a refusal", span(limits.linger), {0, {}, "closed"}, "read the answer while sending");
    page.row("time for answers when the server stops", span(limits.stop_grace), {0, {}, "cut"}, "devices come back by themselves");
}

void put_one_device(Page& page) {
    page.table("One device", "How often it asks, how many devices a user enrols and how much he stores is not limited.");
    page.row("live pulls at a time", number(outflow::kLiveStreamsMax), {0, {}, "the oldest ends, as if all were said"}, "one is enough");
    page.row("transactions in a push", number(wire::kPushTxnsMax), {413, Code::kLimitExceeded}, "send another push");
    page.row("transaction", bytes(wire::kTxnBytesMax) + ", " + number(wire::kTxnRowsMax) + " rows, " + number(wire::kAssertsMax) + " asserts", {0, Code::kTxnTooBig}, "commit in smaller ones");
    page.row("part of a transaction", bytes(wire::kPartBytesMax), {400, Code::kDamagedFrame}, "send smaller parts");
    page.row("transactions in parts", "1", {0, {}, "a newer one replaces it"}, "send in order");
    page.row("kept checkpoints", "1", {0, {}, "a newer one replaces it"}, "nothing");
    page.row("values chosen, ranges to repair, ranges to check", number(wire::kChosenMax) + ", " + number(wire::kRepairRangesMax) + ", " + number(wire::kCheckRangesMax), {413, Code::kLimitExceeded, "or 400 `damaged_frame`"}, "ask for less at once");
    page.row("name", bytes(wire::kDeviceNameMax), {400, Code::kDamagedFrame}, "choose a shorter one");
    page.row("rows of a slice", number(wire::kSliceRowsMax), {0, {}, "it is cut there"}, "nothing");
    page.row("scopes of a user", number(scopes::kScopesMax), {403, Code::kTooManyScopes}, "group more rows under one value");
    page.row("claims of a token", number(access::kClaimsMax) + ", of " + bytes(access::kClaimBytesMax), {0, Code::kInvalidArgument, "when it is made"}, "say less");
}

void put_all_together(Page& page) {
    page.table("All devices together");
    page.row("parts that wait for the rest", bytes(transit::kPartsBytesMax) + ", " + span(transit::kPartsAgeMax), {503, Code::kServerBusy, "first, the longest untouched go"}, "devices come back by themselves");
    page.row("kept checkpoints", bytes(transit::kSpoolBytesMax) + ", " + span(transit::kSpoolAgeMax), {0, {}, "the longest unread go"}, "nothing: they are made again");
    page.row("checkpoints in memory", bytes(outflow::kWaitingBytesMax), {0, {}, "they wait in a file"}, "nothing");
    page.row("disk", "what is there", {503, Code::kServerBusy}, "free space: the server goes on by itself");
}

void put_forms(Page& page) {
    page.table("What bytes may stand for");
    page.row("frame", bytes(wire::kFrameBytesMax), {413, Code::kLimitExceeded}, "send less at once");
    page.row("row, value, blob, key", bytes(model::kRowBytesMax) + ", " + bytes(model::kValueBytesMax) + ", " + bytes(model::kBlobBytesMax) + ", " + bytes(model::kKeyBytesMax), {0, Code::kRowTooBig}, "shorten it");
    page.row("request in lines of JSON", bytes(wire::json::kRequestBytesMax), {413, Code::kLimitExceeded}, "send another push");
    page.row("nesting of JSON", number(model::kJsonDepthMax), {400, Code::kInvalidArgument}, "nest less; a member twice is refused, too");
    page.row("window of a coded answer", bytes(std::uint64_t{1} << coding::kWindowLogMax), {0, Code::kForeignAnswer, "on the device"}, "see what stands between device and server");
    page.row("growth of a coded answer", number(coding::kRatioMax) + " times, after " + bytes(coding::kFreeBytes), {0, Code::kForeignAnswer, "on the device"}, "see what stands between device and server");
    page.row("layers of coding", "1", {0, Code::kForeignAnswer, "on the device"}, "see what stands between device and server");
}

std::string limits_page() {
    Page page;
    page.text("# Limits\n\nEvery limit of the server, its number, what happens beyond it and what to do. [errors.md](errors.md) has the codes. What is refused before it is a request has a line of text for "
              "its answer that begins with the code; everything else a frame or a line of JSON with it. [protocol.md](protocol.md) says what a request is.\n");
    const ListenLimits limits;
    put_routes(page);
    put_requests(page, limits);
    put_connections(page, limits);
    put_one_device(page);
    put_all_together(page);
    put_forms(page);
    page.text("\nThis page is generated from the code by `tools/gen_limits.cpp`; `cmake --build build/release --target docs` writes it anew.\n");
    return page.take();
}

}  // namespace
}  // namespace skerry::server

int main(int argc, char** argv) { return skerry::write_or_check(argc, argv, skerry::server::limits_page()); }
