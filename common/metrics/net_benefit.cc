// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/net_benefit.h"

#include <algorithm>
#include <cmath>

#include "common/metrics/operating_point.h"

namespace hilum {
namespace {

// Returns the bin whose lower edge is nearest to a probability in (0, 1).
size_t NearestEdge(double probability, size_t bins) {
  const double log_odds = std::log(probability / (1 - probability));
  const double lowest = BinEdge(0, bins);
  const double width = BinEdge(1, bins) - lowest;
  return static_cast<size_t>(std::lround((log_odds - lowest) / width));
}

NetBenefit PointAt(const BinnedScores& scores, size_t bin) {
  const OperatingCounts counts = CountAt(scores, bin);
  const double all_positives = static_cast<double>(counts.true_positives) +
                               static_cast<double>(counts.false_negatives);
  const double n = all_positives + static_cast<double>(counts.true_negatives) +
                   static_cast<double>(counts.false_positives);
  const double a = static_cast<double>(counts.true_positives) / n;
  const double f = static_cast<double>(counts.false_positives) / n;
  const double odds = std::exp(BinEdge(bin, scores.bins()));
  const double prevalence = all_positives / n;
  const double model = a - odds * f;
  const double variance =
      std::max(0.0, a + odds * odds * f - model * model) / n;
  const double half = kZ95 * std::sqrt(variance);
  return {.threshold = Logistic(BinEdge(bin, scores.bins())),
          .model = model,
          .interval95 = {model - half, model + half},
          .treat_all = prevalence - (1 - prevalence) * odds};
}

}  // namespace

std::vector<NetBenefit> DecisionCurve(const BinnedScores& scores) {
  std::vector<NetBenefit> curve;
  if (TotalCount(scores.positives) == 0 || TotalCount(scores.negatives) == 0) {
    return curve;
  }
  size_t last = 0;  // never nearest: its probability is 10^-7
  for (int percent = 1; percent <= 99; ++percent) {
    const size_t bin = NearestEdge(percent / 100.0, scores.bins());
    if (bin == last) continue;
    curve.push_back(PointAt(scores, bin));
    last = bin;
  }
  return curve;
}

}  // namespace hilum
