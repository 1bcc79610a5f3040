// SPDX-License-Identifier: Apache-2.0
// ROC analysis from binned scores: p_b positives and n_b negatives in bin b,
// low scores first, P and N their sums. Within a bin the order is unknown.
#ifndef HILUM_COMMON_METRICS_BINNED_ROC_H_
#define HILUM_COMMON_METRICS_BINNED_ROC_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"

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
  // 95 % interval of DeLong, DeLong, Clarke-Pearson 1988 (placements by the
  // ranks of Sun, Xu 2014), taken on the logit scale so that it stays within
  // [0, 1]. Absent where the variance cannot be estimated: P < 2 or N < 2,
  // or an AUC of exactly 0 or 1.
  struct Interval {
    double low;
    double high;
  };
  std::optional<Interval> interval95;
  uint64_t num_positives;
  uint64_t num_negatives;
};

// Returns nothing where P or N is 0: then there is no ROC curve. Both spans
// have one length.
std::optional<BinnedAuc> ComputeBinnedAuc(absl::Span<const uint64_t> positives,
                                          absl::Span<const uint64_t> negatives);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_BINNED_ROC_H_
