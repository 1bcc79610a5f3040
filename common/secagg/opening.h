// SPDX-License-Identifier: Apache-2.0
// One opened sum. From the coordinator's published SumOpening anybody can take
// the masks off the sum of the masked vectors, and verify that t sites
// confirmed this list of signed vectors. Nothing in an opening is secret any
// more: the coordinator needed all of it to compute the sum. Source: the
// unmasking of Bonawitz et al. 2017 (ePrint 2017/281), figure 4, step 4, made
// checkable by the sites' signatures (docs/secure-aggregation.md).
#ifndef HILUM_COMMON_SECAGG_OPENING_H_
#define HILUM_COMMON_SECAGG_OPENING_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/secagg/context.h"
#include "common/secagg/credentials.h"
#include "common/secagg/mask.h"
#include "hilum/v1/opening.pb.h"

namespace hilum {

// Returns the survivors and their signed vectors. INVALID_ARGUMENT: lists that
// are not sorted.
absl::StatusOr<std::map<SiteId, SurvivorClaim>> ClaimsOf(
    const v1::SumOpening& opening);

// Returns the statement that the sum's survivors confirmed
// (SurvivorsStatement). INVALID_ARGUMENT: see ClaimsOf.
absl::StatusOr<std::string> StatementOf(const SecAggContext& context,
                                        const v1::SumOpening& opening);

// Checks an opening of the sum with this context: keys signed by sites of the
// cohort that answered context.question; t survivors or more, each with a
// signature over its vector; t confirmations or more of that list, by
// survivors; own masks that fit their commitments and mask keys that fit the
// roster; each site that shared is a survivor or lost, never both.
// PERMISSION_DENIED names the failed check. INVALID_ARGUMENT: see ClaimsOf.
absl::Status CheckOpening(const SecAggContext& context,
                          const PeerVerifier& verifier,
                          const v1::SumOpening& opening);

// Returns the masks that, applied to the sum of the survivors' masked vectors,
// leave the sum of their vectors. INVALID_ARGUMENT: invalid keys.
absl::StatusOr<std::vector<MaskStream>> LeftoverMasks(
    const SecAggContext& context, const v1::SumOpening& opening);

}  // namespace hilum

#endif  // HILUM_COMMON_SECAGG_OPENING_H_
