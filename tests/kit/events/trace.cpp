#include "kit/events/trace.hpp"

#include <cstdio>

#include "base/hash.hpp"

namespace skerry::kit {

void Trace::line(std::string_view who, std::string_view what) {
    char time[32];
    std::snprintf(time, sizeof time, "%10.3f ", static_cast<double>(now_.count()) / 1000.0);
    std::string text = time;
    text.append(who).append(" ").append(what);
    Bytes chained;
    Writer out(chained);
    out.u64(hash_);
    out.raw(text);
    hash_ = hash64(chained);
    if (echo_) std::fprintf(stderr, "%s\n", text.c_str());
    last_.push_back(std::move(text));
    if (last_.size() > kKept) last_.pop_front();
}

}  // namespace skerry::kit
