// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_TRAIN_SEGMENTER_H_
#define HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_TRAIN_SEGMENTER_H_

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "common/base/clock.h"

namespace hilum {

struct SegmentTraining {
  std::string data;  // case manifest; rows with a mask are used
  std::string out;   // .safetensors
  double minutes = 20;
  int epochs = 0;  // 0: as many as `minutes` allow
  int size = 128;
  uint64_t seed = 1;
  double hold_out = 0.2;  // share of the patients; in [0, 1)
  int threads = 2;
};

// Trains a U-Net from random weights, prints its progress, writes it, and
// judges it on the held-out patients: Dice and IoU at the images' own sizes,
// with masks cleaned as in `segment run`. If `epochs` is given, the same data,
// seed and threads give the same weights on the same machine. Without `epochs`,
// their number follows from the first one's time; it is printed, and written
// into the file's metadata with seed and data. Training always ends when the
// minutes are over. INVALID_ARGUMENT: options out of range, fewer than 16 cases
// to learn from. NOT_FOUND: the manifest, or the folder of `out`.
absl::Status TrainSegmenter(const SegmentTraining& options, Clock& clock,
                            std::ostream& out);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_TRAIN_SEGMENTER_H_
