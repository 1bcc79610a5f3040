// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_ORIENTATION_NEGATIVES_H_
#define HILUM_SITE_AGENT_TRAINER_ORIENTATION_NEGATIVES_H_

#include <vector>

#include "common/base/rng.h"

namespace hilum {

// Appends a picture without a right orientation, [kOrientationSide,
// kOrientationSide]: up to three of noise, blocks, waves, stripes, teeth,
// slopes, discs and rectangles over each other, stretched to black and white;
// sometimes one flat gray.
void AppendNegative(Rng& rng, std::vector<float>& pixels);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_ORIENTATION_NEGATIVES_H_
