// SPDX-License-Identifier: Apache-2.0
// What a census says of a study's tracks.
#ifndef HILUM_COMMON_CONFIG_CENSUS_H_
#define HILUM_COMMON_CONFIG_CENSUS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "common/config/study.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// Of one site, in one arm.
inline constexpr uint64_t kMaxArmCases = 1 << 21;
// Of one site: rows, rejected rows, cases without mask, rejected masks of a
// class.
inline constexpr uint64_t kMaxRows = 2 * kMaxArmCases;
// In CensusTotals.capped_patients a site counts for so many patients of a cell
// at most.
inline constexpr uint64_t kCellCap = 10;
// What rounding 32 shares of a case to whole numbers can add to their sum.
inline constexpr uint64_t kGrayRounding = 16;

// INVALID_ARGUMENT: a census of other arms, folds or classes than the study's,
// of more than kMaxArmCases in an arm or kMaxRows masks of a class, with
// patients as of CheckPatients or with a fingerprint as of CheckFingerprint.
absl::Status CheckCensusShape(const v1::Study& study,
                              const v1::SubmitCensusRequest& census);

// Checks an arm of one site or of a cohort, whose fold_class_patients are no
// more than its fold_class_counts are. INVALID_ARGUMENT: a cell with more
// patients than cases.
absl::Status CheckPatients(const v1::ArmCensus& arm);

// Checks what is told of a cohort in sum. INVALID_ARGUMENT: other arms, folds,
// classes or tracks than the study's, or counts that no cohort of kMaxSites
// has.
absl::Status CheckTotalsShape(const v1::Study& study,
                              const v1::CensusTotals& totals);

// Of an arm of one site or of a cohort, whose sides are n in sum.
// INVALID_ARGUMENT: no fingerprint of full shape, n over the arm's cases (it
// may be under: a site with few cases gives no fingerprint), more than n
// masked, a gray over 4096 n, all of them over (4096 + kGrayRounding) n, or
// lungs over 4096 a masked case. n <= kMaxArmCases a site, so that no sum
// wraps.
absl::Status CheckFingerprint(const v1::ArmCensus& arm);

// The cases that the arms of a census, of one site or in sum, have for training
// the track, [classes]: those of its arm that are not in the fold it holds out.
// `arms` are of the study's shape.
std::vector<uint64_t> TrainingCases(
    const v1::Study& study, const Track& track,
    const google::protobuf::RepeatedPtrField<v1::ArmCensus>& arms);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_CENSUS_H_
