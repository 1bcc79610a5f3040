// SPDX-License-Identifier: Apache-2.0
// One track's part of a task of a study of segmentation, on one segmenter.
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
// `round`, from 1: batch by batch of an order of the site's, track's and
// round's, the last one left out where it is smaller than half a batch and not
// the only one, as its statistics would be poor. Its cases then count neither
// as examples nor in the loss. A version depends on the site's draws_key, the
// case's image and the epoch alone. With too few cases for the site's
// minimum_steps (BatchSizeFor) the track is left out. Where the study
// validates, `before` is tried first. A loss or weight that is not finite
// withholds the track. Running statistics move by kMaxDelta
// (common/aggregation/ring.h) at most.
absl::Status TrainSegmentTrack(const PreparedStudy& study, Segmenter& segmenter,
                               size_t track, uint32_t round,
                               absl::Span<const float> before,
                               TrainedTrack& trained);

// The columns of EvaluateSegmentTrack's rows behind kPredictionCells: Dice and
// IoU with the case's mask, and FaultName of the mask found.
inline constexpr char kSegmentCells[] = "dice,iou,verdict";

// Tries a loaded segmenter on a track's held-out cases: their masks, at the
// network's size and tidied as SegmentImage does, against the cases' own.
// `model`: the CSV's column.
absl::Status EvaluateSegmentTrack(const PreparedStudy& study,
                                  Segmenter& segmenter, size_t track,
                                  absl::string_view model,
                                  EvaluatedTrack& evaluated);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_SEGMENT_TRACK_H_
