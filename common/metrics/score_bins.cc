// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/score_bins.h"

#include <cmath>
#include <numeric>

namespace hilum {
namespace {

constexpr double kHighest = 16;  // log-odds

double At(double bin, size_t bins) {
  return kHighest * (2 * bin / static_cast<double>(bins) - 1);
}

}  // namespace

uint64_t TotalCount(absl::Span<const uint64_t> counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

double BinEdge(size_t bin, size_t bins) {
  return At(static_cast<double>(bin), bins);
}

double BinCentre(size_t bin, size_t bins) {
  return At(static_cast<double>(bin) + 0.5, bins);
}

double Logistic(double log_odds) { return 1 / (1 + std::exp(-log_odds)); }

std::vector<size_t> CoarseThresholds(const BinnedScores& scores,
                                     uint64_t least_cases) {
  std::vector<size_t> thresholds;
  uint64_t cases = 0;
  for (size_t b = scores.bins(); b-- > 0;) {
    cases += scores.positives[b] + scores.negatives[b];
    if (cases < least_cases) continue;
    thresholds.push_back(b);
    cases = 0;
  }
  // The rest, which may be none, joins the last group.
  if (!thresholds.empty()) thresholds.back() = 0;
  return thresholds;
}

}  // namespace hilum
