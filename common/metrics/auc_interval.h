// SPDX-License-Identifier: Apache-2.0
// Intervals of an AUC, and of a mean of AUCs over independent groups of cases.
#ifndef HILUM_COMMON_METRICS_AUC_INTERVAL_H_
#define HILUM_COMMON_METRICS_AUC_INTERVAL_H_

#include <cstdint>

#include "absl/types/span.h"
#include "common/metrics/interval.h"

namespace hilum {

// P positives and N negatives, whose scores are compared with each other only.
struct AucCounts {
  uint64_t positives;
  uint64_t negatives;
};

// Returns the interval of a value in (0, 1) with this variance, symmetric on
// the logit scale, so that it stays within (0, 1).
Interval LogitInterval(double value, double variance);

// Returns Newcombe's interval (Newcombe 2006, Statistics in Medicine
// 25:559-573, method 5): all theta with |auc - theta| <= z sqrt(V(theta)),
// where
//   V(theta) = theta (1 - theta) / (P N) *
//     (1 + (N* - 1) ((1 - theta) / (2 - theta) + theta / (1 + theta))),
//   N* = (P + N) / 2.
// It needs no variance of the scores, so it exists where DeLong's variance is
// 0: at an AUC of exactly 0 or 1, and where all scores are equal. `groups` has
// one entry for an AUC; for a mean over F groups, V is sum_f V_f / F^2. No
// group is without positives or negatives.
Interval NewcombeAucInterval(double auc, absl::Span<const AucCounts> groups);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_AUC_INTERVAL_H_
