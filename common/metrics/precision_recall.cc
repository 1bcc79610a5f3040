// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/precision_recall.h"

#include "common/metrics/auc_interval.h"

namespace hilum {

std::optional<AveragePrecision> ComputeAveragePrecision(
    const BinnedScores& scores) {
  AveragePrecision result{.num_positives = TotalCount(scores.positives),
                          .num_negatives = TotalCount(scores.negatives)};
  if (result.num_positives == 0 || result.num_negatives == 0) {
    return std::nullopt;
  }
  const double all = static_cast<double>(result.num_positives);
  double positives = 0, negatives = 0;  // above the bin
  for (size_t b = scores.bins(); b-- > 0;) {
    const double p = static_cast<double>(scores.positives[b]);
    const double n = static_cast<double>(scores.negatives[b]);
    if (p > 0) {
      const double through = positives + p;
      result.value += p * through / (through + negatives + n);
      result.highest += p * through / (through + negatives);
      for (double i = positives + 1; i <= through; ++i) {
        result.lowest += i / (i + negatives + n);
      }
    }
    positives += p;
    negatives += n;
  }
  result.value /= all;
  result.lowest /= all;
  result.highest /= all;
  result.prevalence = positives / (positives + negatives);
  if (result.value < 1) {
    result.interval95 =
        LogitInterval(result.value, result.value * (1 - result.value) / all);
  }
  return result;
}

}  // namespace hilum
