// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/json_figures.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

using Json = nlohmann::json;

Json CountsJson(const OperatingCounts& counts) {
  return {{"sensitivity", NumberJson(counts.Sensitivity())},
          {"sensitivity_ci95", IntervalJson(counts.SensitivityInterval95())},
          {"specificity", NumberJson(counts.Specificity())},
          {"specificity_ci95", IntervalJson(counts.SpecificityInterval95())},
          {"n_positive", counts.true_positives + counts.false_negatives},
          {"n_negative", counts.true_negatives + counts.false_positives}};
}

Json ThresholdJson(std::optional<size_t> bin, size_t bins) {
  if (!bin) return nullptr;
  return Logistic(BinEdge(*bin, bins));
}

Json FixedPointsJson(const ClassFigures& figures, size_t bins) {
  if (figures.fixed_points.empty()) return nullptr;
  Json json;
  for (const FixedPoint& point : figures.fixed_points) {
    Json& entry = json[point.Name()] = CountsJson(point.counts);
    entry["threshold"] = ThresholdJson(point.threshold, bins);
  }
  return json;
}

Json YoudenJson(const ClassFigures& figures, size_t bins) {
  if (!figures.youden) return nullptr;
  const YoudenOverFolds& youden = *figures.youden;
  Json json = CountsJson(youden.counts);
  json["index"] = NumberJson(youden.counts.Youden());
  json["index_ci95"] = IntervalJson(youden.counts.YoudenInterval95());
  for (size_t f = 0; f < youden.thresholds.size(); ++f) {
    json["thresholds"][absl::StrCat("fold-", f + 1)] =
        ThresholdJson(youden.thresholds[f], bins);
  }
  return json;
}

Json PrecisionJson(const ClassFigures& figures) {
  if (!figures.average_precision) return nullptr;
  const AveragePrecision& precision = *figures.average_precision;
  return {{"value", precision.value},
          {"lowest", precision.lowest},
          {"highest", precision.highest},
          {"ci95", IntervalJson(precision.interval95)},
          {"prevalence", precision.prevalence}};
}

void AddCoefficient(const std::string& name,
                    const std::optional<Coefficient>& coefficient, Json& json) {
  json[name] = coefficient ? NumberJson(coefficient->value) : Json(nullptr);
  json[name + "_ci95"] =
      coefficient ? IntervalJson(coefficient->interval95) : Json(nullptr);
}

Json CalibrationJson(const ClassFigures& figures) {
  if (!figures.brier) return nullptr;
  const BrierScore& brier = *figures.brier;
  Json json = {
      {"brier", brier.value},
      {"brier_error_bound", brier.error_bound},
      {"brier_ci95", IntervalJson(brier.interval95)},
      {"brier_of_prevalence", brier.reference},
      {"ece", NumberJson(ExpectedCalibrationError(figures.reliability))},
      {"ece_groups", figures.reliability.size()},
      {"n", brier.num_cases}};
  AddCoefficient("slope", figures.line.slope, json);
  AddCoefficient("intercept", figures.line.intercept, json);
  return json;
}

}  // namespace

Json NumberJson(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  return *value;
}

Json IntervalJson(const std::optional<Interval>& interval) {
  if (!interval) return nullptr;
  return Json::array({NumberJson(interval->low), NumberJson(interval->high)});
}

void AddClassFigures(const ClassFigures& figures, size_t bins, bool folds,
                     Json& entry) {
  entry["scored"] = {{"n_positive", figures.num_positives},
                     {"n_negative", figures.num_negatives}};
  entry["average_precision"] = PrecisionJson(figures);
  entry["partial_auc"] = {
      {"specificity_0.9", NumberJson(figures.partial_specificity)},
      {"sensitivity_0.9", NumberJson(figures.partial_sensitivity)}};
  entry["operating_points"] = FixedPointsJson(figures, bins);
  entry["calibration"] = CalibrationJson(figures);
  if (!folds) return;
  const std::optional<FoldMeanAuc>& mean = figures.fold_mean;
  entry["auc_fold_mean"] = mean ? Json(mean->auc) : Json(nullptr);
  entry["auc_fold_mean_ci95"] =
      mean ? IntervalJson(mean->interval95) : Json(nullptr);
  entry["auc_fold_mean_folds"] = mean ? mean->folds : 0;
  entry["youden"] = YoudenJson(figures, bins);
}

Json PrimaryJson(const v1::Study& study, const PooledScores& pooled,
                 const std::vector<ClassFigures>& classes) {
  const bool fold_mean = IsFoldMeanPrimary(study);
  Json json = {{"auc", fold_mean ? "fold_mean" : "pooled"},
               {"macro", NumberJson(fold_mean ? MacroFoldMean(classes)
                                              : pooled.MacroAuc())}};
  for (int c = 0; c < study.classes_size(); ++c) {
    Json& entry = json["per_class"][study.classes(c)];
    const auto add = [&](const auto& auc) {
      entry["value"] = auc ? Json(auc->auc) : Json(nullptr);
      entry["ci95"] = auc ? IntervalJson(auc->interval95) : Json(nullptr);
    };
    if (fold_mean) {
      add(classes[static_cast<size_t>(c)].fold_mean);
    } else {
      add(pooled.Auc(c));
    }
  }
  return json;
}

Json FigureConventions() {
  return {
      {"primary",
       "the AUC that the study file names as primary, evaluation.primary: of "
       "the scores of all folds together (pooled), or the mean of the folds' "
       "AUCs (fold_mean)"},
      {"n",
       "counts are of cases; sites do not send how many patients are behind "
       "scores, and intervals take cases as independent"},
      {"scored",
       "cases of the folds whose scores are shown; figures of scores are null "
       "with fewer than ten positives or negatives"},
      {"auc_fold_mean",
       "variance: the folds' DeLong variances, summed, over the square of the "
       "number of folds; interval on the logit scale"},
      {"ci95_method",
       "of ci95: delong_logit, or newcombe (2006, method 5) where DeLong's "
       "variance is 0, as at an AUC of exactly 0 or 1"},
      {"auc_prevalence_weighted",
       "mean over the classes that have an AUC, weighted with their cases"},
      {"balanced_accuracy",
       "mean sensitivity of the classes that have cases; interval by "
       "square-and-add of Wilson's"},
      {"kappa", "Cohen's; interval by Fleiss, Cohen and Everitt"},
      {"average_precision",
       "sum of precision times the step in recall, over bins; lowest and "
       "highest: what any order within the bins could make of it; interval by "
       "Boyd, Eng and Page on the logit scale"},
      {"partial_auc",
       "where specificity, or sensitivity, is at least 0.9, standardised by "
       "McClish: 0.5 is chance, 1 is perfect"},
      {"operating_points",
       "the best point of the ROC curve with at least that specificity or "
       "sensitivity, not interpolated, chosen and judged on the same cases; "
       "intervals are Wilson's at the threshold as given"},
      {"youden",
       "each fold at the threshold with the highest sensitivity + specificity "
       "- 1 in the held-out scores of the other folds"},
      {"calibration",
       "of one class against the rest, from bins: brier at bin middles, "
       "brier_error_bound the most that binning can have moved it, "
       "brier_of_prevalence what the prevalence for everybody would have; ece "
       "over at most ten groups of equal mass with at least ten cases; slope "
       "and intercept of a logistic regression on the log-odds, the intercept "
       "with a slope of 1"}};
}

}  // namespace hilum
