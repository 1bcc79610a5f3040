// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/class_figures.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/metrics/partial_auc.h"

namespace hilum {
namespace {

constexpr double kHighRates[] = {0.9, 0.95};
constexpr double kPartialRange = 0.9;

std::optional<FoldMeanAuc> MeanOf(absl::Span<const PooledScores> folds,
                                  int label) {
  std::vector<BinnedAuc> aucs;
  for (const PooledScores& fold : folds) {
    if (const std::optional<BinnedAuc> auc = fold.Auc(label)) {
      aucs.push_back(*auc);
    }
  }
  return MeanOverFolds(aucs);
}

std::vector<FixedPoint> FixedPoints(const BinnedScores& scores) {
  std::vector<FixedPoint> points;
  for (const bool fix_specificity : {true, false}) {
    for (const double least : kHighRates) {
      const std::optional<size_t> threshold =
          fix_specificity ? ThresholdAtSpecificity(scores, least)
                          : ThresholdAtSensitivity(scores, least);
      if (!threshold) continue;
      points.push_back({.specificity_fixed = fix_specificity,
                        .least = least,
                        .threshold = *threshold,
                        .counts = CountAt(scores, *threshold)});
    }
  }
  return points;
}

std::vector<CurvePoint> Curve(const BinnedScores& scores) {
  std::vector<CurvePoint> curve;
  for (const size_t threshold : CoarseThresholds(scores, kLeastScored)) {
    const OperatingCounts counts = CountAt(scores, threshold);
    const double found = static_cast<double>(counts.true_positives);
    const double wrong = static_cast<double>(counts.false_positives);
    curve.push_back({.threshold = threshold,
                     .sensitivity = *counts.Sensitivity(),
                     .specificity = *counts.Specificity(),
                     .precision = found / (found + wrong)});
  }
  return curve;
}

std::optional<YoudenOverFolds> YoudenOf(absl::Span<const PooledScores> folds,
                                        int label) {
  std::vector<BinnedScores> scores;
  for (const PooledScores& fold : folds) scores.push_back(fold.Scores(label));
  return ComputeYoudenOverFolds(scores, kLeastScored);
}

}  // namespace

std::string FixedPoint::Name() const {
  return absl::StrCat(specificity_fixed ? "specificity_" : "sensitivity_",
                      least);
}

ClassFigures ComputeClassFigures(const PooledScores& scores,
                                 absl::Span<const PooledScores> folds,
                                 int label) {
  const BinnedScores binned = scores.Scores(label);
  ClassFigures figures;
  figures.num_positives = TotalCount(binned.positives);
  figures.num_negatives = TotalCount(binned.negatives);
  // Where a fold is not trained nothing is pooled over the folds.
  if (figures.num_positives + figures.num_negatives == 0) return figures;
  figures.fold_mean = MeanOf(folds, label);
  if (std::min(figures.num_positives, figures.num_negatives) < kLeastScored) {
    return figures;
  }
  figures.average_precision = ComputeAveragePrecision(binned);
  figures.partial_specificity = PartialAucAtSpecificity(binned, kPartialRange);
  figures.partial_sensitivity = PartialAucAtSensitivity(binned, kPartialRange);
  figures.fixed_points = FixedPoints(binned);
  figures.youden = YoudenOf(folds, label);
  figures.brier = ComputeBrier(binned);
  figures.line = FitCalibrationLine(binned);
  figures.reliability =
      ReliabilityGroups(binned, kReliabilityGroups, kLeastScored);
  figures.decision = DecisionCurve(binned);
  figures.curve = Curve(binned);
  return figures;
}

std::vector<ClassFigures> ComputeAllFigures(
    const PooledScores& scores, absl::Span<const PooledScores> folds) {
  std::vector<ClassFigures> classes;
  for (int c = 0; c < scores.confusion.num_classes(); ++c) {
    classes.push_back(ComputeClassFigures(scores, folds, c));
  }
  return classes;
}

std::optional<double> MacroFoldMean(const std::vector<ClassFigures>& classes) {
  std::vector<std::optional<double>> values;
  for (const ClassFigures& figures : classes) {
    values.push_back(figures.fold_mean ? std::optional(figures.fold_mean->auc)
                                       : std::nullopt);
  }
  return MeanOfPresent(values);
}

bool IsFoldMeanPrimary(const v1::Study& study) {
  return study.evaluation().primary() == v1::Evaluation::PRIMARY_FOLD_MEAN;
}

}  // namespace hilum
