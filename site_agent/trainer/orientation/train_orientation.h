// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_ORIENTATION_TRAIN_ORIENTATION_H_
#define HILUM_SITE_AGENT_TRAINER_ORIENTATION_TRAIN_ORIENTATION_H_

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "common/base/clock.h"

namespace hilum {

struct OrientationTraining {
  std::string data;  // case manifest of upright frontal chest radiographs
  std::string out;   // .safetensors
  int epochs = 60;
  int folds = 5;  // 0: no fold is held out
  uint64_t seed = 1;
  int threads = 2;
};

// Cross-validates, then trains on all patients and writes that network. The
// printed table is from the folds: each image is judged by a network that was
// trained without its patient. The same data, epochs, folds, seed and threads
// give the same file on the same machine. INVALID_ARGUMENT: options out of
// range, fewer than 16 images to learn from. NOT_FOUND: the manifest, the
// folder of `out`.
absl::Status TrainOrientation(const OrientationTraining& options, Clock& clock,
                              std::ostream& out);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_ORIENTATION_TRAIN_ORIENTATION_H_
