// SPDX-License-Identifier: Apache-2.0
// What a fingerprint (v1::Fingerprint) says of how prepared images look: of one
// site's cases, which the site keeps for itself too, or of a cohort's.
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
// All of one case: a case's grays come to it, and a case that were all lungs
// would have it as its share.
inline constexpr uint64_t kFingerprintShare = 4096;

// A site gives no fingerprint of an arm with fewer cases than this: it would be
// nearly that of one image.
inline constexpr uint64_t kFingerprintCases = 10;

// Those that reports say, in order.
inline constexpr double kGrayQuantiles[] = {0.05, 0.25, 0.5, 0.75, 0.95};

// Of no cases: full shape, all zero.
v1::Fingerprint EmptyFingerprint();

// Cases that a fingerprint is of; 0 where there is none, as in a study of
// before protocol 5.
uint64_t FingerprintCases(const v1::Fingerprint& fingerprint);

// sum += fingerprint. One without grays or sides adds none; `sum` is of full
// shape.
void AddFingerprint(const v1::Fingerprint& fingerprint, v1::Fingerprint& sum);

// sum -= part; where `part` is one of what was summed. No number goes below 0.
void SubtractFingerprint(const v1::Fingerprint& part, v1::Fingerprint& sum);

// The gray, from 0 (black) to 1 (white), below which a share `p` in [0, 1] of
// all pixels lies, each case with equal weight; linear within a bin. Absent
// where there are no cases.
std::optional<double> GrayQuantile(const v1::Fingerprint& fingerprint,
                                   double p);

// Mean over the cases with a lung mask of the lungs' share of the image, from 0
// to 1. Absent where there are none.
std::optional<double> MeanLungShare(const v1::Fingerprint& fingerprint);

// {"gray_quantiles": {"0.05": g, ...}, "masked": cases with a lung mask,
// "mean_lung_share": s, "n": cases, "sides": [kFingerprintSides] cases}, one
// JSON object, keys sorted; null where there are no cases.
std::string FingerprintJson(const v1::Fingerprint& fingerprint);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_FINGERPRINT_H_
