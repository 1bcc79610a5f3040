// SPDX-License-Identifier: Apache-2.0
// Draws masks on radiographs, so that people can check them.
#ifndef HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_OVERLAY_PAGE_H_
#define HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_OVERLAY_PAGE_H_

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "site_agent/trainer/segmentation/command/score_segmenter.h"

namespace hilum {

struct OverlayPage {
  ScoredRows rows;      // the cases to draw
  std::string out;      // .png
  std::string weights;  // from `segment train`
  int count = 12;
  bool bare = false;  // only outlines, on white: no pixel of a radiograph
  int threads = 2;
};

// Draws radiographs, four in a row, with the outlines of the lungs found
// (orange) and of the given mask (blue) if there is one. Takes the same number
// of each label, spread over its rows. Each has its row, label, Dice
// coefficient and, unless bare, the case's id or file name. A rejected mask has
// a frame and a cross. Lists the cases on `out`, in the order of the page.
// INVALID_ARGUMENT: a name that does not end in .png, no rows. A case that
// cannot be read is an error, with its row.
absl::Status DrawOverlayPage(const OverlayPage& options, std::ostream& out);

// Chooses `count` of the cases 0 .. labels.size() - 1, or all if there are
// fewer: takes the labels in turn, and spreads evenly over each label's cases.
// `labels`: each case's label, from 0.
std::vector<size_t> SpreadOverLabels(absl::Span<const int> labels, int count);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_OVERLAY_PAGE_H_
