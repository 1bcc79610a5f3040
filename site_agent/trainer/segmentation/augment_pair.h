// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_SEGMENTATION_AUGMENT_PAIR_H_
#define HILUM_SITE_AGENT_TRAINER_SEGMENTATION_AUGMENT_PAIR_H_

#include <cstdint>
#include <vector>

#include "common/base/rng.h"
#include "hilum/v1/study.pb.h"
#include "site_agent/imaging/prepare.h"

namespace hilum {

// An image's lungs, [size * size]: 0 none, 255 all of the pixel.
using MaskPlane = std::vector<uint8_t>;

// How far versions for segmentation go. Flips are among them: a mask of both
// lungs does not care where the heart is.
v1::Augmentation SegmentAugmentation();

// Appends a version of the image to `pixels` and the mask's to `masks`, both
// [size * size] in [0, 1]: turned, moved and scaled alike (bilinear, nothing
// beyond the border). Then the image alone: x -> clamp(contrast x + brightness)
// ^ exponent, but black stays black, and, with probability 1/2, a soft bright
// patch somewhere, as an opacity would be.
void AppendAugmentedPair(const Plane& plane, const MaskPlane& mask, int size,
                         const v1::Augmentation& reach, Rng& rng,
                         std::vector<float>& pixels, std::vector<float>& masks);
// `lungs`: 65535 all of the pixel.
void AppendAugmentedPair(const Plane& plane, const Plane& lungs, int size,
                         const v1::Augmentation& reach, Rng& rng,
                         std::vector<float>& pixels, std::vector<float>& masks);

// The same without any change.
void AppendPair(const Plane& plane, const MaskPlane& mask,
                std::vector<float>& pixels, std::vector<float>& masks);
void AppendPair(const Plane& plane, const Plane& lungs,
                std::vector<float>& pixels, std::vector<float>& masks);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_AUGMENT_PAIR_H_
