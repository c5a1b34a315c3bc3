#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/text.hpp"
#include "kit/plan/plan.hpp"

namespace skerry::kit {

namespace {

template <class E, std::size_t N>
using Names = std::array<std::pair<E, std::string_view>, N>;

constexpr Names<WriteKind, 19> kWrites{{{WriteKind::kInsert, "insert"},
                                        {WriteKind::kInsertIgnore, "insert_ignore"},
                                        {WriteKind::kReplace, "replace"},
                                        {WriteKind::kUpsert, "upsert"},
                                        {WriteKind::kUpdate, "update"},
                                        {WriteKind::kUpdateMany, "update_many"},
                                        {WriteKind::kDelete, "delete"},
                                        {WriteKind::kReinsert, "reinsert"},
                                        {WriteKind::kGroup, "group"},
                                        {WriteKind::kDeleteGroup, "delete_group"},
                                        {WriteKind::kSavepoint, "savepoint"},
                                        {WriteKind::kRollbackTo, "rollback_to"},
                                        {WriteKind::kRelease, "release"},
                                        {WriteKind::kAddTo, "add_to"},
                                        {WriteKind::kReword, "reword"},
                                        {WriteKind::kPutIn, "put_in"},
                                        {WriteKind::kTakeOut, "take_out"},
                                        {WriteKind::kEditShown, "edit_shown"},
                                        {WriteKind::kAssert, "assert"}}};
constexpr Names<StepKind, 28> kSteps{{{StepKind::kTxn, "txn"},
                                      {StepKind::kForeign, "foreign"},
                                      {StepKind::kLook, "look"},
                                      {StepKind::kSync, "sync"},
                                      {StepKind::kLive, "live"},
                                      {StepKind::kNet, "net"},
                                      {StepKind::kPartition, "partition"},
                                      {StepKind::kCrash, "crash"},
                                      {StepKind::kServerCrash, "server_crash"},
                                      {StepKind::kDiskFull, "disk_full"},
                                      {StepKind::kServerDiskFull, "server_disk_full"},
                                      {StepKind::kDiskFails, "disk_fails"},
                                      {StepKind::kServerDiskFails, "server_disk_fails"},
                                      {StepKind::kServerSql, "server_sql"},
                                      {StepKind::kClock, "clock"},
                                      {StepKind::kClone, "clone"},
                                      {StepKind::kBackup, "backup"},
                                      {StepKind::kRestore, "restore"},
                                      {StepKind::kJoin, "join"},
                                      {StepKind::kBadToken, "bad_token"},
                                      {StepKind::kShow, "show"},
                                      {StepKind::kResolve, "resolve"},
                                      {StepKind::kDraft, "draft"},
                                      {StepKind::kSleep, "sleep"},
                                      {StepKind::kWake, "wake"},
                                      {StepKind::kLeap, "leap"},
                                      {StepKind::kServerBackup, "server_backup"},
                                      {StepKind::kServerRestore, "server_restore"}}};

template <class E, std::size_t N>
std::string_view name_of(const Names<E, N>& names, E value) {
    for (const auto& [e, name] : names)
        if (e == value) return name;
    return "?";
}
template <class E, std::size_t N>
bool value_of(const Names<E, N>& names, std::string_view name, E& value) {
    for (const auto& [e, n] : names) {
        if (n != name) continue;
        value = e;
        return true;
    }
    return false;
}

// Everything that the line format uses is encoded.
std::string encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto u = static_cast<unsigned char>(c);
        if (u > 0x20 && u < 0x7f && c != '%' && c != ';' && c != '=' && c != '|') {
            out.push_back(c);
        } else {
            out += "%" + hex(std::string_view(&c, 1));
        }
    }
    return out;
}
std::string decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%' || i + 2 >= text.size()) {
            out.push_back(text[i]);
            continue;
        }
        if (const auto byte = unhex(text.substr(i + 1, 2))) out += *byte;
        i += 2;
    }
    return out;
}

std::string print_value(const Value& value) {
    if (const auto* i = std::get_if<std::int64_t>(&value)) return "i:" + std::to_string(*i);
    if (const auto* s = std::get_if<std::string>(&value)) return "s:" + encode(*s);
    if (const auto* b = std::get_if<Blob>(&value)) return "b:" + hex(view_of(*b));
    if (const auto* r = std::get_if<double>(&value)) {
        char text[40];
        std::snprintf(text, sizeof text, "r:%a", *r);
        return text;
    }
    return "n";
}
Value parse_value(std::string_view text) {
    if (text.starts_with("i:")) return static_cast<std::int64_t>(std::strtoll(std::string(text.substr(2)).c_str(), nullptr, 10));
    if (text.starts_with("s:")) return decode(text.substr(2));
    if (text.starts_with("r:")) return std::strtod(std::string(text.substr(2)).c_str(), nullptr);
    if (text.starts_with("b:")) {
        const auto bytes = unhex(text.substr(2));
        return bytes ? Value{Blob(bytes->begin(), bytes->end())} : Value{Null{}};
    }
    return Null{};
}

std::string print_write(const Write& write) {
    std::string out(name_of(kWrites, write.kind));
    if (!write.entity.empty()) out += " " + write.entity + " " + (write.key.empty() ? "%" : encode(write.key));
    if (write.count != 0) out += " #" + std::to_string(write.count);
    for (const auto& [name, value] : write.values) out += " " + name + "=" + print_value(value);
    return out;
}

std::vector<std::string_view> split(std::string_view text, char by) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const std::size_t end = text.find(by);
        const std::string_view part = text.substr(0, end);
        if (!part.empty()) out.push_back(part);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return out;
}

bool parse_write(std::string_view text, Write& write) {
    const auto words = split(text, ' ');
    if (words.empty() || !value_of(kWrites, words[0], write.kind)) return false;
    if (words.size() > 2) {
        write.entity = words[1];
        write.key = words[2] == "%" ? "" : decode(words[2]);
    }
    for (std::size_t i = 3; i < words.size(); ++i) {
        if (words[i].starts_with('#')) {
            write.count = std::strtoll(std::string(words[i].substr(1)).c_str(), nullptr, 10);
            continue;
        }
        const std::size_t eq = words[i].find('=');
        if (eq == std::string_view::npos) return false;
        write.values.emplace_back(words[i].substr(0, eq), parse_value(words[i].substr(eq + 1)));
    }
    return true;
}

bool parse_step(std::string_view line, Step& step) {
    // A ';' begins a write, a '|' ends a commit.
    const std::size_t first = line.find_first_of(";|");
    const auto words = split(line.substr(0, first), ' ');
    if (words.size() < 3 || !value_of(kSteps, words[1], step.kind) || words[2].size() < 2) return false;
    step.at_ms = std::strtoll(std::string(words[0]).c_str(), nullptr, 10);
    step.device = static_cast<std::uint32_t>(std::strtoul(std::string(words[2].substr(1)).c_str(), nullptr, 10));
    for (std::size_t i = 3; i < words.size(); ++i) {
        const std::size_t eq = words[i].find('=');
        if (eq == std::string_view::npos) return false;
        step.args.emplace(words[i].substr(0, eq), words[i].substr(eq + 1));
    }
    if (first == std::string_view::npos) return true;
    for (const std::string_view commit : split(line.substr(first), '|')) {
        auto& writes = step.commits.emplace_back();
        for (const std::string_view text : split(commit, ';')) {
            if (text.find_first_not_of(' ') == std::string_view::npos) continue;
            if (!parse_write(text, writes.emplace_back())) return false;
        }
        if (writes.empty()) step.commits.pop_back();
    }
    return true;
}

}  // namespace

std::int64_t Step::number(std::string_view name, std::int64_t otherwise) const {
    const auto found = args.find(std::string(name));
    return found == args.end() ? otherwise : std::strtoll(found->second.c_str(), nullptr, 10);
}
std::string Step::text(std::string_view name) const {
    const auto found = args.find(std::string(name));
    return found == args.end() ? std::string{} : found->second;
}
std::int64_t Plan::setting(std::string_view name, std::int64_t otherwise) const {
    const auto found = settings.find(std::string(name));
    return found == settings.end() ? otherwise : found->second;
}

std::string plan_user(std::int64_t n) { return "user" + std::to_string(n); }

Claims claims_of(const Plan& plan, std::int64_t user) {
    Claims claims;
    if (plan.setting("scoped") == 0) return claims;
    const auto role = plan.setting("role" + std::to_string(user), -1);
    const auto profile = plan.setting("profile" + std::to_string(user), -1);
    if (role >= 0) claims["role"] = "r" + std::to_string(role);
    if (profile >= 0) claims["profile"] = kPlanProfiles[static_cast<std::size_t>(profile) % std::size(kPlanProfiles)];
    return claims;
}

std::string print(const Step& step) {
    std::string out = std::to_string(step.at_ms) + " " + std::string(name_of(kSteps, step.kind)) + " d" + std::to_string(step.device);
    for (const auto& [name, value] : step.args) out += " " + name + "=" + value;
    for (std::size_t i = 0; i < step.commits.size(); ++i) {
        if (i > 0) out += " |";
        for (const Write& write : step.commits[i]) out += " ; " + print_write(write);
    }
    return out;
}

std::string print(const Plan& plan) {
    std::string out = "world seed=" + std::to_string(plan.seed);
    for (const auto& [name, value] : plan.settings) out += " " + name + "=" + std::to_string(value);
    out += "\n";
    for (const Step& step : plan.steps) out += print(step) + "\n";
    return out;
}

Result<Plan> parse_plan(std::string_view text) {
    Plan plan;
    std::size_t number = 0;
    for (const std::string_view line : split(text, '\n')) {
        ++number;
        if (line.starts_with('#')) continue;
        if (line.starts_with("world ")) {
            for (const std::string_view word : split(line.substr(6), ' ')) {
                const std::size_t eq = word.find('=');
                if (eq == std::string_view::npos) return fail(Code::kInvalidArgument, "no = in " + std::string(word));
                const std::string value(word.substr(eq + 1));
                if (word.substr(0, eq) == "seed") {
                    plan.seed = std::strtoull(value.c_str(), nullptr, 0);
                } else {
                    plan.settings.emplace(word.substr(0, eq), std::strtoll(value.c_str(), nullptr, 0));
                }
            }
            continue;
        }
        Step step;
        if (!parse_step(line, step)) return fail(Code::kInvalidArgument, "line " + std::to_string(number) + " is no step: " + std::string(line));
        plan.steps.push_back(std::move(step));
    }
    return plan;
}

}  // namespace skerry::kit
