#include "kit/world/server_node.hpp"

#include "base/error_table.hpp"
#include "kit/events/seeds.hpp"

namespace skerry::kit {

namespace {

std::string as_text(const Image& image) {
    if (!image) return "nothing";
    std::string out;
    for (const Value& value : *image) out += (out.empty() ? "" : " ") + model::to_text(value).substr(0, 60);
    return out;
}

}  // namespace

ServerNode::ServerNode(Scene& scene, Millis tick)
    : scene_(scene), tick_(tick), clock_(scene.events.now_ref()), random_(sub_seed(scene.seed, "ids", 1'000'000)), log_(scene.trace) {
    disk_ = std::make_unique<CrashDisk>(unique_vfs_name("server"), sub_seed(scene.seed, "disk", 1'000'000), [this] { return clock_.wall().count() / 1000; });
    disk_->seed_sqlite_randomness();
    scene_.net.on_server_work([this] { return observe(); });
}

ServerNode::~ServerNode() {
    scene_.net.set_handler(nullptr);
    eyes_ = {};
    server_.reset();
}

void ServerNode::start() {
    if (!made_) {
        auto made = server::init_server(place(), scene_.model, clock_, random_);
        made_ = true;
        if (!made && made.error().code != Code::kAlreadyExists) {
            if (!disk_->is_down()) fail("test", "init: " + describe(made.error()));
            made_ = false;
        }
    }
    auto opened = made_ ? server::Server::open({.place = place(), .model = scene_.model}, clock_, random_, log_)
                        : Result<std::unique_ptr<server::Server>>(skerry::fail(Code::kIo, "it died being made"));
    auto eyes = sqlite::Database::open(file(), {.vfs = std::string(disk_->vfs_name()), .mode = sqlite::Open::kReadWrite, .busy_timeout_ms = 0});
    if (!opened || !eyes) {
        if (!disk_->is_down()) fail("I1 integrity", "does not open: " + describe(opened ? eyes.error() : opened.error()));
        opened = {};
        eyes = {};
        if (disk_->is_down()) die();
        return;
    }
    server_ = std::move(*opened);
    eyes_ = std::move(*eyes);
    ++life_;
    seen_calls_ = 0;
    scene_.trace.line("server", "up");
    settle_doubt();
    if (!observe()) return;
    scene_.net.set_handler(&server_->handler());
    schedule_tick();
}

// Another program's commit was cut short: either its rows are there, all of them, or none is.
void ServerNode::settle_doubt() {
    if (!in_doubt_) return;
    const std::vector<Images> seen = std::move(*in_doubt_);
    in_doubt_.reset();
    const Images now = canonical(images(), scene_.model);
    if (now == seen.back()) {
        tell_oracle(seen);
    } else if (now != seen.front()) {
        fail("I4 atomicity", "another program's transaction is there in part");
    }
}

void ServerNode::die() {
    scene_.trace.line("server", "down");
    scene_.trace.mark("server.down");
    ++life_;
    scene_.net.set_handler(nullptr);
    eyes_ = {};
    server_.reset();
    if (!disk_->is_down()) disk_->crash_now();
}

void ServerNode::crash(Loss loss) {
    loss_ = loss;
    if (is_up()) die();
}
void ServerNode::crash_at(std::uint64_t changing_call, Loss loss) {
    loss_ = loss;
    disk_->crash_at(changing_call);
}

void ServerNode::restart(Loss loss) {
    if (is_up()) return;
    disk_->restart(loss);
    scene_.trace.mark("server.restart." + std::string(to_string(loss)));
    start();
}

void ServerNode::schedule_tick() {
    scene_.events.after(tick_, [this, life = life_] {
        if (life != life_ || scene_.failure) return;
        server_->handler().tick();
        if (!observe()) return;
        scene_.net.wake_if_wanted();
        schedule_tick();
    });
}

std::string ServerNode::token(const std::string& user) {
    auto token = server::make_token(place(), {.user = user, .label = "sim", .valid_for = std::nullopt}, clock_, random_);
    if (!token) {
        fail("test", "make_token: " + describe(token.error()));
        return {};
    }
    return *token;
}

bool ServerNode::observe() {
    if (disk_->is_down()) {
        if (server_) die();
        return false;
    }
    if (disk_->changing_calls() == seen_calls_ || !eyes_.is_open()) return true;
    seen_calls_ = disk_->changing_calls();
    judged();
    return true;
}

// The order of judging: a request is one device's, in number order, and requests are handled one at a time.
void ServerNode::judged() {
    struct Device {
        std::int64_t ix, seen;
    };
    std::vector<Device> devices;
    auto query = eyes_.prepare("SELECT ix, seen FROM skerry_device ORDER BY ix");
    while (query && query->step().value_or(false)) devices.push_back({query->integer(0), query->integer(1)});
    if (query) query->reset();
    bool any = false;
    for (const Device& device : devices) {
        auto& known = judged_[device.ix];
        if (device.seen < known) return fail("I2 durability", "forgot that it judged transaction " + std::to_string(known) + " of device " + std::to_string(device.ix));
        auto rows = eyes_.prepare("SELECT s.no, s.id8, o.verdict, o.code FROM skerry_seen s LEFT JOIN skerry_outcome o USING(device, no) WHERE device = ?1 AND s.no > ?2 ORDER BY s.no");
        if (!rows) return fail("test", describe(rows.error()));
        rows->bind(1, device.ix).bind(2, known);
        while (rows->step().value_or(false)) {
            any = true;
            known = rows->integer(0);
            Label label = 0;
            for (const auto& [id, candidate] : scene_.labels)
                if (static_cast<std::int64_t>(Reader(id).u64()) == rows->integer(1)) label = candidate;
            if (label == 0 || !scene_.oracle.knows(label)) return fail("P2 exactly once", "judged a transaction that nobody made");
            if (scene_.oracle.verdict(label) != nullptr) return fail("P2 exactly once", "judged again: " + scene_.oracle.describe(label));
            constexpr Judgement kByVerdict[] = {Judgement::kApplied, Judgement::kApplied, Judgement::kMerged, Judgement::kConflict, Judgement::kRejected};
            const auto verdict = rows->integer(2);
            if (verdict < 1 || verdict > 4) return fail("oracle verdict", "judged with verdict " + std::to_string(verdict));
            const Observed observed{kByVerdict[static_cast<std::size_t>(verdict)], code_from_number(static_cast<std::uint16_t>(rows->integer(3)))};
            const Prediction& predicted = scene_.oracle.judged(label, observed);
            scene_.trace.line("server", "judged " + scene_.oracle.describe(label));
            if (!agrees(predicted, observed))
                return fail("oracle verdict", "judged " + std::string(judgement_name(observed.judgement)) + " " + std::string(code_name(observed.code)) + ": " + scene_.oracle.describe(label));
        }
        rows->reset();
    }
    if (!any) return;
    auto now = read_images(eyes_, scene_.model);
    if (!now) return fail("test", describe(now.error()));
    for (const Touched& row : difference(scene_.oracle.rows(), canonical(without_records(std::move(*now), scene_.model), scene_.model)))
        return fail("oracle rows", "after judging, " + scene_.model.entity(row.row.entity).name + " '" + row.row.key + "': should be " + as_text(row.before) + ", is " + as_text(row.after));
    if (const std::string wrong = scene_.oracle.compare_records(records()); !wrong.empty()) fail("oracle records", wrong);
}

std::vector<SeenRecord> ServerNode::records() {
    std::vector<SeenRecord> out;
    auto rows = eyes_.prepare("SELECT id, entity, row, attribute, author, batch, operation, why, state, choice, base, mine, theirs FROM skerry_conflict ORDER BY at, id");
    while (rows && rows->step().value_or(false)) {
        const auto text = [&](int i) { return std::string(rows->text(i)); };
        const auto object = [&](int i) { return rows->is_null(i) ? std::nullopt : std::optional(text(i)); };
        out.push_back({text(0), text(1), text(2), text(3), text(4), text(5), text(6), text(7), text(8), text(9), object(10), object(11), object(12)});
    }
    if (rows) rows->reset();
    return out;
}

// The oracle hears of every statement: what a row was when it was deleted counts, also inside a transaction.
void ServerNode::transactions(std::size_t count, const std::function<Result<void>(std::size_t, const Say&)>& work) {
    if (!is_up()) return;
    {
        auto db = sqlite::Database::open(file(), {.vfs = std::string(disk_->vfs_name()), .mode = sqlite::Open::kReadWrite, .busy_timeout_ms = 0});
        for (std::size_t i = 0; i < count && db; ++i) {
            Result<void> done = db->exec("BEGIN IMMEDIATE");
            std::vector<Images> seen;
            const auto look = [&]() -> Result<void> {
                SKERRY_ASSIGN(Images now, read_images(*db, scene_.model));
                seen.push_back(canonical(std::move(now), scene_.model));
                return {};
            };
            if (done) done = look();
            const Say plain = plainly(*db);
            if (done) done = work(i, [&](const std::string& text, const std::vector<Value>& parameters) -> Result<void> {
                SKERRY_TRY(plain(text, parameters));
                return look();
            });
            if (done) done = db->exec("COMMIT");
            if (disk_->is_down()) {
                if (seen.size() > 1) in_doubt_ = std::move(seen);
                break;
            }
            if (!done) {
                fail("test", "another program: " + describe(done.error()));
                break;
            }
            tell_oracle(seen);
            scene_.trace.line("server", "another program changed " + std::to_string(difference(seen.front(), seen.back()).size()) + " rows");
        }
    }
    observe();
}

void ServerNode::tell_oracle(const std::vector<Images>& seen) {
    for (std::size_t i = 1; i < seen.size(); ++i)
        for (const Touched& row : difference(seen[i - 1], seen[i])) scene_.oracle.server_wrote(row.row, row.after);
}

void ServerNode::sql(const std::vector<std::string>& commits) {
    transactions(commits.size(), [&](std::size_t i, const Say& target) { return target(commits[i], {}); });
}
void ServerNode::write(const std::vector<std::vector<Write>>& commits) {
    transactions(commits.size(), [&](std::size_t i, const Say& target) -> Result<void> {
        for (const Write& write : commits[i]) SKERRY_TRY(say(write, scene_.model, target));
        return {};
    });
}
void ServerNode::count_up() { sql({"INSERT INTO tick(id, v) VALUES('t', 1) ON CONFLICT DO UPDATE SET v = v + 1"}); }

Images ServerNode::images() {
    auto images = read_images(eyes_, scene_.model);
    return images ? std::move(*images) : Images{};
}
std::vector<std::string> ServerNode::rows(std::string_view entity) { return as_lines(images(), scene_.model, entity); }

// Every rejected transaction is kept as a draft, closed where a later one replaced or discarded it.
void ServerNode::check_drafts() {
    std::map<Label, std::int64_t> drafts;
    auto rows = eyes_.prepare("SELECT s.id8, d.state FROM skerry_draft d JOIN skerry_seen s USING(device, no)");
    while (rows && rows->step().value_or(false))
        for (const auto& [id, label] : scene_.labels)
            if (static_cast<std::int64_t>(Reader(id).u64()) == rows->integer(0)) drafts[label] = rows->integer(1);
    if (rows) rows->reset();
    constexpr std::int64_t kOpen = 1;
    for (const Label label : scene_.oracle.rejected()) {
        const auto found = drafts.find(label);
        if (found == drafts.end()) return fail("drafts", "no draft of " + scene_.oracle.describe(label));
        if ((found->second == kOpen) != scene_.oracle.draft_is_open(label))
            return fail("drafts", "state " + std::to_string(found->second) + " of the draft of " + scene_.oracle.describe(label));
    }
    if (drafts.size() != scene_.oracle.rejected().size()) fail("drafts", "a draft of what was not rejected");
}

void ServerNode::check() {
    check_drafts();
    auto integrity = eyes_.prepare_once("PRAGMA integrity_check");
    if (!integrity || !(*integrity)->step().value_or(false) || (*integrity)->text(0) != "ok") fail("I1 integrity", "integrity_check");
    const auto queued = eyes_.integer("SELECT count(*) FROM skerry_queue");
    if (!queued || *queued != 0) fail("L2 head", "the change queue is not empty at the end");
    if (without_records(images(), scene_.model) != scene_.oracle.rows()) fail("L3 convergence", "rows differ from the oracle's");
    if (const std::string wrong = scene_.oracle.compare_records(records()); !wrong.empty()) fail("L3 convergence", "records: " + wrong);
}

}  // namespace skerry::kit
