// live URL SERVER_DB FOLDER LIGHT REAL CHANGES TOKEN...: how long a change takes to every live device. LIGHT of them are light ones,
// REAL ones have stores in FOLDER and show the row by a live query. First CHANGES that another device pushes: the clock runs from
// before the push, so that its commit and its way are in it. Then as many that SQL commits on the server: from after the commit.
// A light device counts when the checkpoint with the change is whole and checked, a real one when the query showed it.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "kit.hpp"
#include "light.hpp"

using namespace skerry::bench;
using skerry::EntityIx;
using skerry::Value;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds kArrivalMax{60'000};

// Who has the change that is under way, and since when.
class Arrivals {
  public:
    explicit Arrivals(std::size_t devices) : at_(devices) {}

    void begin(std::int64_t value) {
        const std::scoped_lock lock(mutex_);
        value_ = value;
        missing_ = at_.size();
        std::fill(at_.begin(), at_.end(), Moment{});
    }
    void arrived(std::size_t device, std::int64_t value) {
        const Moment now = steady_clock::now();
        const std::scoped_lock lock(mutex_);
        if (value != value_ || at_[device] != Moment{}) return;
        at_[device] = now;
        if (--missing_ == 0) all_.notify_all();
    }
    void wait_and_add(Moment since, std::vector<double>& delays) {
        std::unique_lock lock(mutex_);
        if (!all_.wait_for(lock, kArrivalMax, [&] { return missing_ == 0; })) die("a change did not arrive everywhere");
        for (const Moment at : at_) delays.push_back(ms_between(since, at));
    }

  private:
    std::mutex mutex_;
    std::condition_variable all_;
    std::int64_t value_ = 0;
    std::size_t missing_ = 0;
    std::vector<Moment> at_;
};

struct Changed {
    std::string key;
    EntityIx entity;
    std::uint32_t attribute = 0;
};

class RealDevice {
  public:
    RealDevice(const std::string& path, const std::string& url, const std::string& token, const std::string& key,
               std::function<void(std::int64_t)> shown)
        : thread_([=, this, shown = std::move(shown)] { run(path, url, token, key, shown); }) {}
    ~RealDevice() {
        stop_ = true;
        thread_.join();
    }
    bool live() const { return live_; }

  private:
    void run(const std::string& path, const std::string& url, const std::string& token, const std::string& key,
             const std::function<void(std::int64_t)>& shown) {
        auto device = must(skerry::Device::open({.path = path, .server_url = url, .token = token, .name = "live", .model = {}}));
        must(device.sync());
        must(device.watch("SELECT people FROM thing WHERE id = '" + key + "'", [&](const skerry::Table& table) {
            if (table.rows.size() == 1) shown(std::get<std::int64_t>(table.rows[0][0]));
        }));
        device.set_live(true);
        while (!stop_) {
            device.run_for(milliseconds(50));
            if (!live_) live_ = must(device.status()).phase == "live";
        }
    }

    std::atomic<bool> stop_{false};
    std::atomic<bool> live_{false};
    std::thread thread_;
};

// So that nothing falls into step with a timer of the server.
void pause(std::size_t change) { std::this_thread::sleep_for(milliseconds(60 + change * 17 % 50)); }

// What a sync of the disk takes now, of as much as a commit writes: there are two in a change's way to a store.
double sync_ms(const std::string& folder) {
    const std::string path = folder + "/sync";
    const int file = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    const std::string bytes(50'000, 'x');
    std::vector<double> took;
    for (int i = 0; i < 31; ++i) {
        const Moment since = steady_clock::now();
        if (write(file, bytes.data(), bytes.size()) < 0 || fsync(file) != 0) die("cannot write in " + folder);
        took.push_back(ms_between(since, steady_clock::now()));
        std::this_thread::sleep_for(milliseconds(20));
    }
    close(file);
    std::remove(path.c_str());
    return quantile(took, 0.5);
}

void print(const char* name, const std::vector<double>& delays, const char* end) {
    std::printf("\"%s\": {\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, \"count\": %zu}%s", name, quantile(delays, 0.5), quantile(delays, 0.99),
                quantile(delays, 1), delays.size(), end);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 8) die("usage: live URL SERVER_DB FOLDER LIGHT REAL CHANGES TOKEN...");
    const std::string url = argv[1];
    const std::size_t light_count = std::stoul(argv[4]);
    const std::size_t real_count = std::stoul(argv[5]);
    const std::size_t changes = std::stoul(argv[6]);
    const std::vector<std::string> tokens(argv + 7, argv + argc);
    allow_files(light_count + 10 * real_count + 100);

    Plain server(argv[2]);
    std::string key;
    std::int64_t value = 0;
    {
        PlainStatement get(server, "SELECT id, people FROM thing LIMIT 1 OFFSET 17");
        if (!get.step()) die("the server has no rows");
        key = reinterpret_cast<const char*>(sqlite3_column_text(get.get(), 0));
        value = sqlite3_column_int64(get.get(), 1);
    }
    LightDevices light(url, tokens);
    light.enrol(std::max<std::size_t>(light_count, 1));  // one, if only for the model
    Changed changed{key, {}, 0};
    const skerry::model::Entity* thing = light.model().find("thing", &changed.entity);
    if (thing == nullptr) die("the model has no thing");
    while (thing->attributes.at(changed.attribute).name != "people") ++changed.attribute;

    Arrivals arrivals(light_count + real_count);
    std::vector<std::unique_ptr<RealDevice>> real;
    for (std::size_t i = 0; i < real_count; ++i)
        real.push_back(std::make_unique<RealDevice>(std::string(argv[3]) + "/real-" + std::to_string(i) + ".db", url, tokens[i % tokens.size()], key,
                                                    [&arrivals, at = light_count + i](std::int64_t now) { arrivals.arrived(at, now); }));
    while (!std::all_of(real.begin(), real.end(), [](const auto& device) { return device->live(); })) std::this_thread::sleep_for(milliseconds(20));
    if (light_count > 0) light.go_live();
    std::atomic<bool> stop{false};
    std::thread light_thread([&] {
        while (!stop && light_count > 0)
            light.run_for(milliseconds(50), [&](std::size_t device, const LightDevice& state) {
                for (const skerry::wire::Rows& rows : state.rows)
                    for (const skerry::wire::RowEntry& row : rows.rows)
                        if (rows.entity == changed.entity && row.key == key) arrivals.arrived(device, std::get<std::int64_t>(row.row[changed.attribute]));
            });
    });

    Pusher pusher(url, tokens[0], light.model());
    std::vector<double> push;
    for (std::size_t i = 0; i < changes; ++i) {
        pause(i);
        const std::int64_t next = 2'000'000'000 + static_cast<std::int64_t>(i);
        arrivals.begin(next);
        const Moment since = steady_clock::now();
        pusher.update(changed.entity, key, changed.attribute, Value{value}, Value{next});
        arrivals.wait_and_add(since, push);
        value = next;
    }
    std::vector<double> sql;
    for (std::size_t i = 0; i < changes; ++i) {
        pause(i);
        const std::int64_t next = 3'000'000'000 + static_cast<std::int64_t>(i);
        arrivals.begin(next);
        server.exec("UPDATE thing SET people = " + std::to_string(next) + " WHERE id = '" + key + "'");
        arrivals.wait_and_add(steady_clock::now(), sql);
    }
    stop = true;
    light_thread.join();
    real.clear();
    std::printf("{\"sync_ms\": %.3f, ", sync_ms(argv[3]));
    print("push", push, ", ");
    print("sql", sql, "}\n");
}
