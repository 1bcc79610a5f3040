// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_METRICS_RELIABILITY_H_
#define HILUM_COMMON_METRICS_RELIABILITY_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "common/metrics/interval.h"
#include "common/metrics/score_bins.h"

namespace hilum {

// Cases of similar probability: a point of the reliability curve.
struct ReliabilityGroup {
  double predicted;     // mean probability, by the middles of the bins
  double observed;      // share of positives
  Interval interval95;  // Wilson's, of `observed`
  uint64_t num_cases;
};

// Returns groups of consecutive bins with about as many cases each, low
// probabilities first. Rule: at most `groups`, and at most one for every
// `least_cases` cases; a group ends at the first bin that brings the cases so
// far to the group's share of all. Bins are not split, so a bin with many cases
// makes a large group. A group of fewer than `least_cases` joins the next one,
// the last one the one before. Empty where there are fewer cases in all.
std::vector<ReliabilityGroup> ReliabilityGroups(const BinnedScores& scores,
                                                uint64_t groups,
                                                uint64_t least_cases);

// Returns the expected calibration error over such groups of equal mass
// (Nixon et al. 2019): sum_g n_g / n |predicted_g - observed_g|. It is above 0
// for perfect probabilities, too, the more so the fewer cases there are.
// Nothing without groups.
std::optional<double> ExpectedCalibrationError(
    absl::Span<const ReliabilityGroup> groups);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_RELIABILITY_H_
