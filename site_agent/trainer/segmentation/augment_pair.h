// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_SEGMENTATION_AUGMENT_PAIR_H_
#define HILUM_SITE_AGENT_TRAINER_SEGMENTATION_AUGMENT_PAIR_H_

#include <cstdint>
#include <vector>

#include "common/base/rng.h"
#include "hilum/v1/study.pb.h"
#include "site_agent/imaging/prepare.h"

namespace hilum {

// An image's lungs, [size * size]: 0 no lung, 255 the whole pixel.
using MaskPlane = std::vector<uint8_t>;

// Returns the augmentation for segmentation. It flips images: a mask of both
// lungs does not depend on the heart's side.
v1::Augmentation SegmentAugmentation();

// Appends a version of the image to `pixels` and of the mask to `masks`, both
// [size * size] in [0, 1]: turned, moved and scaled alike (bilinear, 0 beyond
// the border). Then changes the image alone: x -> clamp(contrast x +
// brightness) ^ exponent, but black stays black, and with probability 1/2 a
// soft bright patch that imitates an opacity.
void AppendAugmentedPair(const Plane& plane, const MaskPlane& mask, int size,
                         const v1::Augmentation& reach, Rng& rng,
                         std::vector<float>& pixels, std::vector<float>& masks);
// `lungs`: 65535 is the whole pixel.
void AppendAugmentedPair(const Plane& plane, const Plane& lungs, int size,
                         const v1::Augmentation& reach, Rng& rng,
                         std::vector<float>& pixels, std::vector<float>& masks);

// Appends image and mask unchanged.
void AppendPair(const Plane& plane, const MaskPlane& mask,
                std::vector<float>& pixels, std::vector<float>& masks);
void AppendPair(const Plane& plane, const Plane& lungs,
                std::vector<float>& pixels, std::vector<float>& masks);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_AUGMENT_PAIR_H_
