// SPDX-License-Identifier: Apache-2.0
// Sensitivity and specificity at a threshold.
#ifndef HILUM_COMMON_METRICS_OPERATING_POINT_H_
#define HILUM_COMMON_METRICS_OPERATING_POINT_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/metrics/interval.h"
#include "common/metrics/score_bins.h"

namespace hilum {

// Cases from the threshold on count as positive. Counts of several folds, each
// at a threshold of its own, add up.
struct OperatingCounts {
  uint64_t true_positives = 0;
  uint64_t false_negatives = 0;
  uint64_t true_negatives = 0;
  uint64_t false_positives = 0;

  void Add(const OperatingCounts& other);
  // Absent without positives, or without negatives.
  std::optional<double> Sensitivity() const;
  std::optional<double> Specificity() const;
  // Wilson's. They take the threshold as given; a threshold chosen on the same
  // cases makes them too narrow.
  std::optional<Interval> SensitivityInterval95() const;
  std::optional<Interval> SpecificityInterval95() const;
  // Youden's index (Youden 1950): sensitivity + specificity - 1, with its
  // interval by square-and-add (proportion.h).
  std::optional<double> Youden() const;
  std::optional<Interval> YoudenInterval95() const;
};

// Returns the counts where the cases of bin `threshold` and above are positive.
// `threshold` may be `bins`: none is.
OperatingCounts CountAt(const BinnedScores& scores, size_t threshold);

// Returns the threshold of the highest sensitivity among those with at least
// this specificity; of several, the one of the highest specificity. Nothing is
// interpolated: the point is one that the scores have. Nothing where P or N is
// 0.
std::optional<size_t> ThresholdAtSpecificity(const BinnedScores& scores,
                                             double least_specificity);

// Returns the threshold of the highest specificity among those with at least
// this sensitivity; of several, the one of the highest sensitivity.
std::optional<size_t> ThresholdAtSensitivity(const BinnedScores& scores,
                                             double least_sensitivity);

// Returns the threshold of the highest Youden index; of several, the highest
// one. Where bins just below it are empty, it is in their middle, as far from
// the positives as from the negatives. Nothing where P or N is 0.
std::optional<size_t> YoudenThreshold(const BinnedScores& scores);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_OPERATING_POINT_H_
