// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/partial_auc.h"

#include <algorithm>
#include <vector>

#include "common/metrics/binned_roc.h"

namespace hilum {
namespace {

// Returns the area below a rising curve from (0, 0) on, up to x = end.
double AreaUpTo(const std::vector<RocPoint>& curve, double end) {
  double area = 0;
  for (size_t i = 1; i < curve.size(); ++i) {
    const RocPoint& a = curve[i - 1];
    const RocPoint& b = curve[i];
    const double width = b.false_positive_rate - a.false_positive_rate;
    const double taken = std::min(width, end - a.false_positive_rate);
    if (taken <= 0) continue;
    const double rise = b.true_positive_rate - a.true_positive_rate;
    area += taken * (a.true_positive_rate + rise * taken / width / 2);
  }
  return area;
}

std::optional<double> Standardised(const std::vector<RocPoint>& curve,
                                   double least) {
  if (curve.empty()) return std::nullopt;
  const double end = 1 - least;
  const double chance = end * end / 2;
  return (1 + (AreaUpTo(curve, end) - chance) / (end - chance)) / 2;
}

}  // namespace

std::optional<double> PartialAucAtSpecificity(const BinnedScores& scores,
                                              double least_specificity) {
  return Standardised(BinnedRocCurve(scores.positives, scores.negatives),
                      least_specificity);
}

std::optional<double> PartialAucAtSensitivity(const BinnedScores& scores,
                                              double least_sensitivity) {
  // Seen from the other end, the negatives are what is found.
  std::vector<RocPoint> curve =
      BinnedRocCurve(scores.positives, scores.negatives);
  std::reverse(curve.begin(), curve.end());
  for (RocPoint& point : curve) {
    point = {1 - point.true_positive_rate, 1 - point.false_positive_rate};
  }
  return Standardised(curve, least_sensitivity);
}

}  // namespace hilum
