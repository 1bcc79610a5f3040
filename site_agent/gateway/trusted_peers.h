// SPDX-License-Identifier: Apache-2.0
// Hospitals that a site knows by their keys (policy.trusted_peers). A
// threshold counts certificates, and an authority can sign any number of them;
// a key that the officer has compared with the hospital itself cannot be made
// up.
#ifndef HILUM_SITE_AGENT_GATEWAY_TRUSTED_PEERS_H_
#define HILUM_SITE_AGENT_GATEWAY_TRUSTED_PEERS_H_

#include <set>

#include "absl/status/status.h"
#include "common/base/ids.h"
#include "common/config/yaml.h"
#include "hilum/v1/policy.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns how many of `sites` are in policy.trusted_peers with the very key
// that the study pins.
int CountTrusted(const v1::Policy& policy, const v1::Study& study,
                 const std::set<SiteId>& sites);

// Checks a cohort, or the survivors of a sum, without this site itself. OK
// where policy.trusted_peers lists nobody. FAILED_PRECONDITION: a listed
// hospital is in the study with another key, which it names; or fewer of
// `sites` are known than policy.minimum_trusted (default 2).
absl::Status CheckTrusted(const v1::Policy& policy, const v1::Study& study,
                          const std::set<SiteId>& sites);

// The sites of the study but `own`.
std::set<SiteId> OtherSites(const v1::Study& study, const SiteId& own);

// Checks what a configuration says of trusted peers and of the numbers that
// guard patients. INVALID_ARGUMENT "FILE:LINE:COLUMN: what, and what to do".
absl::Status CheckPolicyFields(const v1::Policy& policy,
                               const FieldPlaces& places);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_TRUSTED_PEERS_H_
