// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/brier.h"

#include <algorithm>
#include <cmath>

namespace hilum {

std::optional<BrierScore> ComputeBrier(const BinnedScores& scores) {
  const size_t bins = scores.bins();
  const uint64_t positives = TotalCount(scores.positives);
  const uint64_t cases = positives + TotalCount(scores.negatives);
  if (cases == 0) return std::nullopt;
  double sum = 0, squares = 0, error = 0;
  const auto add = [&](uint64_t count, double off, double lowest,
                       double highest) {
    const double n = static_cast<double>(count);
    const double at = off * off;
    sum += n * at;
    squares += n * at * at;
    error += n * std::max(at - lowest * lowest, highest * highest - at);
  };
  for (size_t b = 0; b < bins; ++b) {
    if (scores.positives[b] + scores.negatives[b] == 0) continue;
    // The bins at the ends hold all scores beyond them.
    const double low = b == 0 ? 0 : Logistic(BinEdge(b, bins));
    const double high = b + 1 == bins ? 1 : Logistic(BinEdge(b + 1, bins));
    const double p = Logistic(BinCentre(b, bins));
    add(scores.negatives[b], p, low, high);
    add(scores.positives[b], 1 - p, 1 - high, 1 - low);
  }
  const double n = static_cast<double>(cases);
  const double prevalence = static_cast<double>(positives) / n;
  BrierScore brier{.value = sum / n,
                   .error_bound = error / n,
                   .reference = prevalence * (1 - prevalence),
                   .interval95 = std::nullopt,
                   .num_cases = cases};
  if (cases < 2) return brier;
  const double variance = std::max(0.0, squares - sum * brier.value) / (n - 1);
  const double half = kZ95 * std::sqrt(variance / n);
  brier.interval95 = {std::max(0.0, brier.value - half),
                      std::min(1.0, brier.value + half)};
  return brier;
}

}  // namespace hilum
