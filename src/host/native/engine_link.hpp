// What a host reports to the engine and takes from it, as an interface: the room is built and
// tested without the engine, and joined to it (or to a test's) by EngineLinkOf.
#pragma once

#include <string_view>
#include <vector>

#include "engine/ports.hpp"

namespace skerry::host {

class EngineLink {
  public:
    virtual ~EngineLink() = default;
    virtual void response_started(engine::RequestId id, int status, std::string_view content_type,
                                  Millis retry_after) = 0;
    virtual void response_bytes(engine::RequestId id, BytesView bytes, std::size_t transferred) = 0;
    virtual void response_ended(engine::RequestId id) = 0;
    virtual void request_failed(engine::RequestId id, Error error) = 0;
    virtual void timer_fired() = 0;
    virtual std::vector<engine::Action> take_actions() = 0;
};

// Engine is engine::Engine, or anything with these six methods.
template <class Engine>
class EngineLinkOf final : public EngineLink {
  public:
    explicit EngineLinkOf(Engine& engine) : engine_(engine) {}
    void response_started(engine::RequestId id, int status, std::string_view content_type,
                          Millis retry_after) override {
        engine_.response_started(id, status, content_type, retry_after);
    }
    void response_bytes(engine::RequestId id, BytesView bytes, std::size_t transferred) override {
        engine_.response_bytes(id, bytes, transferred);
    }
    void response_ended(engine::RequestId id) override { engine_.response_ended(id); }
    void request_failed(engine::RequestId id, Error error) override {
        engine_.request_failed(id, std::move(error));
    }
    void timer_fired() override { engine_.timer_fired(); }
    std::vector<engine::Action> take_actions() override { return engine_.take_actions(); }

  private:
    Engine& engine_;
};

}  // namespace skerry::host
