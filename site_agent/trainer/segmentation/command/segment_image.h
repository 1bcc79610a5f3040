// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_SEGMENT_IMAGE_H_
#define HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_SEGMENT_IMAGE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "site_agent/imaging/image.h"
#include "site_agent/imaging/lungs/lung_mask.h"
#include "site_agent/trainer/segmentation/segmenter.h"

namespace hilum {

// Returns the image's lungs at its own size: PrepareWhole, the network, resized
// back (bilinear), > 0.5, CleanLungMask. Errors as PrepareWhole and Predict.
absl::StatusOr<BinaryMask> SegmentImage(Segmenter& segmenter,
                                        const GrayImage& image,
                                        const LungMaskOptions& options);

// Loads a file that TrainSegmenter wrote. INVALID_ARGUMENT: other weights, or a
// file without its size.
absl::StatusOr<std::unique_ptr<Segmenter>> LoadSegmenter(
    const std::string& path);

// Returns the path of the shipped weights: lungs_unet.safetensors in
// ../share/hilum relative to the folder `binaries`, else in the source tree,
// ../../site_agent/trainer/weights. NOT_FOUND: in neither.
absl::StatusOr<std::string> FindShippedWeights(const std::string& binaries);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_COMMAND_SEGMENT_IMAGE_H_
