// SPDX-License-Identifier: Apache-2.0
// Defaults and rules of a study whose task is to find the lungs.
#ifndef HILUM_COMMON_CONFIG_SEGMENTATION_STUDY_H_
#define HILUM_COMMON_CONFIG_SEGMENTATION_STUDY_H_

#include <string>

#include "hilum/v1/study.pb.h"

namespace hilum {

// The architecture that finds lungs (common/model).
inline constexpr char kSegmenterName[] = "hilum_lungs_unet";

// Fills fields whose default differs there. Call before the other defaults.
void FillSegmentationDefaults(v1::Study& study);

// A field of a filled study that a study of segmentation does not allow, and
// its allowed value.
struct SegmentationFault {
  std::string field;  // empty: none
  std::string rule;
};
SegmentationFault FindSegmentationFault(const v1::Study& study);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_SEGMENTATION_STUDY_H_
