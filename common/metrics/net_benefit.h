// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_METRICS_NET_BENEFIT_H_
#define HILUM_COMMON_METRICS_NET_BENEFIT_H_

#include <vector>

#include "common/metrics/interval.h"
#include "common/metrics/score_bins.h"

namespace hilum {

// A point of the decision curve (Vickers, Elkin 2006), of n cases: all with a
// probability of at least p are treated,
//   model = TP / n - FP / n * p / (1 - p).
// Treating nobody has 0.
struct NetBenefit {
  double threshold;  // p: the probability at a bin's edge
  double model;
  // Normal, with the variance of a multinomial count (Marsh, Janes, Pepe 2020):
  //   (a + w^2 f - (a - w f)^2) / n, a = TP / n, f = FP / n, w = p / (1 - p).
  Interval interval95;
  double treat_all;
};

// Returns one point for each bin edge that is nearest, in log-odds, to one of
// 0.01, 0.02, ..., 0.99, rising; with few bins there are fewer edges. Empty
// where P or N is 0.
std::vector<NetBenefit> DecisionCurve(const BinnedScores& scores);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_NET_BENEFIT_H_
