// SPDX-License-Identifier: Apache-2.0
// Masks for people to look at before anyone trusts them.
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
  ScoredRows rows;      // of which cases
  std::string out;      // .png
  std::string weights;  // of `segment train`
  int count = 12;
  bool bare = false;  // outlines alone, on white: no pixel of a radiograph
  int threads = 2;
};

// Draws, four in a row, radiographs with the outlines of the lungs found
// (orange) and of the given mask (blue), where there is one: of every label as
// many, spread over its rows, each with its row, label, Dice coefficient and,
// but for bare, the case's id or file name. A mask found that is rejected has a
// frame and a cross. What they are goes to `out`, in the order of the page.
// INVALID_ARGUMENT: a name that does not end in .png, no rows. A case that
// cannot be read is an error, with its row.
absl::Status DrawOverlayPage(const OverlayPage& options, std::ostream& out);

// `count` of the cases 0 .. labels.size() - 1, or all where there are fewer:
// the labels in turn, and of each its cases evenly spread. `labels`: of each
// case, from 0.
std::vector<size_t> SpreadOverLabels(absl::Span<const int> labels, int count);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_OVERLAY_PAGE_H_
