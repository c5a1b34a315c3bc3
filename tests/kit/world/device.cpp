// The living part: opening, events, death. What the app does is in app.cpp, what the kit learns from the file in observe.cpp.
#include "kit/world/device.hpp"

#include "kit/events/seeds.hpp"
#include "kit/world/bad_disk.hpp"
#include "kit/world/looking.hpp"

namespace skerry::kit {

Device::Device(Scene& scene, DeviceOptions options)
    : scene_(scene),
      options_(std::move(options)),
      clock_(scene.events.now_ref()),
      ids_(sub_seed(scene.seed, "ids", options_.link)) {
    disk_ = std::make_unique<CrashDisk>(unique_vfs_name(options_.name), sub_seed(scene.seed, "disk", options_.link),
                                        [this] { return clock_.wall().count() / 1000; });
    if (scene.crashes == nullptr) return;
    forks_ = std::make_unique<CrashForks>(*disk_, file_, sub_seed(scene.seed, "forks", options_.link), [this](CrashDisk& copy) { return wrong_with_copy(copy); },
                                          [this](std::string what) { fail("crash points", std::move(what)); }, *scene.crashes);
}

Device::~Device() {
    host_.reset();
    second_.reset();
    app_.reset();
    forks_.reset();
}

void Device::fail(std::string_view invariant, std::string what) { scene_.fail(invariant, options_.name + ": " + std::move(what)); }

// ---- life and death ----

store::StoreOptions Device::opening(const CrashDisk& disk) const {
    return {.path = file_, .vfs = disk.vfs_name(), .device_name = options_.name, .model = scene_.model.compile(), .busy_timeout_ms = 0};
}

// What a crash would have left, opened as after a restart.
std::string Device::wrong_with_copy(CrashDisk& copy) {
    SeededRandom ids = stream(scene_.seed, "fork-ids", options_.link);
    auto opened = store::Store::open(opening(copy), clock_, ids);
    if (!opened) return "the store does not open: " + describe(opened.error());
    return wrong_with((*opened)->db());
}

void Device::start() {
    const store::StoreOptions open = opening(*disk_);
    const auto open_one = [&](std::unique_ptr<store::Store>& into) {
        auto opened = store::Store::open(open, clock_, ids_);
        if (opened) {
            into = std::move(*opened);
            return true;
        }
        if (!disk_->is_down() && !met_bad_disk(opened.error())) fail("I1 integrity", "the store does not open: " + describe(opened.error()));
        return false;
    };
    if (!open_one(app_) || (options_.two_connections && !open_one(second_))) {
        app_.reset();
        if (disk_->is_down()) die();
        return;
    }
    ++life_;
    host_ = std::make_unique<host::Loopback>(second_ ? *second_ : *app_, clock_, ids_, *this);
    scene_.trace.line(options_.name, "up");
    seen_calls_ = 0;
    check_nothing_lost();
    after_event();
    if (is_up() && live_) event("live", [&] { host_->set_live(true); });
}

void Device::die() {
    scene_.trace.line(options_.name, "down");
    scene_.trace.mark("device.down");
    ++life_;
    scene_.net.drop_link(options_.link);
    scene_.events.cancel(timer_);
    host_.reset();
    second_.reset();
    app_.reset();
    if (forks_) forks_->forget();
    if (syncing_) {
        syncing_ = false;
        sync_problem_ = Error{Code::kOffline, "the device went down", {}};
    }
    if (!disk_->is_down()) disk_->crash_now();
}

void Device::crash(Loss loss) {
    loss_ = loss;
    if (is_up()) die();
}

void Device::crash_at(std::uint64_t changing_call, Loss loss) {
    loss_ = loss;
    disk_->crash_at(changing_call);
}

void Device::sleep() {
    disk_->crash_at(0);
    crash(Loss::kKill);
    asleep_ = true;
}

void Device::wake() {
    asleep_ = false;
    restart();
}

void Device::restart(Loss loss) {
    if (is_up() || asleep_) return;
    disk_->restart(loss);
    scene_.trace.mark("device.restart." + std::string(to_string(loss)));
    if (auto plain = open_plain(); plain.is_open())
        if (const std::string wrong = wrong_with(plain); !wrong.empty()) fail("I1 integrity", "after a restart: " + wrong);
    start();
}

std::shared_ptr<const Device::Copy> Device::copy() {
    auto disk = std::make_shared<CrashDisk>(unique_vfs_name("copy"), 0, [] { return std::int64_t{0}; });
    disk->clone_from(*disk_);
    return std::make_shared<const Copy>(Copy{std::move(disk), foreign_, numbers_});
}

void Device::become(const Copy& copy) {
    disk_->restart(Loss::kKill);
    disk_->clone_from(*copy.disk);
    if (forks_) forks_->forget();
    foreign_ = copy.foreign;
    in_doubt_.reset();
    numbers_ = copy.numbers;
    unsettled_.clear();
    settled_.clear();
    seen_ = {};
    scopes_.clear();
    lines_.clear();
    identity_.clear();
    verdicts_read_ = 0;
    restored_ = true;
    scene_.trace.line(options_.name, "is a copy now");
}

sqlite::Database Device::open_plain(sqlite::Open mode) {
    auto db = sqlite::Database::open(file_, {.vfs = std::string(disk_->vfs_name()), .mode = mode, .busy_timeout_ms = 0});
    return db ? std::move(*db) : sqlite::Database{};
}

bool Device::met_bad_disk(const Error& error) const { return kit::met_bad_disk(*disk_, error, scene_.trace, "device"); }

// ---- events ----

void Device::event(std::string_view what, const std::function<void()>& act) {
    if (!is_up() || scene_.failure) return;
    if (!what.empty()) scene_.trace.line(options_.name, what);
    act();
    after_event();
}

void Device::after_event() {
    if (disk_->is_down()) return die();
    observe();
    if (!is_up()) return;
    check_problem();
    if (!syncing_) return;
    std::optional<Error> problem;
    if (!host_->take_finished(&problem)) return;
    syncing_ = false;
    sync_problem_ = problem;
    scene_.trace.line(options_.name, problem ? "sync ended: " + std::string(code_name(problem->code)) : "sync ended");
    if (!problem) check_view();
}

void Device::check_problem() {
    const auto& problem = host_->status().problem;
    if (!problem || scene_.allowed_problems.contains(problem->code)) return;
    // After several old answers in a row it says so.
    if (scene_.old_answers && problem->code == Code::kForeignAnswer) return;
    fail("P11 honest errors", "unexpected problem: " + describe(*problem));
}

void Device::response_started(std::uint64_t request, int status, std::string_view content_type, Millis retry_after) {
    // Not before: a run of its own may open the next pull in the very step in which another ends.
    if (request == open_pull_.first) pull_began_at_ = open_pull_.second;
    event({}, [&] { host_->response_started(request, status, content_type, retry_after); });
}
void Device::response_bytes(std::uint64_t request, BytesView bytes) {
    event({}, [&] { host_->response_bytes(request, bytes); });
}
void Device::response_ended(std::uint64_t request) {
    event({}, [&] { host_->response_ended(request); });
}
void Device::request_failed(std::uint64_t request, Error error) {
    event({}, [&] { host_->request_failed(request, std::move(error)); });
}

// The engine measures what it can apply and wishes for slices of that size; in virtual time applying takes none, so
// slices would never be small. A pull is decoded and encoded again with a smaller wish: nothing else changes.
Bytes Device::wish_for_slices(Bytes body) const {
    if (options_.slice_rows == 0) return body;
    const auto frames = wire::read_body(body, wire::Kind::kPullRequest);
    auto pull = frames && !frames->empty() ? wire::get_pull(frames->front().payload) : Result<wire::Pull>(skerry::fail(Code::kInternal, "no pull"));
    if (!pull) return body;
    pull->slice_rows = options_.slice_rows;
    Bytes out;
    wire::put_header(out, wire::Kind::kPullRequest);
    wire::put(out, *pull);
    wire::put_empty(out, wire::FrameType::kEnd);
    return out;
}

void Device::open(const engine::SendRequest& request) {
    if (disk_->is_down()) return;  // a dead process sends nothing
    if (request.path == wire::kPathPull) open_pull_ = {request.id, scene_.truth == nullptr ? std::nullopt : scene_.truth->position()};
    server::http::Request http{.method = "POST", .target = request.path, .authorization = "Bearer " + (good_token_ ? options_.token : "skt_nobody"),
                               .content_type = std::string(wire::kContentType), .body = request.path == wire::kPathPull ? wish_for_slices(request.body) : request.body};
    scene_.net.open(options_.link, *this, request.id, std::move(http));
}
void Device::cancel(engine::RequestId id) { scene_.net.cancel(options_.link, id); }
void Device::set_timer(Millis after) {
    scene_.events.cancel(timer_);
    timer_ = scene_.events.after(after, [this, life = life_] {
        if (life == life_) event({}, [&] { host_->timer_fired(); });
    });
}

void Device::start_sync() {
    if (!is_up()) return;
    syncing_ = true;
    sync_problem_.reset();
    event("sync", [&] { host_->sync(); });
}
void Device::set_live(bool live) {
    live_ = live;
    event(live ? "live" : "live off", [&] { host_->set_live(live); });
}
void Device::network_available() {
    event({}, [&] { host_->network_available(); });
}
void Device::ask(const std::function<void(engine::Engine&)>& what) {
    event("ask", [&] { host_->ask(what); });
}
void Device::look() {
    event("look", [&] { host_->app_wrote(); });
}

}  // namespace skerry::kit
