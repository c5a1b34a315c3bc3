#include "server/access/principal.hpp"

#include <sodium.h>

#include <algorithm>

#include "base/assert.hpp"
#include "base/text.hpp"
#include "model/json.hpp"

namespace skerry::server::access {

namespace {

constexpr std::string_view kPrefix = "skt_";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kTokenLength = kPrefix.size() + 43;  // 32 bytes in base64url
constexpr std::string_view kScheme = "Bearer ";
constexpr std::size_t kUserBytesMax = 200;  // travels in every sealed cursor

// No salt and no stretching: the token has 256 random bits, there is nothing to guess. The database finds the hash by comparing
// bytes, which takes longer the more of them agree: that tells of a hash, and nobody can make a token whose hash begins in a
// certain way but by trying, nor a token from its hash.
Bytes hash_of(std::string_view token) {
    SKERRY_ASSERT(sodium_init() >= 0);
    Bytes hash(32, '\0');
    crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), hash.size(),
                       reinterpret_cast<const unsigned char*>(token.data()), token.size(), nullptr, 0);
    return hash;
}

std::string claims_text(const std::map<std::string, std::string>& claims) {
    if (claims.empty()) return {};
    std::string json;
    for (const auto& [name, value] : claims) {
        json += json.empty() ? '{' : ',';
        model::append_json_string(json, name);
        json += ':';
        model::append_json_string(json, value);
    }
    return json + '}';
}

// An operator may have written it with SQL.
Result<std::map<std::string, std::string>> claims_of(const std::string& json) {
    std::map<std::string, std::string> claims;
    if (json.empty()) return claims;
    SKERRY_ASSIGN(const auto members, model::json_members(json));
    for (const auto& [name, value] : members) {
        SKERRY_ASSIGN(claims[name], model::json_string_content(value));
    }
    return claims;
}

tl::unexpected<Error> no() { return fail(Code::kUnauthorized, "the token is missing, unknown or expired"); }

Result<storage::TokenRow> known_token(storage::Reads& reads, std::string_view authorization, Micros now) {
    if (!authorization.starts_with(kScheme)) return no();
    const std::string_view token = authorization.substr(kScheme.size());
    if (token.size() != kTokenLength || !token.starts_with(kPrefix)) return no();
    SKERRY_ASSIGN(auto found, reads.token(hash_of(token)));
    if (!found || found->user.empty()) return no();
    if (found->expires_us && *found->expires_us <= now.count()) return no();
    return std::move(*found);
}

}  // namespace

bool may(const Principal& principal, Action, const model::Entity&) { return !principal.user.empty(); }

Result<void> check_claims(const model::Model& model, const std::map<std::string, std::string>& claims) {
    if (claims.size() > kClaimsMax) return fail(Code::kInvalidArgument, "a token holds at most " + std::to_string(kClaimsMax) + " claims");
    for (const auto& [name, value] : claims) {
        if (value.empty() || value.size() > kClaimBytesMax || !is_clean_text(value))
            return fail(Code::kInvalidArgument, "the claim '" + name + "' needs a value of 1 to " + std::to_string(kClaimBytesMax) + " bytes of UTF-8 text");
        if (name == kProfileClaim) {
            if (model.profile(value) == nullptr) return fail(Code::kProfileUnknown, "the model has no profile '" + value + "'");
            continue;
        }
        const bool declared = std::any_of(model.principal.begin(), model.principal.end(), [&](const model::PrincipalValue& known) {
            return known.kind == model::PrincipalKind::kClaim && known.name == name;
        });
        if (!declared) return fail(Code::kInvalidArgument, "the model declares no claim '" + name + "' under principal:");
    }
    return {};
}

Result<std::string> make_token(storage::WriteTxn& txn, const NewToken& token, Micros now, Random& random) {
    if (token.user.empty() || token.user.size() > kUserBytesMax || !is_clean_text(token.user))
        return fail(Code::kInvalidArgument, "a user needs a name of 1 to " + std::to_string(kUserBytesMax) + " bytes");
    if (!is_clean_text(token.label)) return fail(Code::kInvalidArgument, "the label is not UTF-8 text without NUL");
    std::array<std::uint8_t, kSecretBytes> secret{};
    random.fill(secret);
    const std::string text = std::string(kPrefix) + base64url(view_of(std::span<const std::uint8_t>(secret)));
    SKERRY_TRY(txn.put_token({hash_of(text), token.user, token.label, now.count(), token.expires_us, claims_text(token.claims)}));
    return text;
}

Result<Principal> authenticate(storage::Reads& reads, std::string_view authorization, Micros now) {
    SKERRY_ASSIGN(const storage::TokenRow token, known_token(reads, authorization, now));
    if (token.label == kMetricsLabel) return no();
    SKERRY_ASSIGN(auto claims, claims_of(token.claims));
    return Principal{token.user, std::move(claims)};
}

Result<void> authenticate_metrics(storage::Reads& reads, std::string_view authorization, Micros now) {
    SKERRY_ASSIGN(const storage::TokenRow token, known_token(reads, authorization, now));
    if (token.label != kMetricsLabel) return no();
    return {};
}

}  // namespace skerry::server::access
