// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/csv_tables.h"

#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/config/study.h"
#include "coordinator/report/class_figures.h"

namespace hilum {
namespace {

using Values = std::vector<std::optional<double>>;

// Writes the rows of one class in one arm.
struct ClassRows {
  const v1::Study& study;
  const ArmMetrics& arm;
  int label;
  const ClassFigures& figures;
  std::string& text;

  // Writes a row: arm, class, the words, the values.
  void Add(const std::vector<std::string>& words, const Values& values) const {
    std::vector<std::string> cells = {ArmName(arm.arm), study.classes(label)};
    cells.insert(cells.end(), words.begin(), words.end());
    for (const std::optional<double>& value : values) {
      cells.push_back(value && std::isfinite(*value)
                          ? absl::StrFormat("%.15g", *value)
                          : "");
    }
    absl::StrAppend(&text, absl::StrJoin(cells, ","), "\n");
  }
  double Threshold(size_t bin) const {
    return Logistic(BinEdge(bin, arm.pooled.Scores(label).bins()));
  }
};

std::optional<double> Low(const std::optional<Interval>& interval) {
  return interval ? std::optional(interval->low) : std::nullopt;
}
std::optional<double> High(const std::optional<Interval>& interval) {
  return interval ? std::optional(interval->high) : std::nullopt;
}

void AddAuc(const ClassRows& rows, const std::string& estimator,
            const std::optional<BinnedAuc>& auc) {
  if (!auc) return rows.Add({estimator}, Values(6));
  rows.Add({estimator},
           {auc->num_positives, auc->num_negatives, auc->auc,
            Low(auc->interval95), High(auc->interval95), auc->error_bound});
}

void AucRows(const ClassRows& rows) {
  AddAuc(rows, "pooled", rows.arm.pooled.Auc(rows.label));
  const ClassFigures& figures = rows.figures;
  if (const auto& mean = figures.fold_mean) {
    rows.Add({"fold_mean"},
             {figures.num_positives, figures.num_negatives, mean->auc,
              Low(mean->interval95), High(mean->interval95), std::nullopt});
  }
  for (size_t f = 0; f < rows.arm.folds.size(); ++f) {
    AddAuc(rows, absl::StrCat("fold-", f + 1),
           rows.arm.folds[f].Auc(rows.label));
  }
}

void CurveRows(const ClassRows& rows) {
  for (const CurvePoint& point : rows.figures.curve) {
    rows.Add({}, {rows.Threshold(point.threshold), point.sensitivity,
                  point.specificity, point.precision});
  }
}

void AddPoint(const ClassRows& rows, const std::string& rule,
              std::optional<double> threshold, const OperatingCounts& counts) {
  const auto sensitivity = counts.SensitivityInterval95();
  const auto specificity = counts.SpecificityInterval95();
  rows.Add({rule}, {threshold, counts.true_positives + counts.false_negatives,
                    counts.true_negatives + counts.false_positives,
                    counts.Sensitivity(), Low(sensitivity), High(sensitivity),
                    counts.Specificity(), Low(specificity), High(specificity)});
}

void PointRows(const ClassRows& rows) {
  for (const FixedPoint& point : rows.figures.fixed_points) {
    AddPoint(rows, point.Name(), rows.Threshold(point.threshold), point.counts);
  }
  if (rows.figures.youden) {
    // Each fold has its threshold; report.json has them.
    AddPoint(rows, "youden", std::nullopt, rows.figures.youden->counts);
  }
}

void PrecisionRows(const ClassRows& rows) {
  const ClassFigures& figures = rows.figures;
  const auto& precision = figures.average_precision;
  if (!precision) return;
  rows.Add(
      {}, {precision->num_positives, precision->num_negatives, precision->value,
           Low(precision->interval95), High(precision->interval95),
           precision->lowest, precision->highest, precision->prevalence,
           figures.partial_specificity, figures.partial_sensitivity});
}

void CalibrationRows(const ClassRows& rows) {
  const ClassFigures& figures = rows.figures;
  if (!figures.brier) return;
  const BrierScore& brier = *figures.brier;
  Values values = {brier.num_cases, brier.value, Low(brier.interval95),
                   High(brier.interval95), brier.error_bound};
  for (const auto* coefficient :
       {&figures.line.slope, &figures.line.intercept}) {
    if (*coefficient) {
      const Coefficient& found = **coefficient;
      values.insert(values.end(),
                    {found.value, found.interval95.low, found.interval95.high});
    } else {
      values.insert(values.end(), 3, std::nullopt);
    }
  }
  values.push_back(ExpectedCalibrationError(figures.reliability));
  rows.Add({}, values);
}

void ReliabilityRows(const ClassRows& rows) {
  for (const ReliabilityGroup& group : rows.figures.reliability) {
    rows.Add({}, {group.num_cases, group.predicted, group.observed,
                  group.interval95.low, group.interval95.high});
  }
}

void DecisionRows(const ClassRows& rows) {
  for (const NetBenefit& point : rows.figures.decision) {
    rows.Add({}, {point.threshold, point.model, point.interval95.low,
                  point.interval95.high, point.treat_all});
  }
}

struct TableKind {
  const char* path;
  const char* columns;  // behind arm and class
  void (*add)(const ClassRows&);
};

constexpr TableKind kKinds[] = {
    {"tables/auc.csv",
     "estimator,n_positive,n_negative,auc,low,high,error_bound", AucRows},
    {"tables/curves.csv", "threshold,sensitivity,specificity,precision",
     CurveRows},
    {"tables/operating_points.csv",
     "rule,threshold,n_positive,n_negative,sensitivity,sensitivity_low,"
     "sensitivity_high,specificity,specificity_low,specificity_high",
     PointRows},
    {"tables/average_precision.csv",
     "n_positive,n_negative,average_precision,low,high,lowest,highest,"
     "prevalence,partial_auc_specificity_0.9,partial_auc_sensitivity_0.9",
     PrecisionRows},
    {"tables/calibration.csv",
     "n,brier,brier_low,brier_high,brier_error_bound,slope,slope_low,"
     "slope_high,intercept,intercept_low,intercept_high,ece",
     CalibrationRows},
    {"tables/reliability.csv", "n,predicted,observed,low,high",
     ReliabilityRows},
    {"tables/decision_curve.csv", "threshold,net_benefit,low,high,treat_all",
     DecisionRows},
};

}  // namespace

std::vector<CsvTable> CsvTables(const v1::Study& study,
                                const std::vector<ArmMetrics>& arms) {
  std::vector<CsvTable> tables;
  if (IsSegmentation(study)) return tables;
  for (const TableKind& kind : kKinds) {
    tables.push_back(
        {kind.path, absl::StrCat("arm,class,", kind.columns, "\n")});
  }
  for (const ArmMetrics& arm : arms) {
    for (int c = 0; c < study.classes_size(); ++c) {
      const ClassFigures figures =
          ComputeClassFigures(arm.pooled, arm.folds, c);
      for (size_t k = 0; k < tables.size(); ++k) {
        kKinds[k].add({study, arm, c, figures, tables[k].text});
      }
    }
  }
  return tables;
}

std::vector<std::string> CsvTablePaths(const v1::Study& study) {
  std::vector<std::string> paths;
  if (IsSegmentation(study)) return paths;
  for (const TableKind& kind : kKinds) paths.push_back(kind.path);
  return paths;
}

}  // namespace hilum
