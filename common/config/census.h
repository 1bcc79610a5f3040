// SPDX-License-Identifier: Apache-2.0
// Shape and plausibility of a census, and the cases it has for each track.
#ifndef HILUM_COMMON_CONFIG_CENSUS_H_
#define HILUM_COMMON_CONFIG_CENSUS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "common/config/study.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// Most cases of one site in one arm.
inline constexpr uint64_t kMaxArmCases = 1 << 21;
// Most rows, rejected rows, cases without a mask, or rejected masks of a class,
// of one site.
inline constexpr uint64_t kMaxRows = 2 * kMaxArmCases;
// CensusTotals.capped_patients counts at most so many patients of one site in a
// cell, capped_validation_patients in a fold.
inline constexpr uint64_t kCellCap = 10;
// A site with fewer patients whose images are in a list counts none of them,
// and leaves none out. The list may be made to ask whether one patient is there
// (docs/patients.md).
inline constexpr uint64_t kSeenPatients = 10;
// Largest rounding error of a sum of 32 shares of a case in whole numbers.
inline constexpr uint64_t kGrayRounding = 16;

// Checks a census. INVALID_ARGUMENT: other arms, folds or classes than the
// study's; more than kMaxArmCases cases in an arm, validation patients in a
// fold or kMaxRows masks of a class; patients that fail CheckPatients; a
// fingerprint that fails CheckFingerprint.
absl::Status CheckCensusShape(const v1::Study& study,
                              const v1::SubmitCensusRequest& census);

// Checks an arm of one site or of a cohort, whose fold_class_patients must not
// exceed its fold_class_counts. INVALID_ARGUMENT: a cell has more patients than
// cases.
absl::Status CheckPatients(const v1::ArmCensus& arm);

// Checks an arm of one site or of a cohort. INVALID_ARGUMENT: fold_class_seen
// or fold_class_unseen_patients have another length than the study says ([folds
// * classes] where its starting weights list images, else none); more seen
// cases than cases of a cell, or more unseen patients than patients.
absl::Status CheckSeen(const v1::Study& study, const v1::ArmCensus& arm);

// Checks the totals of a cohort. INVALID_ARGUMENT: other arms, folds, classes
// or tracks than the study's, or counts that no cohort of kMaxSites has.
absl::Status CheckTotalsShape(const v1::Study& study,
                              const v1::CensusTotals& totals);

// Checks the fingerprint of an arm of one site or of a cohort; n is the sum of
// its sides. INVALID_ARGUMENT: the fingerprint lacks its full shape; n is over
// the arm's cases (it may be under: a site with few cases gives no
// fingerprint); more than n are masked; a gray is over 4096 n, or all of them
// over (4096 + kGrayRounding) n; lungs are over 4096 a masked case. n <=
// kMaxArmCases a site, so that no sum wraps.
absl::Status CheckFingerprint(const v1::ArmCensus& arm);

// Returns the training cases for the track, [classes], from the arms of a
// census (one site's or the sum): the cases of the track's arm outside the fold
// it holds out. `arms` have the study's shape.
std::vector<uint64_t> TrainingCases(
    const v1::Study& study, const Track& track,
    const google::protobuf::RepeatedPtrField<v1::ArmCensus>& arms);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_CENSUS_H_
