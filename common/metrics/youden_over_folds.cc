// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/youden_over_folds.h"

#include <algorithm>

namespace hilum {
namespace {

std::vector<uint64_t> SumOf(absl::Span<const BinnedScores> folds,
                            absl::Span<const uint64_t> BinnedScores::*counts) {
  std::vector<uint64_t> sum(folds[0].bins());
  for (const BinnedScores& fold : folds) {
    for (size_t b = 0; b < sum.size(); ++b) sum[b] += (fold.*counts)[b];
  }
  return sum;
}

void Subtract(absl::Span<const uint64_t> counts, std::vector<uint64_t>& from) {
  for (size_t b = 0; b < from.size(); ++b) from[b] -= counts[b];
}

}  // namespace

std::optional<YoudenOverFolds> ComputeYoudenOverFolds(
    absl::Span<const BinnedScores> folds, uint64_t least_cases) {
  if (folds.empty()) return std::nullopt;
  const std::vector<uint64_t> positives =
      SumOf(folds, &BinnedScores::positives);
  const std::vector<uint64_t> negatives =
      SumOf(folds, &BinnedScores::negatives);
  YoudenOverFolds result;
  bool any = false;
  for (const BinnedScores& fold : folds) {
    result.thresholds.emplace_back();
    if (TotalCount(fold.positives) + TotalCount(fold.negatives) == 0) continue;
    std::vector<uint64_t> p = positives, n = negatives;
    Subtract(fold.positives, p);
    Subtract(fold.negatives, n);
    if (std::min(TotalCount(p), TotalCount(n)) < least_cases) continue;
    result.thresholds.back() = YoudenThreshold({p, n});
    if (!result.thresholds.back()) continue;
    result.counts.Add(CountAt(fold, *result.thresholds.back()));
    any = true;
  }
  return any ? std::optional(result) : std::nullopt;
}

}  // namespace hilum
