// The store's own facts: one line each in skerry_meta (docs/internal-tables.md lists them).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "sqlite/database.hpp"

namespace skerry::store {

inline constexpr std::int64_t kStoreFormat = 3;

// Names of the lines. Stored: do not change.
namespace key {
inline constexpr std::string_view kFormat = "format";
inline constexpr std::string_view kDevice = "device";            // blob, 16 bytes
inline constexpr std::string_view kDeviceName = "device_name";
inline constexpr std::string_view kModel = "model";              // compiled
inline constexpr std::string_view kToken = "token";              // the cursor as the server sealed it
inline constexpr std::string_view kNextNo = "next_no";
inline constexpr std::string_view kResendFrom = "resend_from";   // the server lacks everything from here
inline constexpr std::string_view kEnrolled = "enrolled";        // 1: the server has confirmed `device`
inline constexpr std::string_view kStaged = "staged";            // blob: whose frames skerry_stage holds (checkpoint.cpp)
inline constexpr std::string_view kVerify = "verify_wanted";
inline constexpr std::string_view kUser = "user";
inline constexpr std::string_view kServerUrl = "server_url";
inline constexpr std::string_view kBearer = "bearer";
inline constexpr std::string_view kSyncedAt = "synced_at_us";
inline constexpr std::string_view kFreshAt = "fresh_at_us";      // when a checkpoint was applied that reached what the server had
inline constexpr std::string_view kOfflineSince = "offline_since_us";  // when an attempt first found the server out of reach; none: it was reached
inline constexpr std::string_view kProfile = "profile";          // the user's, as the last checkpoint named it
inline constexpr std::string_view kChosen = "chosen";            // blob: what the app wants on demand (chosen.hpp)
inline constexpr std::string_view kKept = "kept";                // blob: entities that may have pre-images which numbering left alone
inline constexpr std::string_view kScrub = "scrub";              // 1: rows were taken away whose old pages are in the WAL still
inline constexpr std::string_view kCheckedAt = "checked_at_us";  // when all rows were last compared with the server's
inline constexpr std::string_view kMended = "mended_rows";       // how many such comparisons found different and read anew, ever
inline constexpr std::string_view kMendedAt = "mended_at_us";    // when one last found any
inline constexpr std::string_view kForgotAt = "forgot_at_us";    // when what is too old was last thrown away
// How often an entity changed. Here, not in a table of its own: every commit counts, and next_no is on the same page.
inline std::string changed(EntityIx entity) { return "changed_" + std::to_string(entity.value); }
}  // namespace key

class Meta {
  public:
    explicit Meta(sqlite::Database& db) : db_(db) {}
    Result<std::optional<std::int64_t>> integer(std::string_view name);
    Result<std::optional<Bytes>> bytes(std::string_view name);
    Result<void> set(std::string_view name, std::int64_t value);
    Result<void> set_bytes(std::string_view name, BytesView value);  // as a blob
    Result<void> set_text(std::string_view name, std::string_view value);
    Result<void> erase(std::string_view name);

    Result<DeviceId> device();
    Result<TxnNo> next_no();

  private:
    Result<std::optional<Value>> value(std::string_view name);
    sqlite::Database& db_;
};

}  // namespace skerry::store
