// SPDX-License-Identifier: Apache-2.0
// Counts the lung masks that could not be used, of one site or of a cohort.
#ifndef HILUM_COORDINATOR_REPORT_LUNG_MASKS_H_
#define HILUM_COORDINATOR_REPORT_LUNG_MASKS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "google/protobuf/repeated_field.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

struct MaskCount {
  uint64_t rejected = 0;  // do not look like two lungs
  // Cases that came with a mask, used or rejected. Absent for a class where no
  // arm of the study counts its masks.
  std::optional<uint64_t> with_mask;

  // Returns the rejected share; absent without masks.
  std::optional<double> Share() const;
};

struct MaskCounts {
  std::vector<MaskCount> classes;
  MaskCount all;
};

// Returns nothing where the study reads no masks, does not judge them, or is
// older than these counts. `arms` have the study's shape.
std::optional<MaskCounts> CountMasks(
    const v1::Study& study,
    const google::protobuf::RepeatedPtrField<v1::ArmCensus>& arms,
    const google::protobuf::RepeatedField<uint64_t>& rejected_masks);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_LUNG_MASKS_H_
