// Light devices: what a live device does on the network, without a store. Each has an identity of its own, enrols, takes what the
// server has, and then holds a pull open, whose frames it reads and checks like a device. So a thousand of them fit beside the
// server on one machine, and what is measured is the server.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "coding/zstd.hpp"
#include "model/model.hpp"
#include "wire/messages.hpp"

namespace skerry::bench {

using Moment = std::chrono::steady_clock::time_point;
inline double ms_between(Moment from, Moment to) { return std::chrono::duration<double, std::milli>(to - from).count(); }
double quantile(std::vector<double> list, double q);

// Beyond the usual limit of open files, which is for a program with a few.
void allow_files(std::size_t files);

struct Address {
    std::string host;  // 127.0.0.1
    int port = 0;
};
Address address_of(const std::string& url);
int connect_to(const Address& address);

// A kept-alive connection for one request after the other.
class Asking {
  public:
    Asking(const Address& address, std::string token) : socket_(connect_to(address)), token_(std::move(token)) {}
    ~Asking();
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;

    // The body of the answer; ends the program where its status is not 200.
    Bytes ask(std::string_view path, const Bytes& body);

  private:
    int socket_;
    std::string token_;
    std::string kept_;
};

std::string request_text(std::string_view path, const std::string& token, const Bytes& body);

// Reads an answer: head, chunks or a length, and the coding. Gives what it holds of the body so far.
class Answer {
  public:
    void feed(std::string_view bytes, Bytes& body);
    bool whole() const { return stage_ == Stage::kWhole; }

  private:
    enum class Stage { kHead, kChunkLine, kChunk, kChunkEnd, kLength, kWhole };
    bool step(std::size_t& at, Bytes& body);
    void unpack(const Bytes& raw, Bytes& body);

    Stage stage_ = Stage::kHead;
    std::string kept_;
    std::size_t left_ = 0;
    bool last_ = false;
    bool coded_ = false;
    std::unique_ptr<coding::Unpacker> unpacker_;  // while a frame of the coding is open
};

struct LightDevice {
    DeviceId id;
    std::string auth;  // its user's token
    Bytes token;       // of its last checkpoint
    int socket = -1;
    std::unique_ptr<Answer> answer;
    std::unique_ptr<wire::FrameReader> frames;
    std::vector<wire::Rows> rows;  // of the checkpoint under way
};

class LightDevices {
  public:
    LightDevices(std::string url, std::vector<std::string> tokens);
    ~LightDevices();

    // Enrols so many and lets each take all that is there.
    void enrol(std::size_t count);
    // All hold a pull open; returns when each was told that it is in step.
    void go_live();
    // Works on what arrives for at most so long. `applied`: a checkpoint has arrived whole.
    void run_for(std::chrono::milliseconds limit, const std::function<void(std::size_t device, const LightDevice&)>& applied);
    std::size_t size() const { return devices_.size(); }

    const model::Model& model() const { return model_; }
    std::uint64_t model_hash() const { return hash_; }

  private:
    Bytes pull(const LightDevice& device, bool live) const;
    bool take(LightDevice& device, const Bytes& bytes);
    bool readable(LightDevice& device);

    Address address_;
    std::vector<std::string> tokens_;
    SystemRandom random_;
    model::Model model_;
    std::uint64_t hash_ = 0;
    std::vector<LightDevice> devices_;
    int epoll_ = -1;
    std::vector<char> buffer_ = std::vector<char>(256u << 10);
};

// A device that only sends.
class Pusher {
  public:
    Pusher(const std::string& url, const std::string& token, const model::Model& model);
    // Each returns when the server has said that it did.
    void insert(EntityIx entity, const std::string& key, model::Row row);
    void update(EntityIx entity, const std::string& key, std::uint32_t attribute, const Value& old, const Value& now);

  private:
    void push(wire::Op op);

    Asking asking_;
    SystemRandom random_;
    std::uint64_t hash_;
    DeviceId id_;
    TxnNo next_{1};
};

}  // namespace skerry::bench
