// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/auc_interval.h"

#include <cmath>

#include "common/metrics/score_bins.h"

namespace hilum {
namespace {

double NewcombeVariance(double theta, const AucCounts& counts) {
  const double p = static_cast<double>(counts.positives);
  const double n = static_cast<double>(counts.negatives);
  return theta * (1 - theta) / (p * n) *
         (1 + ((p + n) / 2 - 1) *
                  ((1 - theta) / (2 - theta) + theta / (1 + theta)));
}

// Returns the theta furthest from `auc`, on its way to `end`, that the interval
// still holds. |auc - theta| / sqrt(V(theta)) grows on that way.
double Limit(double auc, double end, absl::Span<const AucCounts> groups) {
  double inside = auc, outside = end;
  for (int step = 0; step < 60; ++step) {
    const double theta = (inside + outside) / 2;
    double variance = 0;
    for (const AucCounts& group : groups) {
      variance += NewcombeVariance(theta, group);
    }
    const double f = static_cast<double>(groups.size());
    const bool holds = std::abs(auc - theta) <= kZ95 * std::sqrt(variance) / f;
    (holds ? inside : outside) = theta;
  }
  return inside;
}

}  // namespace

Interval LogitInterval(double value, double variance) {
  const double logit = std::log(value / (1 - value));
  const double half = kZ95 * std::sqrt(variance) / (value * (1 - value));
  return {Logistic(logit - half), Logistic(logit + half)};
}

Interval NewcombeAucInterval(double auc, absl::Span<const AucCounts> groups) {
  return {Limit(auc, 0, groups), Limit(auc, 1, groups)};
}

}  // namespace hilum
