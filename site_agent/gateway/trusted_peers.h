// SPDX-License-Identifier: Apache-2.0
// Hospitals that a site knows by their keys (policy.trusted_peers). A threshold
// counts certificates, and an authority can sign any number of these. A key
// that the officer has compared with the hospital itself cannot be forged.
#ifndef HILUM_SITE_AGENT_GATEWAY_TRUSTED_PEERS_H_
#define HILUM_SITE_AGENT_GATEWAY_TRUSTED_PEERS_H_

#include <set>

#include "absl/status/status.h"
#include "common/base/ids.h"
#include "common/config/yaml.h"
#include "hilum/v1/opening.pb.h"
#include "hilum/v1/policy.pb.h"
#include "hilum/v1/secagg.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns how many of `sites` are in policy.trusted_peers with the key that the
// study pins.
int CountTrusted(const v1::Policy& policy, const v1::Study& study,
                 const std::set<SiteId>& sites);

// Checks a cohort, or the survivors of a sum; `sites` does not include this
// site. OK if policy.trusted_peers is empty. FAILED_PRECONDITION: a listed
// hospital is in the study with another key, and is named; or fewer than
// policy.minimum_trusted (default 2) of `sites` are listed.
absl::Status CheckTrusted(const v1::Policy& policy, const v1::Study& study,
                          const std::set<SiteId>& sites);

// Checks that each key of a roster is the one that the study pins.
// PERMISSION_DENIED: names the site with another key.
absl::Status CheckKeys(const v1::Study& study, const v1::Roster& roster);

// Checks the keys and the survivors of a sum that was published. `own`: this
// site, which is not counted. Fails like CheckKeys and CheckTrusted.
absl::Status CheckPeers(const v1::Policy& policy, const v1::Study& study,
                        const SiteId& own, const v1::SumOpening& opening);

// Returns the sites of the study except `own`.
std::set<SiteId> OtherSites(const v1::Study& study, const SiteId& own);

// Checks a policy's trusted peers and the numbers that guard patients.
// INVALID_ARGUMENT "FILE:LINE:COLUMN: what, and what to do".
absl::Status CheckPolicyFields(const v1::Policy& policy,
                               const FieldPlaces& places);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_TRUSTED_PEERS_H_
