// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_CASE_FINGERPRINT_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_CASE_FINGERPRINT_H_

#include <optional>

#include "absl/types/span.h"
#include "hilum/v1/federation.pb.h"
#include "site_agent/imaging/prepare.h"
#include "site_agent/trainer/data/load_case.h"

namespace hilum {

// Adds one case to a fingerprint of full shape. `lungs`: where pixels count;
// empty: where the plane is not black; null: all pixels count.
void AddToFingerprint(const Plane& plane, const Plane* lungs,
                      const ImageFacts& facts, v1::Fingerprint& print);

// Returns how far a fingerprint's grays are from the given ones at
// kGrayQuantiles: the mean difference, 0 to 1, which is near the Wasserstein
// distance of the two distributions of grays. nullopt: another number of
// quantiles, or a fingerprint without cases.
std::optional<double> GrayDistance(const v1::Fingerprint& print,
                                   absl::Span<const double> quantiles);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_CASE_FINGERPRINT_H_
