// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_METRICS_PRECISION_RECALL_H_
#define HILUM_COMMON_METRICS_PRECISION_RECALL_H_

#include <cstdint>
#include <optional>

#include "common/metrics/interval.h"
#include "common/metrics/score_bins.h"

namespace hilum {

// Average precision: the area under the precision-recall curve in steps,
//   sum_b (p_b / P) * precision(b),
// where precision(b) is the share of positives among the cases from bin b on.
// No line is drawn between points of that curve, which would be too optimistic
// (Davis, Goadrich 2006).
struct AveragePrecision {
  double value;
  // The average precision of the unbinned scores, whatever their order and ties
  // within the bins are, lies in [lowest, highest]. With P' positives and N'
  // negatives above bin b, the i-th of its p positives has a precision of at
  // least (P' + i) / (P' + i + N' + n) and at most (P' + p) / (P' + p + N').
  double lowest;
  double highest;
  // P / (P + N): what scores that say nothing have in the long run.
  double prevalence;
  uint64_t num_positives;
  uint64_t num_negatives;
  // On the logit scale with a standard error of 1 / sqrt(P value (1 - value))
  // (Boyd, Eng, Page 2013). Absent for a value of 1.
  std::optional<Interval> interval95;
};

// Returns nothing where P or N is 0. Takes O(bins + P).
std::optional<AveragePrecision> ComputeAveragePrecision(
    const BinnedScores& scores);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_PRECISION_RECALL_H_
