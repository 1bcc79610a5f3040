// SPDX-License-Identifier: Apache-2.0
// Simulates how often 95 % intervals hold the truth. Each run is repeatable.
#ifndef HILUM_TESTS_COMMON_METRICS_COVERAGE_H_
#define HILUM_TESTS_COMMON_METRICS_COVERAGE_H_

#include <cstdint>

namespace hilum {

// Independent cases whose scores are normal with equal variances in both
// classes, as far apart as makes this the true AUC.
struct IidSetting {
  double auc;
  int positives;
  int negatives;
  int draws;
};

// Shares of the draws.
struct IidCoverage {
  double pooled;             // BinnedAuc::interval95
  double fold_mean;          // FoldMeanAuc::interval95 over five folds
  double average_precision;  // AveragePrecision::interval95
  double at_boundary;        // AUC of exactly 1 or 0: Newcombe's interval
  // Share of pooled where an absent interval, without Newcombe's, is a miss.
  double without_newcombe;
};

IidCoverage SimulateIid(const IidSetting& setting);

// A cross-validated study: cases with normal features, some of whose means
// differ between two classes; in each fold the classifier of the nearest mean
// is trained on the other folds and scores the fold.
struct CrossValidationSetting {
  int cases;  // half of each class
  int features;
  double distance;  // between the classes' means, in standard deviations
  int folds;
  int draws;
};

// The true AUC of a trained model is known exactly. The target is its mean:
// over the folds of this study (`models`: how good are these models), or also
// over all draws (`procedure`: how good is a model so trained).
struct CrossValidationCoverage {
  double true_auc;  // the latter target
  double pooled_of_models, pooled_of_procedure;
  double fold_mean_of_models, fold_mean_of_procedure;
  // Mean estimates, whose distance to true_auc is the bias.
  double mean_pooled, mean_fold_mean;
};

CrossValidationCoverage SimulateCrossValidation(
    const CrossValidationSetting& setting);

}  // namespace hilum

#endif  // HILUM_TESTS_COMMON_METRICS_COVERAGE_H_
