// Writes follow reads: who sees what somebody wrote sees all that its author had seen when he wrote it. Told from the
// values of the kit's own rows alone, without a word of the product about positions: each row of `total` is written once,
// under a name of its own, and only the server counts `tick` up.
//
// The definition is that of causal consistency (Ahamad et al., Causal memory, 1995), with the version vectors written
// into the rows.
#pragma once

#include <functional>

#include "kit/oracle/facts.hpp"

namespace skerry::kit {

// What can be seen in one file at one moment.
struct Seen {
    std::set<std::string> groups;
    std::map<std::string, std::int64_t> ticks;
};

class Causality {
  public:
    explicit Causality(const model::Model& model);

    // An author whose file held `before` committed what makes these differences.
    void committed(Label label, const Images& before, const std::vector<Touched>& written);

    struct Look {
        std::string missing;    // for people; empty: nothing
        std::size_t compared = 0;  // what was seen first now, and follows something
    };
    // `stayed_out` says that the server did not take a transaction as it was.
    Look look(const Seen& before, const Seen& now, const std::function<bool(Label)>& stayed_out) const;

  private:
    struct Cause {
        std::set<std::string> groups;
        std::map<std::string, std::int64_t> ticks;
    };
    EntityIx groups_{};
    EntityIx ticks_{};
    std::map<std::string, Cause> causes_;      // of a group: what its author saw
    std::map<std::string, std::set<Label>> makers_;  // more than one: a draft was sent again
    std::set<std::string> deleted_;            // by somebody, sometime: nobody has to see it
};

}  // namespace skerry::kit
