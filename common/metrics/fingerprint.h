// SPDX-License-Identifier: Apache-2.0
// Reads a fingerprint (v1::Fingerprint) of prepared images: one site's, which
// the site keeps for itself too, or a cohort's.
#ifndef HILUM_COMMON_METRICS_FINGERPRINT_H_
#define HILUM_COMMON_METRICS_FINGERPRINT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "hilum/v1/federation.pb.h"

namespace hilum {

inline constexpr int kFingerprintGrays = 32;  // bins from black to white
inline constexpr int kFingerprintSides = 6;   // bins of the longer side
// Upper ends of all bins of the longer side but the last, in pixels.
inline constexpr uint32_t kFingerprintSideEnds[kFingerprintSides - 1] = {
    256, 512, 1024, 2048, 4096};
// One whole case: the sum of its grays, and its lung share if it were all
// lungs.
inline constexpr uint64_t kFingerprintShare = 4096;

// Fewest cases of an arm with a fingerprint: a fingerprint of fewer would
// nearly be that of one image.
inline constexpr uint64_t kFingerprintCases = 10;

// The quantiles in reports, in order.
inline constexpr double kGrayQuantiles[] = {0.05, 0.25, 0.5, 0.75, 0.95};

// Returns a fingerprint without cases: full shape, all zero.
v1::Fingerprint EmptyFingerprint();

// Returns the number of cases in a fingerprint; 0 where there is none, as in a
// study from before protocol 5.
uint64_t FingerprintCases(const v1::Fingerprint& fingerprint);

// Adds `fingerprint` to `sum`, which has full shape. A fingerprint without
// grays or sides adds none.
void AddFingerprint(const v1::Fingerprint& fingerprint, v1::Fingerprint& sum);

// Subtracts `part`, one of the summed fingerprints, from `sum`. No number goes
// below 0.
void SubtractFingerprint(const v1::Fingerprint& part, v1::Fingerprint& sum);

// Returns the gray, from 0 (black) to 1 (white), below which a share `p` in [0,
// 1] of all pixels lies, each case with equal weight; linear within a bin.
// Absent where there are no cases.
std::optional<double> GrayQuantile(const v1::Fingerprint& fingerprint,
                                   double p);

// Returns the mean, over the cases with a lung mask, of the lungs' share of the
// image, from 0 to 1. Absent where there are none.
std::optional<double> MeanLungShare(const v1::Fingerprint& fingerprint);

// Returns {"gray_quantiles": {"0.05": g, ...}, "masked": cases with a lung
// mask, "mean_lung_share": s, "n": cases, "sides": [kFingerprintSides] cases},
// one JSON object, keys sorted; null where there are no cases.
std::string FingerprintJson(const v1::Fingerprint& fingerprint);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_FINGERPRINT_H_
