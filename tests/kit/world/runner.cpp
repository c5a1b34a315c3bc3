#include "kit/world/runner.hpp"

#include "base/hash.hpp"
#include "kit/events/seeds.hpp"
#include "kit/plan/values.hpp"
#include "kit/world/world.hpp"

namespace skerry::kit {

namespace {

Loss loss_of(const std::string& name) {
    for (const Loss loss : kAllLosses)
        if (to_string(loss) == name) return loss;
    return Loss::kKill;
}

Partition partition_of(const std::string& way) {
    if (way == "requests") return Partition::kRequests;
    if (way == "responses") return Partition::kResponses;
    return way == "both" ? Partition::kBoth : Partition::kNone;
}

// Of so many rows, most users are given one or two.
constexpr std::int64_t kMembers = 8;

class Run {
  public:
    Run(const Plan& plan, const RunOptions& options)
        : plan_(plan),
          options_(options),
          world_(plan.seed, {.model = options.subject != nullptr ? &options.subject->model : &model_of(plan), .tick = Millis{plan.setting("tick_ms", 50)}, .two_connections = plan.setting("two_connections") != 0,
                              .slice_rows = static_cast<std::uint32_t>(plan.setting("slice_rows")), .echo = options.echo, .claims = claims(plan),
                              .retention_days = plan.setting("retention_days", 90), .crashes = options.crashes}) {
        if (options.subject != nullptr) world_.about(options.subject->new_value, options.subject->holds, options.subject->witness);
        allow_problems();
        for (const Step& step : plan.steps)
            if (step.kind == StepKind::kNet && step.number(fate_name(FateKind::kStale)) > 0) world_.scene().old_answers = true;
    }

    Report run() {
        const auto users = std::max<std::int64_t>(1, plan_.setting("users", 1));
        if (const auto rows = plan_.setting("seed_rows"); rows > 0) seed_rows(rows);
        if (const auto keys = plan_.setting("seed_typed"); keys > 0) seed_typed(keys);
        for (std::int64_t d = 0; d < plan_.setting("devices", 2) && world_.ok(); ++d)
            by_number_.push_back(&world_.device("d" + std::to_string(d), plan_user(d % users)));
        for (const Step& step : plan_.steps) {
            if (!world_.ok()) break;
            const Millis left = std::chrono::ceil<Millis>(Millis{step.at_ms} + leapt_ - world_.now());
            if (left.count() > 0) world_.run_for(left);
            if (world_.ok()) execute(step);
        }
        if (world_.ok()) world_.run_for(Millis{1});
        if (world_.ok()) world_.finish(plan_.setting("restart_at_end") != 0);
        Report report;
        report.ok = world_.ok();
        report.failure = world_.failure();
        report.trace_hash = world_.scene().trace.hash();
        if (report.ok) report.rows_hash = hash64(world_.server().text());
        report.marks = world_.scene().trace.marks();
        for (const auto& [what, n] : world_.scene().oracle.met()) report.marks["met." + what] += n;
        report.events = world_.scene().events.count();
        report.virtual_ms = world_.now().count() / 1000;
        if (!report.ok) report.text = world_.report();
        if (!report.ok && !options_.dump_to.empty()) dump();
        return report;
    }

  private:
    static std::map<std::string, Claims> claims(const Plan& plan) {
        std::map<std::string, Claims> out;
        for (std::int64_t user = 0; user < plan.setting("users", 1); ++user) out.emplace(plan_user(user), claims_of(plan, user));
        return out;
    }
    // What the plan's faults may lead to; any other problem fails the world.
    void allow_problems() {
        auto& allowed = world_.scene().allowed_problems;
        allowed.clear();
        for (const Step& step : plan_.steps) {
            switch (step.kind) {
                case StepKind::kServerRestore: allowed.insert({Code::kNotEnrolled, Code::kOffline, Code::kTruncated, Code::kForeignAnswer}); break;
                case StepKind::kServerCrash: allowed.insert({Code::kOffline, Code::kTruncated, Code::kForeignAnswer}); break;
                case StepKind::kCrash: allowed.insert(Code::kIo); break;
                case StepKind::kDiskFull: allowed.insert({Code::kDiskFull, Code::kOffline}); break;
                case StepKind::kDiskFails: allowed.insert({Code::kIo, Code::kOffline}); break;
                case StepKind::kServerDiskFails: allowed.insert({Code::kServerFailed, Code::kOffline, Code::kTruncated, Code::kForeignAnswer}); break;
                case StepKind::kServerDiskFull: allowed.insert({Code::kServerBusy, Code::kOffline, Code::kTruncated, Code::kForeignAnswer}); break;
                case StepKind::kBadToken: allowed.insert(Code::kUnauthorized); break;
                case StepKind::kPartition:
                case StepKind::kLeap: allowed.insert({Code::kOffline}); break;
                case StepKind::kNet: allow_for_net(step, allowed); break;
                default: break;
            }
        }
    }
    static void allow_for_net(const Step& step, std::set<Code>& allowed) {
        for (const FateKind fate : kAllFates) {
            if (step.number(fate_name(fate)) == 0) continue;
            switch (fate) {
                case FateKind::kDuplicate: break;
                case FateKind::kTruncate: allowed.insert({Code::kTruncated, Code::kForeignAnswer}); break;
                case FateKind::kPortal:
                case FateKind::kEmpty:
                case FateKind::kBadGateway: allowed.insert({Code::kForeignAnswer, Code::kServerFailed, Code::kServerBusy}); break;
                case FateKind::kStale: allowed.insert(Code::kNotEnrolled); break;  // an old answer to an enrolment
                default: allowed.insert(Code::kOffline); break;
            }
        }
    }

    void seed_rows(std::int64_t n) {
        std::vector<Write> writes;
        for (std::int64_t i = 0; i < n; ++i)
            writes.push_back({WriteKind::kInsert, "note", "seed" + std::to_string(i), {{"text", "from the beginning"}, {"n", i}, {"tag", "r" + std::to_string(i % 4)}}, 0});
        world_.server().write({writes});
    }

    // Rows of the typed entities that every device begins with, parents first.
    void seed_typed(std::int64_t keys) {
        SeededRandom random = stream(plan_.seed, "seed-rows");
        std::vector<std::vector<Write>> commits;
        const model::Model& model = world_.scene().model;
        for (std::size_t e = 5; e < model.entities.size(); ++e) {
            if (model.entities[e].builtin()) continue;
            const bool member = model.entities[e].name == "member";
            for (std::int64_t k = 0; k < (member ? kMembers : keys); ++k) {
                Write write{WriteKind::kInsert, model.entities[e].name, member ? "m" + std::to_string(k) : std::string(1, static_cast<char>('a' + k)), {}, 0};
                for (const model::Attribute& attribute : model.entities[e].attributes)
                    if (!chance(random, 200)) write.values.emplace_back(attribute.name, random_value(random, model, model.entities[e], attribute, Oddity::kStorable));
                commits.push_back({std::move(write)});
            }
        }
        world_.server().write(commits);
    }

    Device* device(const Step& step) { return step.device < by_number_.size() ? by_number_[step.device] : nullptr; }

    void execute(const Step& step) {
        Device* d = device(step);
        world_.scene().trace.line("step", print(step).substr(0, 200));
        switch (step.kind) {
            case StepKind::kServerCrash: return server_crash(step);
            case StepKind::kLeap: return leap(step);
            case StepKind::kServerBackup:
                if (world_.server().is_up()) server_backup_ = world_.server().back_up();
                return;
            case StepKind::kServerRestore:
                if (server_backup_) world_.server().restore(*server_backup_);
                return;
            case StepKind::kServerDiskFull: return fill(world_.server().disk(), step, "server.disk_full");
            case StepKind::kServerDiskFails: return let_fail(world_.server().disk(), step, "server.disk_fails");
            case StepKind::kServerSql:
                world_.server().write(step.commits);
                if (world_.server().is_up()) world_.server().count_up();
                return;
            default: break;
        }
        if (d == nullptr) return;
        switch (step.kind) {
            case StepKind::kTxn: return transaction(*d, step);
            case StepKind::kForeign:
                static_cast<void>(d->foreign(step.commits, step.number("recursive") != 0));
                return;
            case StepKind::kLook: return d->look();
            case StepKind::kShow: return d->show_forms();
            case StepKind::kResolve: return resolve(*d, step);
            case StepKind::kDraft: return mend(*d, step);
            case StepKind::kSync:
                if (d->sync_ended()) d->start_sync();
                return;
            case StepKind::kLive: return d->set_live(step.number("on") != 0);
            case StepKind::kNet: return net(*d, step);
            case StepKind::kPartition:
                if (step.text("way") != "none") world_.scene().trace.mark("world.partition");
                return world_.net().set_partition(d->options().link, partition_of(step.text("way")));
            case StepKind::kCrash: return crash(*d, step);
            case StepKind::kClock: return d->clock().jump(Millis{step.number("by")});
            case StepKind::kClone:
                if (d->is_up()) by_number_.push_back(&world_.clone(*d, "clone" + std::to_string(by_number_.size())));
                return;
            case StepKind::kBackup:
                if (d->is_up()) backups_[step.device] = d->copy();
                return;
            case StepKind::kBadToken:
                world_.scene().trace.mark("device.bad_token");
                d->use_good_token(false);
                world_.scene().events.after(Millis{step.number("for", 1'000)}, [d] { d->use_good_token(true); });
                return;
            case StepKind::kRestore: return restore(*d, step);
            case StepKind::kDiskFull: return fill(d->disk(), step, "device.disk_full");
            case StepKind::kDiskFails: return let_fail(d->disk(), step, "device.disk_fails");
            case StepKind::kSleep: return d->sleep();
            case StepKind::kWake: return d->wake();
            case StepKind::kJoin:
                if (world_.server().is_up())
                    by_number_.push_back(&world_.device("joined" + std::to_string(by_number_.size()), d->options().user));
                return;
            default: return;
        }
    }

    void transaction(Device& d, const Step& step) {
        if (!d.is_up() || step.commits.empty()) return;
        const bool keep = step.text("end") != "rollback";
        auto done = d.app(step.commits.front(), keep, step.number("strict") != 0);
        if (!done && d.is_up() && !d.met_bad_disk(done.error())) world_.scene().fail("P1 local writes", d.name() + ": a transaction was refused: " + describe(done.error()));
    }

    void resolve(Device& d, const Step& step) {
        const std::string choice = step.text("choice");
        d.resolve(static_cast<std::uint64_t>(step.number("nth")), choice == "mine" ? Choice::kMine : choice == "mix" ? Choice::kMix : Choice::kTheirs,
                  static_cast<std::uint64_t>(step.at_ms));
    }
    void mend(Device& d, const Step& step) {
        const std::string how = step.text("do");
        d.mend_draft(static_cast<std::uint64_t>(step.number("nth")), how == "edit" ? Device::Mend::kEdit : how == "discard" ? Device::Mend::kDiscard : Device::Mend::kRetry,
                     static_cast<std::uint64_t>(step.at_ms));
    }

    void net(Device& d, const Step& step) {
        NetConditions conditions;
        conditions.latency_ms_max = step.number("latency", 20);
        conditions.chunk_bytes_max = static_cast<std::uint64_t>(step.number("chunk", 65'536));
        conditions.chunk_gap_ms_max = step.number("gap");
        for (const FateKind fate : kAllFates)
            conditions.permille[static_cast<std::size_t>(fate)] = static_cast<std::uint64_t>(step.number(fate_name(fate)));
        world_.net().set_conditions(d.options().link, conditions);
    }

    void crash(Device& d, const Step& step) {
        if (!d.is_up()) return;
        const Loss loss = loss_of(step.text("loss"));
        if (const auto call = step.number("call"); call > 0) {
            d.crash_at(static_cast<std::uint64_t>(call), loss);
        } else {
            d.crash(loss);
        }
        come_back([&d] { return d.is_up(); }, [&d] { d.restart(); }, Millis{step.number("back", 1'000)}, d.disk());
    }
    void server_crash(const Step& step) {
        ServerNode& server = world_.server();
        if (!server.is_up()) return;
        const Loss loss = loss_of(step.text("loss"));
        if (const auto call = step.number("call"); call > 0) {
            server.crash_at(static_cast<std::uint64_t>(call), loss);
        } else {
            server.crash(loss);
        }
        come_back([&server] { return server.is_up(); }, [&server] { server.restart(); }, Millis{step.number("back", 1'000)}, server.disk());
    }
    // The call at which it dies may come later than its time to be back: then it is looked for again.
    void come_back(std::function<bool()> is_up, std::function<void()> restart, Millis after, CrashDisk&) {
        world_.scene().events.after(after, [this, is_up, restart, after] {
            if (world_.ok() && !is_up()) restart();
            if (world_.ok() && looks_left_-- > 0) come_back(is_up, restart, after * 2, world_.server().disk());
        });
    }

    void fill(CrashDisk& disk, const Step& step, std::string_view mark) {
        disk.set_capacity(disk.total_bytes() + static_cast<std::uint64_t>(step.number("room")));
        world_.scene().trace.mark(mark);
        world_.scene().events.after(Millis{step.number("for", 1'000)}, [&disk] { disk.set_capacity(UINT64_MAX); });
    }

    void let_fail(CrashDisk& disk, const Step& step, std::string_view mark) {
        disk.inject({step.text("what") == "sync" ? Fault::kSyncError : Fault::kWriteError, static_cast<std::uint64_t>(step.number("skip")),
                     static_cast<std::uint64_t>(step.number("count", 1))});
        world_.scene().trace.mark(mark);
        world_.scene().events.after(Millis{step.number("for", 1'000)}, [&disk] { disk.clear_faults(); });
    }

    void restore(Device& d, const Step& step) {
        const auto found = backups_.find(step.device);
        if (found == backups_.end()) return;
        d.disk().crash_at(0);
        d.crash(Loss::kKill);
        world_.scene().trace.mark("device.restore");
        d.become(*found->second);
        d.start();
    }

    void leap(const Step& step) {
        const Micros before = world_.now();
        world_.leap(step.number("days", 1));
        leapt_ += world_.now() - before;
        world_.scene().trace.mark("world.leap");
    }

    void dump() {
        const auto put = [&](const std::string& node, const CrashDisk& disk) {
            for (const std::string& file : disk.files()) {
                const std::string name = file.substr(file.rfind('/') + 1);
                disk.export_file(file, options_.dump_to + "/" + node + "-" + name);
            }
        };
        put("server", world_.server().disk());
        for (Device* d : world_.devices()) put(d->name(), d->disk());
    }

    const Plan& plan_;
    const RunOptions& options_;
    std::vector<Device*> by_number_;
    World world_;
    std::map<std::uint32_t, std::shared_ptr<const Device::Copy>> backups_;
    std::shared_ptr<const ServerNode::Backup> server_backup_;
    int looks_left_ = 400;
    Micros leapt_{0};
};

}  // namespace

Report run(const Plan& plan, const RunOptions& options) { return Run(plan, options).run(); }

}  // namespace skerry::kit
