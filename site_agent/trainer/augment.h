// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_AUGMENT_H_
#define HILUM_SITE_AGENT_TRAINER_AUGMENT_H_

#include <vector>

#include "common/base/rng.h"
#include "site_agent/imaging/prepare.h"

namespace hilum {

// Appends a plane, [size * size], to `pixels` as floats in [0, 1].
void AppendPlane(const Plane& plane, std::vector<float>& pixels);

// The same, moved by up to 4 % of its side, scaled by up to 8 %, turned by up
// to 7 degrees, with a gamma of 0.85 to 1.18; black beyond the border. Never
// flipped: the heart is on the left.
void AppendAugmented(const Plane& plane, int size, Rng& rng,
                     std::vector<float>& pixels);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_AUGMENT_H_
