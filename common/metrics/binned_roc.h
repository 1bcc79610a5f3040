// SPDX-License-Identifier: Apache-2.0
// ROC analysis from binned scores: p_b positives and n_b negatives in bin b,
// low scores first, P and N their sums. Within a bin the order is unknown.
#ifndef HILUM_COMMON_METRICS_BINNED_ROC_H_
#define HILUM_COMMON_METRICS_BINNED_ROC_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "common/metrics/interval.h"

namespace hilum {

// One threshold: all scores from a bin on count as positive.
struct RocPoint {
  double false_positive_rate;
  double true_positive_rate;
};

// Returns the curve from (0, 0) to (1, 1), one point for each occupied bin.
// Empty if P or N is 0.
std::vector<RocPoint> BinnedRocCurve(absl::Span<const uint64_t> positives,
                                     absl::Span<const uint64_t> negatives);

struct BinnedAuc {
  // Trapezoidal: sum_b p_b (sum_{a<b} n_a + n_b / 2) / (P N).
  double auc;
  // Bound on the distance to the AUC of the unbinned scores: sum_b p_b n_b / (2
  // P N).
  double error_bound;
  // DeLong, DeLong, Clarke-Pearson 1988 (placements by the ranks of Sun, Xu
  // 2014). Absent where it cannot be estimated: P < 2 or N < 2.
  std::optional<double> variance;
  // On the logit scale with this variance. Where the variance is 0, as at an
  // AUC of exactly 0 or 1 and where all scores are equal, Newcombe's instead
  // (auc_interval.h). Absent with the variance.
  std::optional<Interval> interval95;
  uint64_t num_positives;
  uint64_t num_negatives;

  // Returns whether interval95 is Newcombe's.
  bool HasNewcombeInterval() const;
};

// Returns whether DeLong's variance says something: scores that are all equal,
// or in perfect order, have one of 0.
bool IsUsableVariance(double variance);

// Returns nothing where P or N is 0: then there is no ROC curve. Both spans
// have one length.
std::optional<BinnedAuc> ComputeBinnedAuc(absl::Span<const uint64_t> positives,
                                          absl::Span<const uint64_t> negatives);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_BINNED_ROC_H_
