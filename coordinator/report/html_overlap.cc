// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/html_overlap.h"

#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/metrics/overlap.h"
#include "coordinator/report/html_table.h"
#include "coordinator/report/svg.h"

namespace hilum {
namespace {

const Cells kHead = {"",           "patients",   "cases", "Dice [95 %]",
                     "IoU [95 %]", "implausible"};

std::string MeanText(const std::optional<PatientMean>& mean) {
  if (!mean) return "–";
  std::string text = absl::StrFormat("%.3f", mean->mean);
  if (mean->interval95) {
    absl::StrAppendFormat(&text, " [%.3f, %.3f]", mean->interval95->low,
                          mean->interval95->high);
  }
  return text;
}

Cells OverlapRow(const std::string& name, const v1::Overlap& overlap) {
  const std::optional<double> implausible = ImplausibleShare(overlap);
  return {name,
          absl::StrCat(overlap.patients()),
          absl::StrCat(overlap.cases()),
          MeanText(MeanDice(overlap)),
          MeanText(MeanIou(overlap)),
          implausible ? absl::StrFormat("%.1f %%", 100 * *implausible) : "–"};
}

}  // namespace

std::string OverlapTable(const v1::Study& study, const PooledScores& scores) {
  std::vector<Cells> rows;
  for (int c = 0; c < study.classes_size(); ++c) {
    rows.push_back(OverlapRow(EscapeHtml(study.classes(c)),
                              scores.overlaps[static_cast<size_t>(c)]));
  }
  rows.push_back(OverlapRow("<b>all</b>", scores.overlaps.back()));
  return Table(kHead, rows);
}

std::string OverlapBreakdown(const ArmMetrics& arm) {
  std::vector<Cells> rows;
  for (const auto& [site, scores] : arm.sites) {
    rows.push_back(OverlapRow(EscapeHtml(site), scores.overlaps.back()));
  }
  for (size_t fold = 0; fold < arm.folds.size(); ++fold) {
    rows.push_back(OverlapRow(absl::StrCat("fold ", fold + 1),
                              arm.folds[fold].overlaps.back()));
  }
  return Table(kHead, rows);
}

}  // namespace hilum
