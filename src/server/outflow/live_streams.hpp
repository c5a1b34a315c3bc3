// The pulls that stay open, by device. A device needs one; where a line breaks without a word, the server may still hold the ones
// before it. Beyond kLiveStreamsMax the oldest ends, so that no device costs more than these, and the newest is always served.
//
// Thread rule: one thread.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "base/ids.hpp"

namespace skerry::server::outflow {

inline constexpr std::size_t kLiveStreamsMax = 4;  // of one device

class LiveStreams {
  public:
    // One open pull's place; it is left with its end.
    class Place {
      public:
        // `streams` is shared because an answer may outlive the server that gave it.
        Place(std::shared_ptr<LiveStreams> streams, const DeviceId& device) : streams_(std::move(streams)), device_(device) {
            std::vector<Place*>& all = streams_->by_device_[device_];
            all.push_back(this);
            if (all.size() <= kLiveStreamsMax) return;
            all.front()->is_given_up_ = true;
            all.erase(all.begin());
        }
        ~Place() {
            const auto found = streams_->by_device_.find(device_);
            if (found == streams_->by_device_.end()) return;
            std::erase(found->second, this);
            if (found->second.empty()) streams_->by_device_.erase(found);
        }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;

        // A newer one has it.
        bool is_given_up() const { return is_given_up_; }

      private:
        const std::shared_ptr<LiveStreams> streams_;
        const DeviceId device_;
        bool is_given_up_ = false;
    };

    std::size_t devices() const { return by_device_.size(); }

  private:
    std::map<DeviceId, std::vector<Place*>> by_device_;
};

}  // namespace skerry::server::outflow
