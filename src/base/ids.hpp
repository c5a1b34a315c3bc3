// Ids and counters, each its own type, so that a seq is never taken for a transaction number.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace skerry {

template <class Tag, class Rep = std::uint64_t>
struct Number {
    Rep value = 0;
    friend auto operator<=>(const Number&, const Number&) = default;
    explicit operator bool() const { return value != 0; }
    Number next() const { return Number{static_cast<Rep>(value + 1)}; }
};

// 1, 2, 3, … per device; 0 is "none".
using TxnNo = Number<struct TxnNoTag>;
// The number of a sequencer batch; 0 is "before everything".
using Seq = Number<struct SeqTag>;
// Identifies one life of a server database; a restore from a backup keeps it, a new database draws one.
using Epoch = Number<struct EpochTag>;
// Position of an entity in its model; also its rank in reference order.
using EntityIx = Number<struct EntityIxTag, std::uint32_t>;

template <class Tag>
struct Id16 {
    std::array<std::uint8_t, 16> bytes{};
    friend auto operator<=>(const Id16&, const Id16&) = default;
    BytesView view() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
    // Precondition: view.size() == 16.
    static Id16 from(BytesView view) {
        Id16 id;
        std::memcpy(id.bytes.data(), view.data(), id.bytes.size());
        return id;
    }
    bool empty() const { return *this == Id16{}; }
};

using DeviceId = Id16<struct DeviceIdTag>;
using TxnId = Id16<struct TxnIdTag>;

}  // namespace skerry
