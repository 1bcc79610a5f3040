// SPDX-License-Identifier: Apache-2.0
// Prepares lung masks in the geometry of a network's input.
#ifndef HILUM_SITE_AGENT_IMAGING_LUNGS_PREPARE_MASK_H_
#define HILUM_SITE_AGENT_IMAGING_LUNGS_PREPARE_MASK_H_

#include <vector>

#include "absl/status/statusor.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// Returns the share of each pixel of PrepareWhole's, or PrepareSegmented's,
// plane that the mask covers, 0 to 1: [size * size]. Only the size of `image`
// matters. INVALID_ARGUMENT: see SegmentedBox.
absl::StatusOr<std::vector<float>> PrepareWholeMask(const GrayImage& image,
                                                    const GrayImage& mask,
                                                    int size);
absl::StatusOr<std::vector<float>> PrepareSegmentedMask(const GrayImage& image,
                                                        const GrayImage& mask,
                                                        int size);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_LUNGS_PREPARE_MASK_H_
