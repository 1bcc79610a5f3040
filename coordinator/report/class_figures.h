// SPDX-License-Identifier: Apache-2.0
// Computes what a class's score histograms say beyond the pooled AUC, for both
// reports.
// docs/evaluation.md defines each figure.
#ifndef HILUM_COORDINATOR_REPORT_CLASS_FIGURES_H_
#define HILUM_COORDINATOR_REPORT_CLASS_FIGURES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/metrics/brier.h"
#include "common/metrics/calibration_line.h"
#include "common/metrics/fold_mean_auc.h"
#include "common/metrics/net_benefit.h"
#include "common/metrics/operating_point.h"
#include "common/metrics/precision_recall.h"
#include "common/metrics/reliability.h"
#include "common/metrics/youden_over_folds.h"
#include "coordinator/report/arm_metrics.h"

namespace hilum {

// Fewest positives, and negatives, behind a figure of ClassFigures, and fewest
// cases between two points of a curve that is shown.
inline constexpr uint64_t kLeastScored = 10;
// Most groups of a reliability curve.
inline constexpr uint64_t kReliabilityGroups = 10;

// Sensitivity and specificity where one of them is at least `least`.
struct FixedPoint {
  bool specificity_fixed;
  double least;
  size_t threshold;  // bin
  OperatingCounts counts;

  std::string Name() const;  // e.g. "specificity_0.9"
};

// A point of the ROC and of the precision-recall curve.
struct CurvePoint {
  size_t threshold;  // bin
  double sensitivity;
  double specificity;
  double precision;
};

// Figures of one class against the rest. Each is absent with fewer than
// kLeastScored positives or negatives, except fold_mean.
struct ClassFigures {
  // Behind the histograms: cases of folds whose scores are shown.
  uint64_t num_positives = 0;
  uint64_t num_negatives = 0;
  // Over the folds whose scores are shown and have both kinds.
  std::optional<FoldMeanAuc> fold_mean;
  std::optional<AveragePrecision> average_precision;
  // Where specificity, or sensitivity, is at least 0.9.
  std::optional<double> partial_specificity;
  std::optional<double> partial_sensitivity;
  std::vector<FixedPoint> fixed_points;
  std::optional<YoudenOverFolds> youden;  // [folds] thresholds
  std::optional<BrierScore> brier;
  CalibrationLine line;
  std::vector<ReliabilityGroup> reliability;
  std::vector<NetBenefit> decision;
  std::vector<CurvePoint> curve;  // of CoarseThresholds
};

// `folds`: what `scores` are the sum of; empty: that is not known, and there
// are neither fold_mean nor youden.
ClassFigures ComputeClassFigures(const PooledScores& scores,
                                 absl::Span<const PooledScores> folds,
                                 int label);

// Returns the mean over the classes that have a mean over folds; nothing where
// none has.
std::optional<double> MacroFoldMean(const std::vector<ClassFigures>& classes);

// Returns the figures of all classes.
std::vector<ClassFigures> ComputeAllFigures(
    const PooledScores& scores, absl::Span<const PooledScores> folds);

// Returns whether the mean over folds is the study's primary AUC.
bool IsFoldMeanPrimary(const v1::Study& study);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_CLASS_FIGURES_H_
