// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/html.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/ids.h"
#include "common/config/starting_weights.h"
#include "common/config/study.h"
#include "common/crypto/sha256.h"
#include "common/metrics/agreement.h"
#include "coordinator/report/html_census.h"
#include "coordinator/report/html_figures.h"
#include "coordinator/report/html_fingerprint.h"
#include "coordinator/report/html_overlap.h"
#include "coordinator/report/html_rounds.h"
#include "coordinator/report/html_table.h"
#include "coordinator/report/svg.h"
#include "coordinator/trained_tracks.h"

namespace hilum {
namespace {

constexpr char kStyle[] = R"css(
:root{--ink:#1b1f24;--soft:#5c6670;--line:#d8dde2;--paper:#fff;--shade:#f4f6f8;
--heat:0,114,178}
@media(prefers-color-scheme:dark){:root{--ink:#e8ebee;--soft:#9aa5b0;
--line:#3a424a;--paper:#15181b;--shade:#1e2327;--heat:86,180,233}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);
max-width:1060px;margin:0 auto;padding:32px 24px}
h1{margin:0;font-size:28px}h2{margin:40px 0 8px;font-size:20px}
h3{margin:18px 0 6px;font-size:16px}.soft,footer{color:var(--soft)}
code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}
table{border-collapse:collapse;margin:8px 0;font-variant-numeric:tabular-nums}
th,td{white-space:nowrap;padding:5px 12px;border-bottom:1px solid var(--line);text-align:right}
.confusion th,.confusion td{padding:5px 8px;font-size:14px}
th{font-weight:600}th:first-child,td:first-child{text-align:left;padding-left:0}
.arms{display:grid;grid-template-columns:repeat(auto-fit,minmax(400px,1fr));
gap:24px}.chart{width:100%;max-width:480px}.chart text{font-size:12px;
fill:var(--soft)}.grid{stroke:var(--line)}.chance{stroke:var(--soft);
stroke-dasharray:3 4}.legend{list-style:none;padding:0;margin:4px 0 0 58px;
font-size:14px}.legend svg{width:28px;height:8px;margin-right:8px}
.warn{background:var(--shade);border-left:4px solid #d55e00;padding:10px 14px}
.wide{overflow-x:auto}footer{margin-top:48px;font-size:13px}
@media print{body{max-width:none;padding:0}h2{break-after:avoid}
table,.chart{break-inside:avoid}}
)css";

std::string Percent(std::optional<double> value) {
  return value ? absl::StrFormat("%.1f %%", 100 * *value) : "–";
}

std::string Figure(std::optional<double> value) {
  return value ? absl::StrFormat("%.3f", *value) : "–";
}

std::string AucText(const std::optional<BinnedAuc>& auc) {
  return auc ? FigureText(auc->auc, auc->interval95) : "–";
}

// Returns the AUC of a class, with the cases it covers where these are not all.
std::string ClassAucText(const PooledScores& scores, int label) {
  const std::string note = scores.AucNote(label);
  const std::optional<BinnedAuc> auc = scores.Auc(label);
  if (note.empty()) return AucText(auc);
  return auc ? absl::StrCat(AucText(auc), " (", note, ")") : note;
}

Cells SummaryRow(const std::string& name, const PooledScores& scores) {
  const Confusion& confusion = scores.confusion;
  return {name,
          absl::StrCat(confusion.Total()),
          PercentText(confusion.Accuracy(), confusion.AccuracyInterval95()),
          Figure(scores.MacroAuc()),
          Percent(scores.MacroSensitivity()),
          Percent(scores.MacroSpecificity())};
}

const Cells kSummaryHead = {"",
                            "cases",
                            "accuracy [95 %]",
                            "macro AUC, pooled",
                            "macro sensitivity",
                            "macro specificity"};

std::string ConfusionTable(const Confusion& confusion, const v1::Study& study) {
  Cells head = {"truth ↓<br>predicted →"};
  for (const std::string& label : study.classes()) {
    head.push_back(EscapeHtml(label));
  }
  std::string table =
      absl::StrCat("<div class='wide'><table class='confusion'><thead>",
                   Row(head, "th"), "</thead><tbody>");
  for (int truth = 0; truth < confusion.num_classes(); ++truth) {
    absl::StrAppend(&table, "<tr><td>", EscapeHtml(study.classes(truth)),
                    "</td>");
    double row =
        static_cast<double>(std::max<uint64_t>(confusion.RowSum(truth), 1));
    for (int guess = 0; guess < confusion.num_classes(); ++guess) {
      uint64_t count = confusion.count(truth, guess);
      double share = static_cast<double>(count) / row;
      absl::StrAppendFormat(
          &table,
          "<td style='background:rgba(var(--heat),%.2f)'>%d <span "
          "class='soft'>%.0f %%</span></td>",
          0.6 * share, count, 100 * share);
    }
    table += "</tr>\n";
  }
  return table + "</tbody></table></div>\n";
}

std::string RocChart(const ArmMetrics& arm, const v1::Study& study) {
  std::vector<ChartLine> lines;
  for (int c = 0; c < study.classes_size(); ++c) {
    size_t at = static_cast<size_t>(c);
    ChartLine line{.label = absl::StrCat(study.classes(c), ": AUC ",
                                         ClassAucText(arm.pooled, c))};
    for (const RocPoint& point :
         BinnedRocCurve(arm.pooled.positives[at], arm.pooled.negatives[at])) {
      line.points.emplace_back(point.false_positive_rate,
                               point.true_positive_rate);
    }
    lines.push_back(std::move(line));
  }
  return LineChart({.title = absl::StrCat("ROC curves, ", ArmTitle(arm.arm)),
                    .x_label = "1 − specificity",
                    .y_label = "sensitivity",
                    .x_min = 0,
                    .x_max = 1,
                    .y_min = 0,
                    .y_max = 1,
                    .diagonal = true},
                   lines);
}

std::string ClassTable(const ArmMetrics& arm, const v1::Study& study) {
  std::vector<Cells> rows;
  for (int c = 0; c < study.classes_size(); ++c) {
    const Confusion& confusion = arm.pooled.confusion;
    std::optional<BinnedAuc> auc = arm.pooled.Auc(c);
    rows.push_back({EscapeHtml(study.classes(c)),
                    absl::StrCat(confusion.RowSum(c)),
                    ClassAucText(arm.pooled, c),
                    auc ? absl::StrFormat("± %.4f", auc->error_bound) : "–",
                    PercentText(confusion.Sensitivity(c),
                                confusion.SensitivityInterval95(c)),
                    PercentText(confusion.Specificity(c),
                                confusion.SpecificityInterval95(c))});
  }
  return Table({"class", "cases", "AUC [95 %]", "binning", "sensitivity [95 %]",
                "specificity [95 %]"},
               rows);
}

// Returns what the confusion matrix says over all classes.
std::string Agreements(const std::vector<ArmMetrics>& arms) {
  std::vector<Cells> rows;
  for (const ArmMetrics& arm : arms) {
    const auto balanced = BalancedAccuracy(arm.pooled.confusion);
    const auto kappa = CohensKappa(arm.pooled.confusion);
    rows.push_back(
        {ArmTitle(arm.arm), absl::StrCat(arm.pooled.confusion.Total()),
         balanced ? PercentText(balanced->value, balanced->interval95) : "–",
         kappa ? FigureText(kappa->value, kappa->interval95) : "–"});
  }
  return absl::StrCat(
      "<h3>Over all classes</h3>",
      Table({"", "cases", "balanced accuracy [95 %]", "Cohen’s kappa [95 %]"},
            rows));
}

Cells LocalizationRow(const std::string& name, const PooledScores& scores) {
  const double n = static_cast<double>(scores.mapped);
  return {name, absl::StrCat(scores.mapped),
          Percent(scores.map_in_lungs_sum / n),
          Percent(scores.lung_share_sum / n)};
}

// Returns the figures; empty: no map was compared.
std::string Localization(const std::vector<ArmMetrics>& arms) {
  std::vector<Cells> rows;
  for (const ArmMetrics& arm : arms) {
    if (arm.pooled.mapped == 0) continue;
    rows.push_back(LocalizationRow(ArmTitle(arm.arm), arm.pooled));
    for (const auto& [site, scores] : arm.sites) {
      if (scores.mapped == 0) continue;
      rows.push_back(LocalizationRow("&emsp;at " + EscapeHtml(site), scores));
    }
  }
  if (rows.empty()) return "";
  return absl::StrCat(
      "<h2>Where the models look</h2>\n<p>Share of the class activation map "
      "inside the lung mask, mean over the held-out cases that have one. A map "
      "that knows nothing would have the lungs’ share of the image there.</p>",
      Table({"", "maps", "inside the lungs", "lungs’ share of the image"},
            rows));
}

std::string Breakdown(const ArmMetrics& arm) {
  std::vector<Cells> rows;
  for (const auto& [site, scores] : arm.sites) {
    rows.push_back(SummaryRow(EscapeHtml(site), scores));
  }
  for (size_t fold = 0; fold < arm.folds.size(); ++fold) {
    rows.push_back(
        SummaryRow(absl::StrCat("fold ", fold + 1), arm.folds[fold]));
  }
  return Table(kSummaryHead, rows);
}

std::string PerArm(const std::vector<ArmMetrics>& arms,
                   const std::function<std::string(const ArmMetrics&)>& part) {
  std::string html = "<div class='arms'>";
  for (const ArmMetrics& arm : arms) {
    absl::StrAppend(&html, "<section><h3>", ArmTitle(arm.arm), "</h3>",
                    part(arm), "</section>\n");
  }
  return html + "</div>\n";
}

// Rows: the site a model was trained at; columns: the site whose held-out cases
// it scored.
std::string MatrixTable(const Baselines& baselines, size_t arm) {
  Cells head = {"trained at ↓ tested at →"};
  std::vector<Cells> rows;
  for (const auto& [trained_at, tested] : baselines.matrix) {
    Cells row = {EscapeHtml(trained_at.name())};
    for (const auto& [tested_at, arms] : tested) {
      const CrossSiteScores& scores = arms[arm];
      if (rows.empty()) {
        head.push_back(absl::StrCat(EscapeHtml(tested_at.name()),
                                    " <span class='soft'>n = ", scores.n,
                                    "</span>"));
      }
      row.push_back(absl::StrCat(Figure(scores.macro_auc),
                                 " <span class='soft'>",
                                 Percent(scores.accuracy), "</span>"));
    }
    rows.push_back(std::move(row));
  }
  return Table(head, rows);
}

constexpr char kComparison[] =
    R"html(<h2>Federated against local and centralized</h2>
<p>Federated: the model of this study. Local only: each site's cases by the
model that it trained on its own cases alone. Centralized: one model trained on
all cases in one place, which a consortium exists to avoid. All three start
from the same weights, hold out the same cases and pass as often over their
training cases; a centralized pass has more steps, as all batches follow one
another. Below each comparison, the model of every site alone at every site:
macro AUC and, beside it, accuracy.</p>
)html";

std::string Comparison(const std::vector<ArmMetrics>& arms,
                       const BaselineMetrics& metrics) {
  if (metrics.baselines.empty()) return "";
  std::string html = kComparison;
  for (size_t a = 0; a < arms.size(); ++a) {
    absl::StrAppend(
        &html, "<h3>", ArmTitle(arms[a].arm), "</h3>",
        Table(kSummaryHead,
              {SummaryRow("Federated", arms[a].pooled),
               SummaryRow("Local only", metrics.local_only[a].pooled),
               SummaryRow("Centralized", metrics.centralized[a].pooled)}),
        MatrixTable(metrics.baselines, a));
  }
  return html;
}

constexpr char kReading[] = R"html(<h2>How to read this</h2>
<p>Each case was scored once, by the model of the fold that had held it out;
no patient is in two folds. Radiographs and single scores stayed at the
sites; counts and score histograms were summed. AUC is one class against the
rest, by the trapezoid over binned log-odds; “binning” bounds what the bins
can have changed. Its interval is DeLong's on the logit scale, Newcombe's where
DeLong's variance is 0; those of shares are Wilson's. Intervals take cases as
independent and the model as given, so cross-validation makes them too narrow.
Macro values are means over the classes that have one; a dash stands where cases
are too few for a number. Outside “Thresholds”, sensitivity and specificity are
at the class of the highest probability. Points of curves are at least ten cases
apart. At a fixed sensitivity or specificity the threshold was chosen on the
cases that it is shown for; Youden's was chosen on the other folds.</p>
<p class='warn'>A research result, not for diagnosis.</p>
)html";

std::string Heading(const StudyResult& result) {
  const v1::Study& study = result.study;
  const std::string name = EscapeHtml(study.name());
  return absl::StrCat(
      "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
      "<meta name='viewport' content='width=device-width'><title>",
      name, " – Hilum report</title><style>", kStyle,
      "</style></head><body>\n<h1>", name, "</h1>\n",
      "<p class='soft'>Federated study of ",
      IsSegmentation(study) ? "lung segmentation at " : "",
      result.census_totals.sites_size(), " sites, ", result.rounds.size(),
      " rounds, ", study.cross_validation().folds(), "-fold cross-validation; ",
      EscapeHtml(study.model().architecture()), " at ",
      study.model().input_size(), " px; seed ", study.seed(),
      "; secure aggregation: ", IsSecure(study) ? "on" : "off",
      "<br>starting weights: ", EscapeHtml(DescribeStartingWeights(study)),
      "<br>study hash <code>", ToHex(result.study_hash), "</code></p>\n",
      study.description().empty()
          ? ""
          : absl::StrCat("<p>", EscapeHtml(study.description()), "</p>\n"));
}

// Returns the warnings for the top of the page. Empty: there are none.
std::string Warnings(const StudyResult& result) {
  std::string html;
  for (const std::string& sentence : ResultWarnings(result)) {
    absl::StrAppend(&html, "<p class='warn'><b>", EscapeHtml(sentence),
                    "</b></p>\n");
  }
  return html;
}

constexpr char kReadingOverlap[] = R"html(<h2>How to read this</h2>
<p>These models find the lungs on a chest radiograph; they say nothing of a
disease. Each case was scored once, by the model of the fold that had held it
out; no patient is in two folds. Radiographs, masks and single scores stayed at
the sites; sums over patients were summed. Dice is twice the area that the lungs
found and the lung mask share, over the sum of both areas; IoU is the area that
they share over the area that either has. Both are means over patients, each
with the mean over his or her cases. Intervals are normal over patients: mean ±
1.96 s / √n, clipped to 0 and 1. “Implausible” is the share of cases whose lungs
found do not look like two lungs. A dash stands where there are too few for a
number. Masks are no truth: where they are drawn wrong, so is the score.</p>
<p class='warn'>A research result, not for diagnosis.</p>
)html";

// Returns all figures of classification, except those of single sites and
// folds.
std::string Classification(const v1::Study& study,
                           const std::vector<ArmMetrics>& arms,
                           const BaselineMetrics& baselines) {
  std::vector<Cells> summary;
  for (const ArmMetrics& arm : arms) {
    summary.push_back(SummaryRow(ArmTitle(arm.arm), arm.pooled));
  }
  std::string html =
      absl::StrCat("<h2>Result</h2>", Table(kSummaryHead, summary),
                   PrimaryHtml(study, arms), Comparison(arms, baselines));
  absl::StrAppend(&html, "<h2>ROC, one class against the rest</h2>",
                  PerArm(arms, [&](const ArmMetrics& arm) {
                    return RocChart(arm, study);
                  }));
  absl::StrAppend(&html, "<h2>Confusion</h2>",
                  PerArm(arms, [&](const ArmMetrics& arm) {
                    return ConfusionTable(arm.pooled.confusion, study);
                  }));
  absl::StrAppend(&html, "<h2>Per class</h2>");
  for (const ArmMetrics& arm : arms) {
    absl::StrAppend(&html, "<h3>", ArmTitle(arm.arm), "</h3>",
                    ClassTable(arm, study));
  }
  return absl::StrCat(html, Agreements(arms), AucHtml(study, arms),
                      FiguresHtml(study, arms), Localization(arms));
}

std::string SitesAndFolds(const StudyResult& result,
                          const std::vector<ArmMetrics>& arms) {
  const bool segmentation = IsSegmentation(result.study);
  std::string html = absl::StrCat(
      "<h2>Per site and fold</h2>",
      NotKnownHtml(result.evaluation_totals.sites(), [&](const auto& site) {
        return result.evaluations.contains(SiteId(site));
      }));
  for (const ArmMetrics& arm : arms) {
    absl::StrAppend(&html, "<h3>", ArmTitle(arm.arm), "</h3>",
                    segmentation ? OverlapBreakdown(arm) : Breakdown(arm));
  }
  return html;
}

}  // namespace

std::string ReportHtml(const StudyResult& result,
                       const std::vector<ArmMetrics>& arms,
                       const BaselineMetrics& baselines) {
  const v1::Study& study = result.study;
  const bool segmentation = IsSegmentation(study);
  return absl::StrCat(
      Heading(result), Warnings(result),
      segmentation ? absl::StrCat("<h2>Lungs found, against lung masks</h2>",
                                  OverlapTable(study, arms[0].pooled))
                   : Classification(study, arms, baselines),
      "<h2>Data</h2>", CensusHtml(result), MasksHtml(result),
      FingerprintHtml(result), SitesAndFolds(result, arms),
      RoundsHtml(result, arms), segmentation ? kReadingOverlap : kReading,
      "<footer>Hilum ", SoftwareVersion(), ", protocol ",
      study.protocol_version(),
      "; report.json beside this page has every number."
      "</footer></body></html>\n");
}

}  // namespace hilum
