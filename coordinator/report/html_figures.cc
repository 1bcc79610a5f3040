// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/html_figures.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coordinator/report/html_table.h"
#include "coordinator/report/svg.h"

namespace hilum {
namespace {

constexpr char kTooFew[] = "not shown (fewer than ten)";

using AllFigures = std::vector<std::vector<ClassFigures>>;  // [arms][classes]

std::string CoefficientText(const std::optional<Coefficient>& coefficient) {
  if (!coefficient) return "–";
  return FigureText(coefficient->value, coefficient->interval95);
}

std::string CasesText(const ClassFigures& figures) {
  return absl::StrCat(figures.num_positives, " / ", figures.num_negatives);
}

// Returns a part of the page for each arm, side by side where there is room.
std::string PerArm(const std::vector<ArmMetrics>& arms,
                   const std::function<std::string(size_t arm)>& part) {
  std::string html = "<div class='arms'>";
  for (size_t a = 0; a < arms.size(); ++a) {
    absl::StrAppend(&html, "<section><h3>", ArmTitle(arms[a].arm), "</h3>",
                    part(a), "</section>\n");
  }
  return html + "</div>\n";
}

// Returns a table for each arm, whose rows are made class by class.
std::string Tables(const v1::Study& study, const std::vector<ArmMetrics>& arms,
                   const Cells& head,
                   const std::function<void(size_t arm, int label,
                                            std::vector<Cells>& rows)>& add) {
  std::string html;
  for (size_t a = 0; a < arms.size(); ++a) {
    std::vector<Cells> rows;
    for (int c = 0; c < study.classes_size(); ++c) add(a, c, rows);
    absl::StrAppend(&html, "<h3>", ArmTitle(arms[a].arm), "</h3>",
                    Table(head, rows));
  }
  return html;
}

std::string PrecisionRecallChart(const v1::Study& study,
                                 const std::string& title,
                                 const std::vector<ClassFigures>& classes) {
  std::vector<ChartLine> lines;
  for (int c = 0; c < study.classes_size(); ++c) {
    const ClassFigures& figures = classes[static_cast<size_t>(c)];
    const auto& precision = figures.average_precision;
    ChartLine line{.label = absl::StrCat(
                       study.classes(c), ": ",
                       precision
                           ? FigureText(precision->value, precision->interval95)
                           : kTooFew)};
    // In steps, as they are summed.
    double recall = 0;
    for (const CurvePoint& point : figures.curve) {
      line.points.emplace_back(recall, point.precision);
      line.points.emplace_back(point.sensitivity, point.precision);
      recall = point.sensitivity;
    }
    lines.push_back(std::move(line));
  }
  return LineChart({.title = absl::StrCat("Precision and recall, ", title),
                    .x_label = "recall (sensitivity)",
                    .y_label = "precision",
                    .x_min = 0,
                    .x_max = 1,
                    .y_min = 0,
                    .y_max = 1,
                    .diagonal = false},
                   lines);
}

std::string ReliabilityChart(const v1::Study& study, const std::string& title,
                             const std::vector<ClassFigures>& classes) {
  std::vector<ChartLine> lines;
  for (int c = 0; c < study.classes_size(); ++c) {
    const ClassFigures& figures = classes[static_cast<size_t>(c)];
    ChartLine line{.label = study.classes(c)};
    if (figures.reliability.empty())
      absl::StrAppend(&line.label, ": ", kTooFew);
    for (const ReliabilityGroup& group : figures.reliability) {
      line.points.emplace_back(group.predicted, group.observed);
    }
    lines.push_back(std::move(line));
  }
  return LineChart({.title = absl::StrCat("Reliability, ", title),
                    .x_label = "mean probability of a group of cases",
                    .y_label = "share of the class in it",
                    .x_min = 0,
                    .x_max = 1,
                    .y_min = 0,
                    .y_max = 1,
                    .diagonal = true},
                   lines);
}

// Leaves out what is below y_min, up to where the line crosses it.
std::vector<std::pair<double, double>> From(
    double y_min, const std::vector<std::pair<double, double>>& points) {
  std::vector<std::pair<double, double>> kept;
  for (size_t i = 0; i < points.size(); ++i) {
    const auto& [x, y] = points[i];
    if (i > 0 && (y < y_min) != (points[i - 1].second < y_min)) {
      const auto& [x0, y0] = points[i - 1];
      kept.emplace_back(x0 + (x - x0) * (y_min - y0) / (y - y0), y_min);
    }
    if (y >= y_min) kept.emplace_back(x, y);
  }
  return kept;
}

// One class: the models of all arms, and what needs no model.
std::string DecisionChart(const v1::Study& study,
                          const std::vector<ArmMetrics>& arms,
                          const AllFigures& figures, size_t label) {
  double highest = 0;
  for (const auto& classes : figures) {
    for (const NetBenefit& point : classes[label].decision) {
      highest = std::max({highest, point.model, point.treat_all});
    }
  }
  // Five steps, the second of which is 0.
  const double step = std::max(std::ceil(25 * highest) / 100, 0.01);
  std::vector<ChartLine> lines;
  for (const bool model : {true, false}) {
    for (size_t a = 0; a < arms.size(); ++a) {
      ChartLine line{.label = absl::StrCat(
                         ArmTitle(arms[a].arm),
                         model ? ": by the model" : ": everybody treated")};
      std::vector<std::pair<double, double>> points;
      for (const NetBenefit& point : figures[a][label].decision) {
        points.emplace_back(point.threshold,
                            model ? point.model : point.treat_all);
      }
      if (points.empty()) absl::StrAppend(&line.label, ": ", kTooFew);
      line.points = From(-step, points);
      lines.push_back(std::move(line));
    }
  }
  lines.push_back({.label = "nobody treated", .points = {{0, 0}, {1, 0}}});
  return LineChart(
      {.title = absl::StrCat("Decision curve, ",
                             study.classes(static_cast<int>(label))),
       .x_label = "probability from which one would treat",
       .y_label = "net benefit",
       .x_min = 0,
       .x_max = 1,
       .y_min = -step,
       .y_max = 4 * step,
       .diagonal = false},
      lines);
}

std::string DecisionCharts(const v1::Study& study,
                           const std::vector<ArmMetrics>& arms,
                           const AllFigures& figures) {
  std::string html = "<div class='arms'>";
  for (int c = 0; c < study.classes_size(); ++c) {
    absl::StrAppend(&html, "<section><h3>", EscapeHtml(study.classes(c)),
                    "</h3>",
                    DecisionChart(study, arms, figures, static_cast<size_t>(c)),
                    "</section>\n");
  }
  return html + "</div>\n";
}

std::string RuleText(const FixedPoint& point) {
  return absl::StrFormat(
      "%s at least %g %%",
      point.specificity_fixed ? "specificity" : "sensitivity",
      100 * point.least);
}

Cells PointRow(const std::string& name, const std::string& rule,
               const std::string& threshold, const OperatingCounts& counts) {
  return {name,
          rule,
          threshold,
          PercentText(counts.Sensitivity(), counts.SensitivityInterval95()),
          PercentText(counts.Specificity(), counts.SpecificityInterval95()),
          FigureText(counts.Youden(), counts.YoudenInterval95())};
}

// Returns the thresholds that the folds use, from the lowest to the highest.
std::string YoudenThresholds(const YoudenOverFolds& youden, size_t bins) {
  double lowest = 1, highest = 0;
  for (const std::optional<size_t>& threshold : youden.thresholds) {
    if (!threshold) continue;
    lowest = std::min(lowest, Logistic(BinEdge(*threshold, bins)));
    highest = std::max(highest, Logistic(BinEdge(*threshold, bins)));
  }
  return absl::StrFormat("%.3f to %.3f", lowest, highest);
}

void AddPoints(const std::string& name, const ClassFigures& figures,
               size_t bins, std::vector<Cells>& rows) {
  if (figures.fixed_points.empty()) rows.push_back({name, kTooFew});
  for (const FixedPoint& point : figures.fixed_points) {
    rows.push_back(PointRow(
        name, RuleText(point),
        absl::StrFormat("%.3f", Logistic(BinEdge(point.threshold, bins))),
        point.counts));
  }
  if (!figures.youden) return;
  rows.push_back(PointRow(name, "Youden, from the other folds",
                          YoudenThresholds(*figures.youden, bins),
                          figures.youden->counts));
}

Cells PrecisionRow(const std::string& name, const ClassFigures& figures) {
  if (!figures.average_precision) return {name, CasesText(figures), kTooFew};
  const AveragePrecision& precision = *figures.average_precision;
  return {name,
          CasesText(figures),
          FigureText(precision.value, precision.interval95),
          absl::StrFormat("%.4f to %.4f", precision.lowest, precision.highest),
          FigureText(precision.prevalence, std::nullopt),
          FigureText(figures.partial_specificity, std::nullopt),
          FigureText(figures.partial_sensitivity, std::nullopt)};
}

Cells CalibrationRow(const std::string& name, const ClassFigures& figures) {
  if (!figures.brier) return {name, CasesText(figures), kTooFew};
  const BrierScore& brier = *figures.brier;
  return {name,
          CasesText(figures),
          FigureText(brier.value, brier.interval95),
          absl::StrFormat("± %.4f", brier.error_bound),
          FigureText(brier.reference, std::nullopt),
          CoefficientText(figures.line.slope),
          CoefficientText(figures.line.intercept),
          absl::StrCat(FigureText(ExpectedCalibrationError(figures.reliability),
                                  std::nullopt),
                       " (", figures.reliability.size(), ")")};
}

Cells AucRow(const std::string& name, const std::optional<BinnedAuc>& pooled,
             const std::optional<FoldMeanAuc>& mean) {
  const std::optional<Interval> none;
  return {name,
          FigureText(pooled ? std::optional(pooled->auc) : std::nullopt,
                     pooled ? pooled->interval95 : none),
          FigureText(mean ? std::optional(mean->auc) : std::nullopt,
                     mean ? mean->interval95 : none)};
}

// Returns the rows of all classes and of their mean.
std::vector<Cells> AucRows(const v1::Study& study, const ArmMetrics& arm) {
  const std::vector<ClassFigures> figures =
      ComputeAllFigures(arm.pooled, arm.folds);
  std::vector<Cells> rows;
  for (int c = 0; c < study.classes_size(); ++c) {
    rows.push_back(AucRow(EscapeHtml(study.classes(c)), arm.pooled.Auc(c),
                          figures[static_cast<size_t>(c)].fold_mean));
    for (const PooledScores& fold : arm.folds) {
      const std::optional<BinnedAuc> auc = fold.Auc(c);
      rows.back().push_back(
          FigureText(auc ? std::optional(auc->auc) : std::nullopt, {}));
    }
  }
  rows.push_back({"<b>macro</b>", FigureText(arm.pooled.MacroAuc(), {}),
                  FigureText(MacroFoldMean(figures), {})});
  for (const PooledScores& fold : arm.folds) {
    rows.back().push_back(FigureText(fold.MacroAuc(), {}));
  }
  rows.push_back({"<b>weighted with cases</b>",
                  FigureText(arm.pooled.PrevalenceWeightedAuc(), {})});
  return rows;
}

}  // namespace

std::string FigureText(std::optional<double> value,
                       const std::optional<Interval>& interval) {
  if (!value) return "–";
  std::string text = absl::StrFormat("%.3f", *value);
  if (interval) {
    absl::StrAppendFormat(&text, " [%.3f, %.3f]", interval->low,
                          interval->high);
  }
  return text;
}

std::string PercentText(std::optional<double> value,
                        const std::optional<Interval>& interval) {
  if (!value) return "–";
  std::string text = absl::StrFormat("%.1f %%", 100 * *value);
  if (interval) {
    absl::StrAppendFormat(&text, " [%.1f, %.1f]", 100 * interval->low,
                          100 * interval->high);
  }
  return text;
}

std::string PrimaryHtml(const v1::Study& study,
                        const std::vector<ArmMetrics>& arms) {
  const bool fold_mean = IsFoldMeanPrimary(study);
  std::string html =
      absl::StrCat("<p>Primary AUC, as the study file said before the run: ",
                   fold_mean ? "mean of folds" : "pooled", ". Macro:");
  for (size_t a = 0; a < arms.size(); ++a) {
    const PooledScores& pooled = arms[a].pooled;
    const std::optional<double> macro =
        fold_mean ? MacroFoldMean(ComputeAllFigures(pooled, arms[a].folds))
                  : pooled.MacroAuc();
    absl::StrAppend(&html, a == 0 ? " " : "; ", ArmTitle(arms[a].arm), " ",
                    FigureText(macro, std::nullopt));
  }
  return html + ".</p>\n";
}

std::string AucHtml(const v1::Study& study,
                    const std::vector<ArmMetrics>& arms) {
  const bool fold_mean = IsFoldMeanPrimary(study);
  Cells head = {
      "class", fold_mean ? "pooled [95 %]" : "pooled, primary [95 %]",
      fold_mean ? "mean of folds, primary [95 %]" : "mean of folds [95 %]"};
  for (size_t f = 0; f < arms[0].folds.size(); ++f) {
    head.push_back(absl::StrCat("fold ", f + 1));
  }
  std::string html =
      "<h2>AUC, pooled and by fold</h2>\n<p>Pooled: the scores of all folds "
      "are compared with each other, though each fold has a model of its own. "
      "Mean of folds: scores are compared within their fold only. The study "
      "file said before the run which one is primary.</p>";
  for (const ArmMetrics& arm : arms) {
    absl::StrAppend(&html, "<h3>", ArmTitle(arm.arm), "</h3>",
                    Table(head, AucRows(study, arm)));
  }
  return html;
}

std::string FiguresHtml(const v1::Study& study,
                        const std::vector<ArmMetrics>& arms) {
  AllFigures figures;
  for (const ArmMetrics& arm : arms) {
    figures.push_back(ComputeAllFigures(arm.pooled, arm.folds));
  }
  const auto of = [&](size_t a, int c) -> const ClassFigures& {
    return figures[a][static_cast<size_t>(c)];
  };
  const auto name = [&](int c) { return EscapeHtml(study.classes(c)); };
  return absl::StrCat(
      "<h2>Precision and recall</h2>",
      PerArm(arms,
             [&](size_t a) {
               return PrecisionRecallChart(study, ArmTitle(arms[a].arm),
                                           figures[a]);
             }),
      Tables(study, arms,
             {"class", "cases<br>/ others", "average precision [95 %]",
              "within bins", "prevalence", "partial AUC,<br>specificity ≥ 90 %",
              "partial AUC,<br>sensitivity ≥ 90 %"},
             [&](size_t a, int c, std::vector<Cells>& rows) {
               rows.push_back(PrecisionRow(name(c), of(a, c)));
             }),
      "<h2>Thresholds</h2>",
      Tables(study, arms,
             {"class", "rule", "threshold", "sensitivity [95 %]",
              "specificity [95 %]", "Youden’s index [95 %]"},
             [&](size_t a, int c, std::vector<Cells>& rows) {
               AddPoints(name(c), of(a, c), arms[a].pooled.Scores(c).bins(),
                         rows);
             }),
      "<h2>Calibration</h2>",
      PerArm(arms,
             [&](size_t a) {
               return ReliabilityChart(study, ArmTitle(arms[a].arm),
                                       figures[a]);
             }),
      Tables(study, arms,
             {"class", "cases<br>/ others", "Brier score [95 %]", "binning",
              "with the<br>prevalence", "slope [95 %]", "intercept [95 %]",
              "ECE<br>(groups)"},
             [&](size_t a, int c, std::vector<Cells>& rows) {
               rows.push_back(CalibrationRow(name(c), of(a, c)));
             }),
      "<h2>Decision curves</h2>", DecisionCharts(study, arms, figures));
}

}  // namespace hilum
