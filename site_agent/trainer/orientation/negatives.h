// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_ORIENTATION_NEGATIVES_H_
#define HILUM_SITE_AGENT_TRAINER_ORIENTATION_NEGATIVES_H_

#include <vector>

#include "common/base/rng.h"

namespace hilum {

// Appends a picture of nothing [kOrientationSide, kOrientationSide], of which
// no way up is the right one: up to three of noise, blocks, waves, stripes,
// teeth, slopes, discs and rectangles, one over the other, stretched to black
// and white; at times flat.
void AppendNegative(Rng& rng, std::vector<float>& pixels);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_ORIENTATION_NEGATIVES_H_
