// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/fold_mean_auc.h"

#include <vector>

#include "common/metrics/auc_interval.h"

namespace hilum {

std::optional<FoldMeanAuc> MeanOverFolds(absl::Span<const BinnedAuc> folds) {
  if (folds.empty()) return std::nullopt;
  const double f = static_cast<double>(folds.size());
  double sum = 0, variance = 0;
  bool known = true;
  std::vector<AucCounts> counts;
  for (const BinnedAuc& fold : folds) {
    sum += fold.auc;
    variance += fold.variance.value_or(0);
    known = known && fold.variance.has_value();
    counts.push_back({fold.num_positives, fold.num_negatives});
  }
  FoldMeanAuc mean{.auc = sum / f,
                   .folds = static_cast<int>(folds.size()),
                   .variance = std::nullopt,
                   .interval95 = std::nullopt};
  if (!known) return mean;
  mean.variance = variance / (f * f);
  mean.interval95 = IsUsableVariance(*mean.variance)
                        ? LogitInterval(mean.auc, *mean.variance)
                        : NewcombeAucInterval(mean.auc, counts);
  return mean;
}

}  // namespace hilum
