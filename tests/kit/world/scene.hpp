// What all nodes of a world share: time, the network, the trace, the oracle and the first failure.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "kit/events/event_queue.hpp"
#include "kit/events/trace.hpp"
#include "kit/net/network.hpp"
#include "kit/oracle/causality.hpp"
#include "kit/oracle/oracle.hpp"
#include "kit/plan/plan.hpp"
#include "kit/plan/values.hpp"
#include "sqlite/database.hpp"

namespace skerry::kit {

struct CrashTotals;

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

// Is told what happens to transactions, for those who want to know more of a run than whether it held.
struct Judged {
    Label label;
    Observed verdict;
    std::string message;  // the server's, of a rejection
    std::int64_t device;  // as the server numbers devices and their transactions
    std::int64_t no;
    std::shared_ptr<const Images> before, after;  // the server's rows, by the oracle, which is compared with them
};
struct Witness {
    virtual ~Witness() = default;
    // A transaction got its number. `writes`: what the app said; null where another program or a person's decision made it.
    virtual void committed(Label label, const std::string& user, const std::vector<Write>* writes) = 0;
    // The server judged it; `db` is the server's database just after the request that it came with.
    virtual void judged(const Judged& judged, const Txn& txn, sqlite::Database& db) = 0;
};

struct Scene {
    Scene(std::uint64_t s, const model::Model& m)
        : seed(s), model(m), trace(events.now_ref()), net(events, trace, s), oracle(m), causality(m) {}
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
    Causality causality;
    Failure failure;
    // What a device may report as the reason why it waits; anything else fails the world.
    std::set<Code> allowed_problems{Code::kOffline};
    Label next_label = 1;
    std::map<std::string, Label> labels;  // by the transaction's random id (16 bytes)
    std::map<std::string, Claims> claims;  // by user: what the tokens of his devices say
    // The server as devices are measured by it; no answer while it is down.
    struct Truth {
        virtual ~Truth() = default;
        // Equal numbers: no row has changed in between. None: changes wait that have no place yet.
        virtual std::optional<std::int64_t> position() = 0;
        virtual std::optional<Images> view(const std::string& user) = 0;
        // (scope, entity, key) of the rows in these scopes.
        virtual std::set<std::string> lines(const std::set<std::int64_t>& scopes) = 0;
    };
    Truth* truth = nullptr;
    bool kits_own = true;  // entities called grp, total and tick are the kit's: groups that are written together, and what only the server counts up
    Witness* witness = nullptr;
    const std::vector<Write>* writing = nullptr;  // what an app says just now
    // What people write who mix values or mend a draft.
    using NewValue = std::function<Value(Random&, const model::Entity&, const model::Attribute&)>;
    NewValue new_value = [](Random& random, const model::Entity&, const model::Attribute& attribute) { return random_value(random, attribute, Oddity::kStorable); };
    // A network that repeats old answers makes a device end its sync with an old state in good faith.
    bool old_answers = false;

    // Set: every disk's crash points are tried on copies of it, and counted here.
    CrashTotals* crashes = nullptr;

    bool server_restored = false;
    // Days that passed in leaps: what is older than the retention may be forgotten.
    std::int64_t days_leapt = 0;

    // What differs, for people; "" if nothing does.
    std::string compare(const Images& ours, const Images& theirs) const {
        std::string out;
        for (const Touched& row : difference(theirs, ours)) {
            out += " " + model.entity(row.row.entity).name + " '" + row.row.key + "':";
            for (const Image* image : {&row.after, &row.before}) {
                out += image == &row.after ? " has" : ", should have";
                if (!*image) out += " nothing";
                if (*image)
                    for (const Value& value : **image) out += " " + model::to_text(value).substr(0, 60);
            }
        }
        return out;
    }
};

}  // namespace skerry::kit
