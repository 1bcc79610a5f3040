// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/command/score_segmenter.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/rng.h"
#include "common/base/status_macros.h"
#include "site_agent/trainer/segmentation/command/segment_image.h"
#include "site_agent/trainer/segmentation/overlap.h"
#include "site_agent/trainer/segmentation/segment_cases.h"

namespace hilum {
namespace {

// The cases of one label, or all.
struct Group {
  std::vector<double> dice, iou;
  std::vector<std::string> patients;
  int accepted = 0;

  void Add(const Overlap& overlap, const std::string& patient, bool accepts) {
    dice.push_back(overlap.dice);
    iou.push_back(overlap.iou);
    patients.push_back(patient);
    accepted += accepts;
  }
};

std::string IntervalText(const std::vector<double>& values,
                         const std::vector<std::string>& patients) {
  Rng rng(1, "segment bootstrap");
  const MeanInterval x = PatientBootstrap(values, patients, rng);
  return absl::StrFormat("%.4f (%.4f to %.4f)", x.mean, x.low, x.high);
}

SegmentScores Print(absl::string_view name, size_t width, const Group& group,
                    std::ostream& out) {
  SegmentScores scores{IntervalText(group.dice, group.patients),
                       IntervalText(group.iou, group.patients)};
  const std::set<std::string> patients(group.patients.begin(),
                                       group.patients.end());
  out << absl::StrFormat(
      "%-*s  %5d  %8d  %-26s  %-26s  %10.3f  %8d\n", static_cast<int>(width),
      name, group.dice.size(), patients.size(), scores.dice, scores.iou,
      *std::min_element(group.dice.begin(), group.dice.end()), group.accepted);
  return scores;
}

absl::Status AddCase(Segmenter& segmenter, const CaseLoader& loader,
                     const CaseRow& row, Group& label, Group& all) {
  HILUM_ASSIGN_OR_RETURN(GrayImage image, loader.Image(row));
  HILUM_ASSIGN_OR_RETURN(BinaryMask truth,
                         loader.Mask(row, image.rows, image.columns));
  HILUM_ASSIGN_OR_RETURN(BinaryMask mask, SegmentImage(segmenter, image, {}));
  const Overlap overlap = OverlapOf(mask, truth);
  const bool accepted = JudgeLungMask(mask).accepted();
  label.Add(overlap, row.patient_id, accepted);
  all.Add(overlap, row.patient_id, accepted);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SegmentScores> ScoreSegmenter(
    Segmenter& segmenter, const CaseLoader& loader,
    absl::Span<const CaseRow* const> rows, absl::Span<const std::string> labels,
    std::ostream& out) {
  if (rows.empty()) {
    return absl::InvalidArgumentError("no rows with a mask to score on");
  }
  std::vector<Group> groups(labels.size());
  Group all;
  for (const CaseRow* row : rows) {
    absl::Status status =
        AddCase(segmenter, loader, *row, groups[row->label], all);
    if (status.ok()) continue;
    return absl::Status(status.code(),
                        absl::StrCat("row ", row->row, ": ", status.message()));
  }
  size_t width = 5;
  for (const std::string& label : labels) width = std::max(width, label.size());
  out << absl::StrFormat("%-*s  %5s  %8s  %-26s  %-26s  %10s  %8s\n",
                         static_cast<int>(width), "label", "cases", "patients",
                         "dice (95 %)", "iou (95 %)", "worst dice", "accepted");
  for (size_t i = 0; i < groups.size(); ++i) {
    if (!groups[i].dice.empty()) Print(labels[i], width, groups[i], out);
  }
  return Print("all", width, all, out);
}

bool IsScored(const ScoredRows& rows, const CaseRow& row) {
  if (rows.with_mask && row.mask.empty()) return false;
  return rows.held_out == 0 ||
         IsHeldOut(row.patient_id, rows.held_out, rows.seed);
}

absl::Status ScoreManifest(const ScoredRows& rows, const std::string& weights,
                           int threads, std::ostream& out) {
  HILUM_ASSIGN_OR_RETURN(LabelledManifest read, ReadAnyManifest(rows.data));
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<Segmenter> segmenter,
                         LoadSegmenter(weights));
  Segmenter::SetThreads(threads);
  std::vector<const CaseRow*> scored;
  for (const CaseRow& row : read.manifest.cases) {
    if (IsScored(rows, row)) scored.push_back(&row);
  }
  const CaseLoader loader(read.manifest);
  return ScoreSegmenter(*segmenter, loader, scored, read.labels, out).status();
}

}  // namespace hilum
