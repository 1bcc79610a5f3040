// SPDX-License-Identifier: Apache-2.0
// One sum, opened: with what the coordinator publishes of it (SumOpening)
// anybody takes the masks off the sum of the masked vectors, and sees that t
// sites confirmed this very list of signed vectors. Nothing in an opening is
// secret any more: the coordinator had to learn all of it to read the sum.
// Source: the unmasking of Bonawitz et al. 2017 (ePrint 2017/281), figure 4,
// step 4, made checkable by the sites' signatures (docs/secure-aggregation.md).
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

// Returns the survivors and what each of them signed. INVALID_ARGUMENT: lists
// that are not sorted.
absl::StatusOr<std::map<SiteId, SurvivorClaim>> ClaimsOf(
    const v1::SumOpening& opening);

// Returns what the survivors of the sum have confirmed (SurvivorsStatement).
// INVALID_ARGUMENT: as ClaimsOf.
absl::StatusOr<std::string> StatementOf(const SecAggContext& context,
                                        const v1::SumOpening& opening);

// Checks an opening of the sum that `context` is of: keys signed by sites of
// the cohort that were asked context.question; t survivors or more, each with a
// signature over its vector; t confirmations or more of that list, by
// survivors; own masks that fit their commitments and mask keys that fit the
// roster; each site that shared is a survivor or lost, never both.
// PERMISSION_DENIED names what does not hold. INVALID_ARGUMENT: as ClaimsOf.
absl::Status CheckOpening(const SecAggContext& context,
                          const PeerVerifier& verifier,
                          const v1::SumOpening& opening);

// Returns the masks that, applied to the sum of the survivors' masked vectors,
// leave the sum of their vectors. INVALID_ARGUMENT: keys that are none.
absl::StatusOr<std::vector<MaskStream>> LeftoverMasks(
    const SecAggContext& context, const v1::SumOpening& opening);

}  // namespace hilum

#endif  // HILUM_COMMON_SECAGG_OPENING_H_
