// SPDX-License-Identifier: Apache-2.0
// Which of a study's held-out cases weights learned from, in sums.
#ifndef HILUM_COORDINATOR_SEEN_BY_WEIGHTS_H_
#define HILUM_COORDINATOR_SEEN_BY_WEIGHTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "coordinator/study_result.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// One arm's cases, each of which one fold holds out, and those of them whose
// patients' images the starting weights learned from.
struct SeenInArm {
  v1::Arm arm;
  uint64_t held_out = 0;
  uint64_t seen = 0;
  std::vector<uint64_t> class_held_out, class_seen;  // [classes]
};

// Returns the counts by arm; none where the starting weights list no images.
std::vector<SeenInArm> SeenByWeights(const StudyResult& result);

// Returns sentences for whoever reads the figures: held-out cases that the
// starting weights learned from, and whether they are in the figures; starting
// weights whose images are not all listed; cases that could not be compared;
// cases that the product's networks for lung masks and orientation learned
// from. Empty: nothing is to be said.
std::vector<std::string> SeenWarnings(const StudyResult& result);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SEEN_BY_WEIGHTS_H_
