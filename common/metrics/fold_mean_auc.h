// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_METRICS_FOLD_MEAN_AUC_H_
#define HILUM_COMMON_METRICS_FOLD_MEAN_AUC_H_

#include <optional>

#include "absl/types/span.h"
#include "common/metrics/binned_roc.h"
#include "common/metrics/interval.h"

namespace hilum {

// The mean of the AUCs of F folds. Each AUC compares the scores of one model
// with each other, so it does not matter whether the folds' models score on one
// scale (LeDell, Petersen, van der Laan 2015).
struct FoldMeanAuc {
  double auc;  // sum_f auc_f / F
  int folds;   // F
  // sum_f variance_f / F^2, with DeLong's variance of each fold, as if the
  // folds were independent. A fold in perfect order has a variance of 0. Absent
  // where a fold has none: fewer than two positives or negatives.
  std::optional<double> variance;
  // Made as BinnedAuc::interval95.
  std::optional<Interval> interval95;
};

// Returns nothing without folds.
std::optional<FoldMeanAuc> MeanOverFolds(absl::Span<const BinnedAuc> folds);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_FOLD_MEAN_AUC_H_
