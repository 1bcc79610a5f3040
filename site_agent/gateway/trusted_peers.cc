// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/trusted_peers.h"

#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/config/pinned_keys.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

constexpr uint32_t kDefaultMinimumTrusted = 2;
constexpr size_t kHexDigits = 64;

uint32_t MinimumTrusted(const v1::Policy& policy) {
  return policy.has_minimum_trusted() ? policy.minimum_trusted()
                                      : kDefaultMinimumTrusted;
}

bool IsKey(const std::string& hex) {
  return hex.size() == kHexDigits && IsHex(hex);
}

absl::Status CheckPeer(const v1::Policy& policy, int index,
                       const FieldPlaces& places) {
  const v1::TrustedPeer& peer = policy.trusted_peers(index);
  const std::string path = absl::StrCat("policy.trusted_peers[", index, "]");
  auto bad = [&](absl::string_view field, absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat(places.Of(absl::StrCat(path, field)), ": ", what));
  };
  if (!IsValidName(peer.site())) {
    return bad(".site",
               "a trusted peer's 'site' must be a site's name, as its "
               "certificate has it");
  }
  if (!IsKey(peer.key())) {
    return bad(".key", absl::StrCat("the 'key' of ", peer.site(),
                                    " must be 64 hexadecimal digits, as "
                                    "`hilum-certs show` prints them"));
  }
  for (int i = 0; i < index; ++i) {
    if (policy.trusted_peers(i).site() != peer.site()) continue;
    return bad(".site", absl::StrCat(peer.site(), " is listed twice"));
  }
  return absl::OkStatus();
}

}  // namespace

std::set<SiteId> OtherSites(const v1::Study& study, const SiteId& own) {
  std::set<SiteId> sites;
  for (const std::string& site : study.sites()) sites.emplace(site);
  sites.erase(own);
  return sites;
}

int CountTrusted(const v1::Policy& policy, const v1::Study& study,
                 const std::set<SiteId>& sites) {
  int known = 0;
  for (const v1::TrustedPeer& peer : policy.trusted_peers()) {
    const SiteId site(peer.site());
    const std::optional<std::string> pinned = PinnedKey(study, site);
    known += sites.contains(site) && pinned.has_value() &&
             ToHex(*pinned) == absl::AsciiStrToLower(peer.key());
  }
  return known;
}

absl::Status CheckTrusted(const v1::Policy& policy, const v1::Study& study,
                          const std::set<SiteId>& sites) {
  if (policy.trusted_peers().empty()) return absl::OkStatus();
  for (const v1::TrustedPeer& peer : policy.trusted_peers()) {
    const std::optional<std::string> pinned =
        PinnedKey(study, SiteId(peer.site()));
    if (!pinned.has_value() ||
        ToHex(*pinned) == absl::AsciiStrToLower(peer.key())) {
      continue;
    }
    return absl::FailedPreconditionError(absl::StrCat(
        "the study pins the key ", ToHex(*pinned), " for ", peer.site(),
        "; policy.trusted_peers has another one, ", peer.key(), ". Ask ",
        peer.site(), " by telephone which is right"));
  }
  const int known = CountTrusted(policy, study, sites);
  const uint32_t least = MinimumTrusted(policy);
  if (static_cast<uint32_t>(known) >= least) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      known, " of ", sites.size(), " other sites are in policy.trusted_peers; ",
      "policy.minimum_trusted is ", least,
      study.site_keys().empty() ? "; the study pins no keys, so no site counts"
                                : ""));
}

absl::Status CheckKeys(const v1::Study& study, const v1::Roster& roster) {
  for (const v1::Roster::Entry& entry : roster.entries()) {
    HILUM_RETURN_IF_ERROR(CheckPinnedKey(study, SiteId(entry.site()),
                                         entry.keys().certificate()));
  }
  return absl::OkStatus();
}

absl::Status CheckPeers(const v1::Policy& policy, const v1::Study& study,
                        const SiteId& own, const v1::SumOpening& opening) {
  HILUM_RETURN_IF_ERROR(CheckKeys(study, opening.roster()));
  std::set<SiteId> survivors;
  for (const v1::SumOpening::Survivor& survivor : opening.survivors()) {
    survivors.emplace(survivor.site());
  }
  survivors.erase(own);
  return CheckTrusted(policy, study, survivors);
}

absl::Status CheckPolicyFields(const v1::Policy& policy,
                               const FieldPlaces& places) {
  const auto bad = [&](absl::string_view field, absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(
        places.Of(absl::StrCat("policy.", field)), ": '", field, "' ", what));
  };
  for (int i = 0; i < policy.trusted_peers_size(); ++i) {
    HILUM_RETURN_IF_ERROR(CheckPeer(policy, i, places));
  }
  if (policy.trusted_peers().empty() && policy.minimum_trusted() > 0) {
    return bad("minimum_trusted", "needs trusted_peers; no peer is listed");
  }
  const uint32_t listed = static_cast<uint32_t>(policy.trusted_peers_size());
  if (listed > 0 && MinimumTrusted(policy) > listed) {
    return bad(
        policy.has_minimum_trusted() ? "minimum_trusted" : "trusted_peers",
        absl::StrCat("allows no study: ", listed, " listed, ",
                     MinimumTrusted(policy), " needed; list more peers or ",
                     "set minimum_trusted to ", listed));
  }
  if (policy.has_largest_share() &&
      !(policy.largest_share() > 0 && policy.largest_share() <= 1)) {
    return bad("largest_share", "must be over 0 and up to 1");
  }
  return absl::OkStatus();
}

}  // namespace hilum
