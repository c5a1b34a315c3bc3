#include "host/loopback/loopback.hpp"

#include <variant>

namespace skerry::host {

Loopback::Loopback(store::Store& store, const Clock& clock, Random& random, Exchange& exchange)
    : link_(store), engine_(link_, clock, random), exchange_(exchange) {}

void Loopback::carry_out() {
    for (const engine::Action& action : engine_.take_actions()) {
        if (const auto* send = std::get_if<engine::SendRequest>(&action)) {
            exchange_.open(*send);
        } else if (const auto* cancel = std::get_if<engine::CancelRequest>(&action)) {
            exchange_.cancel(cancel->id);
        } else if (const auto* timer = std::get_if<engine::SetTimer>(&action)) {
            exchange_.set_timer(timer->after);
        }
    }
}

void Loopback::sync() {
    engine_.sync();
    carry_out();
}
void Loopback::set_live(bool live) {
    engine_.set_live(live);
    carry_out();
}
void Loopback::app_wrote() {
    engine_.app_wrote();
    carry_out();
}
void Loopback::network_available() {
    engine_.network_available();
    carry_out();
}
void Loopback::stop() {
    engine_.stop();
    carry_out();
}
void Loopback::response_started(engine::RequestId id, int status, std::string_view content_type, Millis retry_after) {
    engine_.response_started(id, status, content_type, retry_after);
    carry_out();
}
void Loopback::response_bytes(engine::RequestId id, BytesView bytes) {
    engine_.response_bytes(id, bytes);
    carry_out();
}
void Loopback::response_ended(engine::RequestId id) {
    engine_.response_ended(id);
    carry_out();
}
void Loopback::request_failed(engine::RequestId id, Error error) {
    engine_.request_failed(id, std::move(error));
    carry_out();
}
void Loopback::timer_fired() {
    engine_.timer_fired();
    carry_out();
}

}  // namespace skerry::host
