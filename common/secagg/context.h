// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_SECAGG_CONTEXT_H_
#define HILUM_COMMON_SECAGG_CONTEXT_H_

#include <cstdint>
#include <initializer_list>
#include <map>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/ids.h"
#include "hilum/v1/secagg.pb.h"

namespace hilum {

// Fewer than this no sum may hold: of two, each would know the other's.
inline constexpr int kMinimumSurvivors = 3;

// What one secure sum is about; part of everything that is signed, sealed or
// derived in it, so that nothing of one sum is good for another.
struct SecAggContext {
  std::string study_hash;  // 32 raw bytes
  uint32_t round = 0;
  // Question(...), common/secagg/chain.h: 32 bytes. The masks of two sites that
  // were asked different questions do not cancel.
  std::string question;
  std::set<SiteId> cohort;  // the study's sites, whoever takes part

  // t = floor(2 n / 3) + 1 of the cohort's n sites, at least
  // kMinimumSurvivors: any two groups of t have an honest site in common
  // unless a third of the cohort colludes.
  int Threshold() const;

  // `label` and `parts`, each with its length before it, under this context.
  std::string Statement(absl::string_view label,
                        std::initializer_list<absl::string_view> parts) const;
};

// Returns the parts one after the other, each with its length before it, as 32
// little-endian bits: no two lists of parts give the same bytes.
std::string Concatenate(std::initializer_list<absl::string_view> parts);

// What a site signs in AdvertiseKeys.
std::string KeysStatement(const SecAggContext& context, const SiteId& site,
                          const v1::RoundKeys& keys);
// What the sender commits its self-mask seed (32 bytes) to.
std::string SelfMaskCommitment(const SecAggContext& context, const SiteId& site,
                               absl::string_view seed);
// SHA-256 over every entry's site, keys and checksum.
std::string RosterHash(const v1::Roster& roster);
// What a site signs with its masked vector: the vector's SHA-256, and what
// masks are on it: those with the sharers of one roster, and the own one, to
// which it has committed.
std::string VectorStatement(const SecAggContext& context, const SiteId& site,
                            absl::string_view roster_hash,
                            const std::set<SiteId>& sharers,
                            absl::string_view self_mask_commitment,
                            absl::string_view vector_sha256);
// A survivor's vector, as everybody is shown it.
struct SurvivorClaim {
  std::string vector_sha256;
  std::string self_mask_commitment;
};
// What a site signs in Confirm: under one roster, `sharers` have shared
// and the sum is to be of the survivors' vectors; both sorted.
std::string SurvivorsStatement(
    const SecAggContext& context, absl::string_view roster_hash,
    const std::set<SiteId>& sharers,
    const std::map<SiteId, SurvivorClaim>& survivors);

// The sites of a list. INVALID_ARGUMENT: not sorted, or one twice.
template <typename Entries>
absl::StatusOr<std::set<SiteId>> SitesOf(const Entries& entries) {
  std::set<SiteId> sites;
  for (const auto& entry : entries) {
    SiteId site(entry.site());
    if (!sites.empty() && !(*sites.rbegin() < site)) {
      return absl::InvalidArgumentError("a list of sites is not sorted");
    }
    sites.insert(std::move(site));
  }
  return sites;
}

}  // namespace hilum

#endif  // HILUM_COMMON_SECAGG_CONTEXT_H_
