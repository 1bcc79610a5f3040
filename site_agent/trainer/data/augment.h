// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_AUGMENT_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_AUGMENT_H_

#include <vector>

#include "common/base/rng.h"
#include "hilum/v1/study.pb.h"
#include "site_agent/imaging/prepare.h"

namespace hilum {

// Returns whether any version differs from the case itself.
bool Augments(const v1::Augmentation& reach);

// Appends a plane, [size * size], to `pixels` as floats in [0, 1].
void AppendPlane(const Plane& plane, std::vector<float>& pixels);

// Appends the plane turned, moved and scaled (bilinear, black beyond the
// border), then x -> clamp(contrast * x + brightness) ^ exponent, but black
// stays black. Each value is drawn from `rng` within `reach`. Flips only where
// the study says so, since the heart is on the left.
void AppendAugmented(const Plane& plane, int size,
                     const v1::Augmentation& reach, Rng& rng,
                     std::vector<float>& pixels);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_AUGMENT_H_
