// The simulated server: production's Server on a crash disk, and the eyes of the kit on its database.
#pragma once

#include <memory>

#include "kit/clock/virtual_clock.hpp"
#include "kit/disk/crash_disk.hpp"
#include "kit/world/crash_forks.hpp"
#include "kit/world/scene.hpp"
#include "kit/world/sql_rows.hpp"
#include "server/app/server.hpp"

namespace skerry::kit {

class ServerNode final : public Scene::Truth {
  public:
    ServerNode(Scene& scene, Millis tick, std::int64_t retention_days);
    ~ServerNode() override;

    void start();
    bool is_up() const { return server_ != nullptr; }
    std::string token(const std::string& user);
    // Another program writes on the server's database: each text, or each list of writes, is one transaction.
    void sql(const std::vector<std::string>& commits);
    void write(const std::vector<std::vector<Write>>& commits);
    // Runs what counts up `tick`: devices must never see it go back.
    void count_up();

    void crash(Loss loss = Loss::kKill);
    void crash_at(std::uint64_t changing_call, Loss loss);
    void restart(Loss loss);
    void restart() { restart(loss_); }

    // A copy of the file, as a backup holds it. The server is up.
    struct Backup;
    std::shared_ptr<const Backup> back_up();
    // A server made from the backup takes this one's place.
    void restore(const Backup& backup);

    Images images();
    std::string text();  // of all rows but conflict records
    std::vector<std::string> rows(std::string_view entity);
    std::vector<SeenRecord> records();
    std::optional<std::int64_t> position() override;
    std::optional<Images> view(const std::string& user) override;
    std::set<std::string> lines(const std::set<std::int64_t>& scopes) override;
    CrashDisk& disk() { return *disk_; }
    VirtualClock& clock() { return clock_; }
    // After anything that may have changed the database: what was judged, does every row agree with the oracle?
    // False if the server died.
    bool observe();
    void check();

  private:
    struct Quiet final : Log {
        explicit Quiet(Trace& t) : trace(t) {}
        void line(LogLevel level, std::string_view text) override {
            if (level >= LogLevel::kWarn) trace.line("server", text);
        }
        Trace& trace;
    };
    void die();
    bool met_bad_disk(const Error& error) const;
    void settle_doubt();
    void learn_forgotten();
    void check_drafts();
    void tell_oracle(const std::vector<Images>& seen);
    void schedule_tick();
    void judged();
    void transactions(std::size_t count, const std::function<Result<void>(std::size_t, const Say&)>& work);
    server::Place place() const { return {"srv", std::string(disk_->vfs_name())}; }
    server::ServerOptions opening(const CrashDisk& disk) const;
    std::string wrong_with_copy(CrashDisk& copy);
    std::string file() const { return "srv/server.db"; }
    void fail(std::string_view invariant, std::string what) { scene_.fail(invariant, "server: " + std::move(what)); }

    Scene& scene_;
    Millis tick_;
    std::int64_t retention_days_;
    std::unique_ptr<CrashDisk> disk_;
    std::unique_ptr<CrashForks> forks_;
    VirtualClock clock_;
    SeededRandom random_;
    Quiet log_;
    std::unique_ptr<server::Server> server_;
    sqlite::Database eyes_;
    std::uint64_t life_ = 0;
    Loss loss_ = Loss::kKill;
    std::uint64_t seen_calls_ = 0;
    std::map<std::int64_t, std::int64_t> judged_;  // by device row, the highest number the oracle was told
    bool made_ = false;
    std::int64_t restores_ = 0;
    std::optional<std::vector<Images>> in_doubt_;  // a commit of another program that a crash cut short, by statement
};

struct ServerNode::Backup {
    std::shared_ptr<CrashDisk> disk;
    Oracle::Past past;
    std::map<std::int64_t, std::int64_t> judged;
};

}  // namespace skerry::kit
