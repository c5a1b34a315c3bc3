// One simulated device: a crash disk, a store on it, the engine behind a loopback host, and an app that reports
// to the oracle what it did and saw.
//
// What the kit knows of a device it learns as any program could: it reads the file. After every event that
// changed the disk it looks (observe): which transactions were numbered, which settled with which verdict, and
// whether what is visible keeps its promises.
#pragma once

#include <memory>

#include "host/loopback/loopback.hpp"
#include "kit/clock/virtual_clock.hpp"
#include "kit/disk/crash_disk.hpp"
#include "kit/world/crash_forks.hpp"
#include "kit/world/scene.hpp"
#include "kit/world/sql_rows.hpp"
#include "store/records.hpp"

namespace skerry::kit {

struct DeviceOptions {
    std::string name;
    std::string user;
    std::string token;
    LinkId link = 0;
    bool two_connections = false;  // the engine has a Store of its own on the file
    std::uint32_t slice_rows = 0;  // the wish that it sends, as a slow device would; 0 = what the engine wishes
};

class Device final : public Caller, public host::Exchange {
  public:
    Device(Scene& scene, DeviceOptions options);
    ~Device() override;

    const std::string& name() const { return options_.name; }
    const DeviceOptions& options() const { return options_; }

    // ---- the app ----
    // One statement, one transaction. A refusal fails the world: use transaction() to see it.
    void sql(std::string_view statement, const std::vector<Value>& parameters = {});
    // Runs `work` in one transaction of the library, committed when it succeeds and `keep` says so. It says in `said`
    // what it says beside its writes.
    using Work = std::function<Result<void>(store::Store&, Said&)>;
    Result<void> transaction(const Work& work, bool keep = true, bool strict = false);
    Result<void> transaction(const std::function<Result<void>(store::Store&)>& work, bool keep = true);
    // One transaction of a plan. What the model does not allow is answered by a refusal, and the transaction goes on.
    Result<void> app(const std::vector<Write>& writes, bool keep, bool strict);
    // Its forms show the rows as they are now.
    void show_forms();
    // ---- people (people.cpp) ----
    // Decides the nth open conflict record (of how many there are), as the library offers it; `pick` chooses the values
    // of a mix.
    void resolve(std::uint64_t nth, Choice choice, std::uint64_t pick);
    enum class Mend { kRetry, kEdit, kDiscard };
    void mend_draft(std::uint64_t nth, Mend how, std::uint64_t pick);
    // Another SQLite program commits these, one after the other; the library does not look meanwhile.
    Result<void> foreign(const std::vector<std::vector<Write>>& commits, bool recursive_triggers = false);
    Result<void> foreign(const std::vector<std::string>& commits, bool recursive_triggers = false);
    // The same, said freely: `commit` gets the connection inside a transaction, which it may roll back itself.
    using Program = std::function<Result<void>(std::size_t, sqlite::Database&)>;
    Result<void> program(std::size_t commits, const Program& commit, bool recursive_triggers);
    void look();
    std::vector<std::string> rows(std::string_view entity);
    Images images();
    // What settled under this number of this identity: "applied", "rejected key_taken", or "" before it settled.
    std::string verdict(std::uint64_t no);
    std::uint64_t last_no();

    // ---- sync ----
    void start_sync();
    bool sync_ended() const { return !syncing_; }
    const std::optional<Error>& sync_problem() const { return sync_problem_; }
    void set_live(bool live);
    void network_available();
    void ask(const std::function<void(engine::Engine&)>& what);
    // Runs that began and ended since the last call.
    std::vector<engine::RunEvent> take_events() { return host_->take_events(); }
    const engine::Status& status() const { return host_->status(); }
    std::uint64_t unsettled() const { return unsettled_.size(); }
    std::uint64_t drafts();
    VirtualClock& clock() { return clock_; }
    // False: from now on it shows a token that the server does not know.
    void use_good_token(bool good) { good_token_ = good; }

    // ---- life and death ----
    bool is_up() const { return app_ != nullptr; }
    void start();  // opens the store; first start and every other
    void crash(Loss loss = Loss::kKill);  // now; restart() brings it back
    void crash_at(std::uint64_t changing_call, Loss loss);  // dies at that call, whoever makes it
    void restart(Loss loss);              // what a dead disk keeps
    void restart() { restart(loss_); }
    // Switched off until wake(), whoever calls restart().
    void sleep();
    void wake();
    // A copy of the file, as a backup of the phone would hold it. The device may be in use.
    struct Copy;
    std::shared_ptr<const Copy> copy();
    // From now on this device's file is that copy. The device must be down; restart() opens it.
    void become(const Copy& copy);
    CrashDisk& disk() { return *disk_; }
    bool met_bad_disk(const Error& error) const;
    // Everything that must hold of a device that has nothing left to do.
    void check_settled();
    store::Store& store() { return *app_; }
    sqlite::Database open_plain(sqlite::Open mode = sqlite::Open::kReadWrite);

    // ---- Caller and Exchange: called by the network and the loopback host ----
    void response_started(std::uint64_t request, int status, std::string_view content_type, Millis retry_after) override;
    void response_bytes(std::uint64_t request, BytesView bytes) override;
    void response_ended(std::uint64_t request) override;
    void request_failed(std::uint64_t request, Error error) override;
    void open(const engine::SendRequest& request) override;
    void cancel(engine::RequestId id) override;
    void set_timer(Millis after) override;

    struct Open {  // what was committed and has no number yet, as far as is known
        Images before;
        std::vector<Images> after;  // the acknowledged one first, then those a crash may have kept
        Said said{};
        // It was the library's own transaction, cut short: what is there after the restart tells.
        bool after_unknown = false;
    };

  private:
    struct DraftFact {
        std::int64_t number = 0;
        std::int64_t root = 0;
        bool of_this_identity = false;
        std::string device;
        Label label = 0;
    };
    std::vector<DraftFact> open_drafts();
    // What is said of an attribute that was edited as it had been shown, and not as it is.
    void say_shown(Said& said, const Cell& cell, Value shown, Value edited);
    bool has_own_changes(const RowId& row);
    bool is_decided(const RowChange& change);  // it decides a conflict record, and others have done so meanwhile
    bool is_asserted(const std::vector<DraftFact>& open, const DraftFact& chosen, const RowChange& change) const;
    enum class Numbers { kYes, kNo };  // whether it makes a transaction, and numbers first what is open
    void by_library(std::string_view what, const Said& said, const std::function<Result<void>()>& work, Numbers numbers = Numbers::kYes);
    void show_decided(const ConflictRecord& record, const Resolution& resolution, Said& said);
    void check_drafts();
    void event(std::string_view what, const std::function<void()>& act);
    void after_event();
    void die();
    void observe(const std::optional<Open>& app = std::nullopt, bool app_acknowledged = false);
    void number(const std::string& id, const Open& open, const std::set<Label>& unsettled);
    bool anything(const Open& open) const;
    bool is_offered(store::Store& store, const Write& write) const;
    Result<void> edit_shown(store::Store& store, const Write& write, Said& said);
    Result<void> assert_that(store::Store& store, const Write& write, Said& said);
    bool identity_changed();
    void read_verdicts();
    void check_visible();
    void check_view();
    void check_lines();
    void look_at_scopes();
    void check_nothing_lost();
    void check_problem();
    std::vector<std::pair<std::int64_t, std::string>> journal();  // (number, id) by number
    std::int64_t count(std::string_view table);
    void fail(std::string_view invariant, std::string what);
    store::StoreOptions opening(const CrashDisk& disk) const;
    std::string wrong_with_copy(CrashDisk& copy);
    Bytes wish_for_slices(Bytes body) const;

    Scene& scene_;
    DeviceOptions options_;
    std::string file_ = "device.db";
    std::unique_ptr<CrashDisk> disk_;
    std::unique_ptr<CrashForks> forks_;
    VirtualClock clock_;
    SeededRandom ids_;
    std::unique_ptr<store::Store> app_;
    std::unique_ptr<store::Store> second_;
    std::unique_ptr<host::Loopback> host_;
    std::uint64_t life_ = 0;  // events of an earlier life are dropped
    Loss loss_ = Loss::kKill;
    EventId timer_;
    bool live_ = false;
    bool good_token_ = true;
    bool asleep_ = false;
    bool syncing_ = false;
    std::optional<Error> sync_problem_;

    // what is known of the file
    std::string identity_;
    std::set<Label> unsettled_;
    Images forms_;
    std::set<Label> edited_drafts_;
    std::optional<Open> foreign_;
    std::optional<Open> in_doubt_;  // an app transaction whose commit a crash cut short
    std::int64_t verdicts_read_ = 0;
    using Number = std::pair<std::string, std::int64_t>;  // identity and number
    std::map<Number, std::string> verdicts_;
    std::map<Number, Label> numbers_;
    std::map<Label, std::string> settled_;
    std::uint64_t seen_calls_ = 0;
    Seen seen_;
    std::pair<std::uint64_t, std::optional<std::int64_t>> open_pull_{};  // the request, and the server's position when it was made
    std::optional<std::int64_t> pull_began_at_;  // that position, of the newest pull that is answered
    std::map<std::int64_t, bool> scopes_;  // granted, and whether complete
    std::map<std::string, std::set<std::int64_t>> lines_;
    bool restored_ = false;  // its numbers may be older than what the server has forgotten
};

struct Device::Copy {
    std::shared_ptr<CrashDisk> disk;
    std::optional<Open> foreign;
    std::map<Number, Label> numbers;
};

}  // namespace skerry::kit
