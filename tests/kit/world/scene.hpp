// What all nodes of a world share: time, the network, the trace, the oracle and the first failure.
#pragma once

#include <set>
#include <string>

#include "kit/events/event_queue.hpp"
#include "kit/events/trace.hpp"
#include "kit/net/network.hpp"
#include "kit/oracle/oracle.hpp"

namespace skerry::kit {

// VFS names are unique in a process; they take no part in what happens.
inline std::string unique_vfs_name(std::string_view node) {
    static std::uint64_t serial = 0;
    return "sim-" + std::to_string(++serial) + "-" + std::string(node);
}

struct Failure {
    std::string invariant;  // such as "P1 durability"; empty = none
    std::string what;
    explicit operator bool() const { return !invariant.empty(); }
};

struct Scene {
    Scene(std::uint64_t s, const model::Model& m)
        : seed(s), model(m), trace(events.now_ref()), net(events, trace, s), oracle(m) {}
    Scene(const Scene&) = delete;
    Scene& operator=(const Scene&) = delete;

    // Only the first failure counts: what follows it is its consequence.
    void fail(std::string_view invariant, std::string what) {
        if (failure) return;
        failure = {std::string(invariant), std::move(what)};
        trace.line("FAILED", failure.invariant + ": " + failure.what);
    }

    std::uint64_t seed;
    const model::Model& model;
    EventQueue events;
    Trace trace;
    Network net;
    Oracle oracle;
    Failure failure;
    // What a device may report as the reason why it waits; anything else fails the world.
    std::set<Code> allowed_problems{Code::kOffline};
    Label next_label = 1;
    std::map<std::string, Label> labels;  // by the transaction's random id (16 bytes)
};

}  // namespace skerry::kit
