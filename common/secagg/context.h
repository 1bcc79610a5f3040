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
#include "hilum/v1/study.pb.h"

namespace hilum {

// Identifies one secure sum. All signatures, seals and derived keys of the sum
// depend on it, so that none is valid in another sum.
struct SecAggContext {
  std::string study_hash;  // 32 raw bytes
  uint32_t round = 0;
  // The result of Question (common/secagg/chain.h), 32 bytes. The masks of two
  // sites that were asked different questions do not cancel.
  std::string question;
  std::set<SiteId> cohort;  // all sites of the study

  // aggregation.minimum_sites, approved by the officers; 0: not set.
  int minimum_sites = 0;

  // Returns t = SumThreshold(n) (common/config/cohort_rules.h) for the cohort's
  // n sites: the number of shares that recover a secret, and of sites that must
  // confirm a list.
  int Threshold() const;
  // Returns the fewest sites of a sum: t or minimum_sites, whichever is more.
  int LeastSurvivors() const;

  // Returns `label` and `parts`, each with its length before it, bound to this
  // context.
  std::string Statement(absl::string_view label,
                        std::initializer_list<absl::string_view> parts) const;
};

// Returns the context of a sum of the study.
SecAggContext ContextOf(const v1::Study& study, std::string study_hash,
                        uint32_t round, std::string question);

// Returns the parts one after the other, each with its length before it as 32
// little-endian bits: no two lists of parts give the same bytes.
std::string Concatenate(std::initializer_list<absl::string_view> parts);

// Returns the bytes that a site signs in AdvertiseKeys.
std::string KeysStatement(const SecAggContext& context, const SiteId& site,
                          const v1::RoundKeys& keys);
// Returns the sender's commitment to its self-mask seed (32 bytes).
std::string SelfMaskCommitment(const SecAggContext& context, const SiteId& site,
                               absl::string_view seed);
// Returns SHA-256 over every entry's site, keys and checksum.
std::string RosterHash(const v1::Roster& roster);
// Returns the bytes that a site signs with its masked vector: the vector's
// SHA-256 and its masks, namely those with the sharers of one roster and the
// own mask, to which it has committed.
std::string VectorStatement(const SecAggContext& context, const SiteId& site,
                            absl::string_view roster_hash,
                            const std::set<SiteId>& sharers,
                            absl::string_view self_mask_commitment,
                            absl::string_view vector_sha256);
// A survivor's vector, as all sites see it.
struct SurvivorClaim {
  std::string vector_sha256;
  std::string self_mask_commitment;
};
// Returns the bytes that a site signs in Confirm: under one roster, `sharers`
// have shared, and the sum will cover the survivors' vectors; both sorted.
std::string SurvivorsStatement(
    const SecAggContext& context, absl::string_view roster_hash,
    const std::set<SiteId>& sharers,
    const std::map<SiteId, SurvivorClaim>& survivors);

// Returns the sites of a list. INVALID_ARGUMENT: not sorted, or one twice.
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
