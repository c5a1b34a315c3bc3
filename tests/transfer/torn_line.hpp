// One server, one device and a line between them that breaks where a test says, in one thread and virtual time, on disks of memory.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "host/loopback/loopback.hpp"
#include "kit/disk/crash_disk.hpp"
#include "server/app/server.hpp"

namespace skerry::transfer {

struct LineClock final : Clock {
    Micros wall() const override { return Micros(1'800'000'000'000'000) + now; }
    Micros mono() const override { return now; }
    Micros now{0};
};

struct NoLog final : Log {
    void line(LogLevel, std::string_view) override {}
};

// place(id text; name text, people int)
model::Model places();

class TornLine final : public host::Exchange {
  public:
    explicit TornLine(const model::Model& model = places());
    ~TornLine() override;

    // ---- the line ----
    // It breaks when so many bytes more have passed, in either direction; then, with `again`, each time after so many.
    void tear_after(std::uint64_t bytes, std::uint64_t again = 0) {
        left_ = bytes;
        again_ = again;
    }
    void mend() { left_.reset(); }
    std::uint64_t passed = 0;    // bytes that came through
    std::uint64_t tears = 0;
    std::uint64_t requests = 0;
    std::uint64_t pushes = 0;      // of these
    std::uint64_t push_bytes = 0;  // of their bodies
    std::function<void()> on_tear{};

    // ---- the device ----
    // One attempt: until the sync ends, well or not. The code that it ended with, if any.
    std::optional<Code> sync();
    // Attempts until one ends well; fails the test after too many.
    void sync_until_done(int attempts = 2000);
    // The app is closed and opened again, in the middle of whatever it was doing.
    void restart_device();
    void restart_server();
    void sql(std::string_view text);
    std::int64_t integer(std::string_view query);
    store::Store& device() { return *store_; }
    engine::SyncState state();

    // ---- the server ----
    void server_sql(std::string_view text);
    std::int64_t server_integer(std::string_view query);
    // What the device shows and what the server has are the same rows.
    bool in_step();

    void open(const engine::SendRequest& request) override { queue_.push_back(request); }
    void cancel(engine::RequestId id) override;
    void set_timer(Millis after) override { timer_ = after; }

  private:
    void carry(const engine::SendRequest& request);
    bool passes(std::uint64_t& bytes);
    std::string rows(const Table& table) const;
    void open_device();

    LineClock clock_;
    SeededRandom random_{20260202};
    NoLog log_;
    kit::CrashDisk server_disk_;
    kit::CrashDisk device_disk_;
    server::Place place_;
    std::unique_ptr<server::Server> server_;
    std::string bearer_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<host::Loopback> loopback_;
    std::deque<engine::SendRequest> queue_;
    std::optional<engine::RequestId> carried_;  // unset once the device gave it up
    std::optional<Millis> timer_;
    std::optional<std::uint64_t> left_;
    std::uint64_t again_ = 0;
    bool restarted_ = false;  // the device, during the attempt
};

}  // namespace skerry::transfer
