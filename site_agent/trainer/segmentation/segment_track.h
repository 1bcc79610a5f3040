// SPDX-License-Identifier: Apache-2.0
// Trains or evaluates one track of a segmentation study with one segmenter.
#ifndef HILUM_SITE_AGENT_TRAINER_SEGMENTATION_SEGMENT_TRACK_H_
#define HILUM_SITE_AGENT_TRAINER_SEGMENTATION_SEGMENT_TRACK_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "site_agent/trainer/data/prepared_study.h"
#include "site_agent/trainer/learning/track_output.h"
#include "site_agent/trainer/segmentation/segmenter.h"

namespace hilum {

// Trains a segmenter, loaded with `before`, for the study's local epochs of
// `round`, from 1. The order of batches depends on the site, the track and the
// round. A last batch smaller than half a batch is skipped unless it is the
// only one, since its statistics would be poor; its cases then count neither as
// examples nor in the loss. A version depends only on the site's draws_key, the
// case's image and the epoch. Leaves the track out if it has too few cases for
// the site's minimum_steps (BatchSizeFor). Evaluates `before` first if the
// study has validation. Withholds the track if a loss or weight is not finite.
// Running statistics move by at most kMaxDelta (common/aggregation/ring.h).
absl::Status TrainSegmentTrack(const PreparedStudy& study, Segmenter& segmenter,
                               size_t track, uint32_t round,
                               absl::Span<const float> before,
                               TrainedTrack& trained);

// The columns of EvaluateSegmentTrack's rows after kPredictionCells: Dice and
// IoU with the case's mask, and FaultName of the mask found.
inline constexpr char kSegmentCells[] = "dice,iou,verdict";

// Evaluates a loaded segmenter on a track's held-out cases: compares its masks,
// at the network's size and cleaned as in SegmentImage, with the cases' own.
// `model`: the CSV's column.
absl::Status EvaluateSegmentTrack(const PreparedStudy& study,
                                  Segmenter& segmenter, size_t track,
                                  absl::string_view model,
                                  EvaluatedTrack& evaluated);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_SEGMENT_TRACK_H_
