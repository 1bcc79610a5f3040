// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_METRICS_YOUDEN_OVER_FOLDS_H_
#define HILUM_COMMON_METRICS_YOUDEN_OVER_FOLDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "common/metrics/operating_point.h"
#include "common/metrics/score_bins.h"

namespace hilum {

// Sensitivity and specificity at Youden's threshold, where no case takes part
// in the choice of the threshold that it is judged by.
struct YoudenOverFolds {
  // [folds]: the bin that the scores of the other folds chose for this fold
  // (YoudenThreshold). Nothing where they have too few cases; then the fold's
  // cases are not in `counts`.
  std::vector<std::optional<size_t>> thresholds;
  OperatingCounts counts;  // sum over the folds, each at its threshold
};

// `folds` have equal bins; a fold without cases is passed over. The other folds
// must have at least `least_cases` positives and as many negatives together.
// Nothing where no fold has a threshold and cases.
std::optional<YoudenOverFolds> ComputeYoudenOverFolds(
    absl::Span<const BinnedScores> folds, uint64_t least_cases);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_YOUDEN_OVER_FOLDS_H_
