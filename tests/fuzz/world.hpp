// A server and a device on disks in memory, with rows, a journal, drafts and a conflict record. They are made once, by the production
// code, the same in every run; a fuzzer takes copies of their files.
#pragma once

#include <deque>
#include <memory>

#include "base/random.hpp"
#include "fuzz.hpp"
#include "host/loopback/loopback.hpp"
#include "kit/disk/crash_disk.hpp"
#include "server/app/server.hpp"
#include "wire/frame.hpp"

namespace skerry::fuzz {

inline const std::string kDeviceFile = "device.db";
inline const std::string kServerFile = "srv/server.db";

// Stands still but for what a fuzzer adds.
class FuzzClock final : public Clock {
  public:
    Micros wall() const override { return Micros{1'800'000'000'000'000} + now; }
    Micros mono() const override { return now; }
    Micros now{0};
};

// The files, and who they belong to.
struct Made {
    Bytes server;
    Bytes device;
    std::string bearer;    // of the device's user, as the header has it
    DeviceId id;
    Bytes token;           // the device's cursor
    TxnNo next;            // the number that its next transaction gets
};
const Made& made();

// One disk for every input: what an earlier one left is gone.
kit::CrashDisk& disk_with(const std::string& file, BytesView bytes);

inline server::Place server_place(const kit::CrashDisk& disk) { return {"srv", disk.vfs_name()}; }

// An answer, as far as it comes before it waits for news.
Bytes whole_answer(server::http::Response& response, int* status = nullptr);

// What a device asks of the network, one request at a time; whoever owns it answers.
class Line final : public host::Exchange {
  public:
    void open(const engine::SendRequest& request) override { asked.push_back(request); }
    void cancel(engine::RequestId id) override {
        std::erase_if(asked, [&](const engine::SendRequest& request) { return request.id == id; });
        cancelled.push_back(id);
    }
    void set_timer(Millis after) override { timer = after; }
    // Time passes until the device's timer; false: it has set none.
    bool wait(host::Loopback& device, FuzzClock& clock) {
        if (!timer) return false;
        clock.now += *std::exchange(timer, std::nullopt);
        device.timer_fired();
        return true;
    }
    bool is_cancelled(engine::RequestId id) const { return std::find(cancelled.begin(), cancelled.end(), id) != cancelled.end(); }

    std::deque<engine::SendRequest> asked;
    std::vector<engine::RequestId> cancelled;
    std::optional<Millis> timer;
};

// The server answers what the device asked first.
struct Exchanged {
    engine::SendRequest request;
    Bytes answer;
};
Exchanged exchange(Line& line, host::Loopback& device, server::Server& server, const std::string& bearer);

// Lets the device sync with the server until nothing is asked, `turns` answers at most. False: it did not end in time.
bool sync(store::Store& store, server::Server& server, const std::string& bearer, FuzzClock& clock, Random& random, int turns);

// Whatever fails has a name and a reason, and is not a bug of our own.
void check_error(const Error& error);
template <class T>
bool fine(const Result<T>& result) {
    if (!result) check_error(result.error());
    return result.has_value();
}

}  // namespace skerry::fuzz
