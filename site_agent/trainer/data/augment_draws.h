// SPDX-License-Identifier: Apache-2.0
// Random draws for a version of an image; their order is the same for all
// tasks.
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_AUGMENT_DRAWS_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_AUGMENT_DRAWS_H_

#include "common/base/rng.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Maps the pixel (row, column), from the centre, to its source (a row + b
// column + dy, a column - b row + dx), mirrored first where `flip`. Draws the
// same number of values whatever the reach, so that one setting does not change
// the other draws.
struct PlaceDraw {
  double dy, dx;  // pixels
  float a, b;
  bool flip;

  PlaceDraw(const v1::Augmentation& reach, int size, Rng& rng);
};

// x -> clamp((1 + gain) x + brightness) ^ exponent.
struct GrayDraw {
  double gain, brightness, exponent;

  GrayDraw(const v1::Augmentation& reach, Rng& rng);
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_AUGMENT_DRAWS_H_
