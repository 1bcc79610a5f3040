// SPDX-License-Identifier: Apache-2.0
// Lung masks in the geometry of what a network is fed.
#ifndef HILUM_SITE_AGENT_IMAGING_LUNGS_PREPARE_MASK_H_
#define HILUM_SITE_AGENT_IMAGING_LUNGS_PREPARE_MASK_H_

#include <vector>

#include "absl/status/statusor.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// For each pixel of PrepareWhole's, or of PrepareSegmented's, which share of it
// the mask covers, 0 to 1: [size * size]. Only the size of `image` counts.
// INVALID_ARGUMENT: as SegmentedBox.
absl::StatusOr<std::vector<float>> PrepareWholeMask(const GrayImage& image,
                                                    const GrayImage& mask,
                                                    int size);
absl::StatusOr<std::vector<float>> PrepareSegmentedMask(const GrayImage& image,
                                                        const GrayImage& mask,
                                                        int size);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_LUNGS_PREPARE_MASK_H_
