// SPDX-License-Identifier: Apache-2.0
// What a version of an image draws, in one order wherever versions are made.
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_AUGMENT_DRAWS_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_AUGMENT_DRAWS_H_

#include "common/base/rng.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Where the pixel (row, column), from the centre, is taken:
// (a row + b column + dy, a column - b row + dx), mirrored first where `flip`.
// Draws whatever the reach, so that one setting leaves the others' draws alone.
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
