// Drives an engine over an abstract exchange. The caller owns time and the network: it carries out what
// Exchange is asked for and reports events here. Whoever implements Exchange must not report an event from
// inside open(), cancel() or set_timer(): it queues it and returns.
//
// Thread rule: one thread, that of the store.
#pragma once

#include <optional>
#include <string_view>

#include "engine/engine.hpp"
#include "host/store_link.hpp"

namespace skerry::host {

// What a device may ask of a network.
class Exchange {
  public:
    virtual ~Exchange() = default;
    // POST request.body to request.path. Reported: response_started, response_bytes*, then response_ended or
    // request_failed; or request_failed alone.
    virtual void open(const engine::SendRequest& request) = 0;
    // Nothing about this request is reported any more.
    virtual void cancel(engine::RequestId id) = 0;
    // One timer; a new one replaces it.
    virtual void set_timer(Millis after) = 0;
};

class Loopback {
  public:
    // All must outlive the Loopback. Destroying it reports nothing: the owner drops open requests itself.
    Loopback(store::Store& store, const Clock& clock, Random& random, Exchange& exchange);

    void sync();
    void set_live(bool live);
    void app_wrote();
    void network_available();
    void stop();
    // Anything else that an app or its platform asks of the engine.
    template <class Ask>
    void ask(const Ask& what) {
        what(engine_);
        carry_out();
    }

    void response_started(engine::RequestId id, int status, std::string_view content_type, Millis retry_after);
    void response_bytes(engine::RequestId id, BytesView bytes);
    void response_ended(engine::RequestId id);
    void request_failed(engine::RequestId id, Error error);
    void timer_fired();

    const engine::Status& status() const { return engine_.status(); }
    std::vector<engine::RunEvent> take_events() { return engine_.take_events(); }
    bool take_finished(std::optional<Error>* problem) { return engine_.take_finished(problem); }

  private:
    void carry_out();

    StoreLink link_;
    engine::Engine engine_;
    Exchange& exchange_;
};

}  // namespace skerry::host
