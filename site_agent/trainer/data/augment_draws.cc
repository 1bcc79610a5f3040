// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/augment_draws.h"

#include <cmath>

namespace hilum {
namespace {

constexpr double kRadiansPerDegree = 3.14159265358979 / 180.0;

// Draws uniformly from [-reach, reach].
double Between(Rng& rng, double reach) {
  return (2 * rng.Uniform() - 1) * reach;
}

}  // namespace

PlaceDraw::PlaceDraw(const v1::Augmentation& reach, int size, Rng& rng) {
  dy = Between(rng, reach.shift()) * size;
  dx = Between(rng, reach.shift()) * size;
  const double scale = std::exp(Between(rng, reach.scale()));
  const double turn =
      Between(rng, reach.rotation_degrees() * kRadiansPerDegree);
  a = static_cast<float>(std::cos(turn) * scale);
  b = static_cast<float>(std::sin(turn) * scale);
  flip = rng.Uniform() < 0.5 && reach.flip();
}

GrayDraw::GrayDraw(const v1::Augmentation& reach, Rng& rng)
    : gain(Between(rng, reach.intensity())),
      brightness(Between(rng, reach.intensity())),
      exponent(std::exp(Between(rng, reach.gamma()))) {}

}  // namespace hilum
