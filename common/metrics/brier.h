// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_METRICS_BRIER_H_
#define HILUM_COMMON_METRICS_BRIER_H_

#include <cstdint>
#include <optional>

#include "common/metrics/interval.h"
#include "common/metrics/score_bins.h"

namespace hilum {

// The Brier score of one class against the rest (Brier 1950): the mean of
// (p - y)^2 over cases, y = 1 for a positive and 0 for a negative. Binned: p is
// the probability in the middle of the case's bin.
struct BrierScore {
  double value;
  // The most that binning can have moved it: each p is between the edges of its
  // bin.
  double error_bound;
  // The score of the prevalence r as everybody's probability: r (1 - r).
  double reference;
  // Normal over cases: value +- z s / sqrt(n) (Bradley, Schwartz, Hashino
  // 2008), clipped to [0, 1]. Absent with fewer than two cases.
  std::optional<Interval> interval95;
  uint64_t num_cases;
};

// Returns nothing without cases.
std::optional<BrierScore> ComputeBrier(const BinnedScores& scores);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_BRIER_H_
