// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_SCORE_SEGMENTER_H_
#define HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_SCORE_SEGMENTER_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "site_agent/trainer/data/case_manifest.h"
#include "site_agent/trainer/data/load_case.h"
#include "site_agent/trainer/segmentation/segmenter.h"

namespace hilum {

// Scores such as "0.9500 (0.9400 to 0.9600)": the mean over cases and its
// PatientBootstrap interval.
struct SegmentScores {
  std::string dice, iou;
};

// Compares the segmenter's masks (SegmentImage) with the given ones at the
// images' own sizes. Prints a table by label, with a row for all; returns that
// row's scores. `rows`, of the loader's manifest, have masks. A case that
// cannot be read is an error, with its row.
absl::StatusOr<SegmentScores> ScoreSegmenter(
    Segmenter& segmenter, const CaseLoader& loader,
    absl::Span<const CaseRow* const> rows, absl::Span<const std::string> labels,
    std::ostream& out);

// Rows of a manifest.
struct ScoredRows {
  std::string data;  // the manifest
  // Above 0: only patients that `segment train` with this --hold-out and --seed
  // held out.
  double held_out = 0;
  uint64_t seed = 1;
  bool with_mask = true;  // only rows that have one
};
bool IsScored(const ScoredRows& rows, const CaseRow& row);

// Scores the chosen rows of a manifest that have a mask.
absl::Status ScoreManifest(const ScoredRows& rows, const std::string& weights,
                           int threads, std::ostream& out);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_SCORE_SEGMENTER_H_
