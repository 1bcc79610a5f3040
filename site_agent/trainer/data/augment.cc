// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/augment.h"

#include <algorithm>
#include <cmath>

#include "site_agent/trainer/data/augment_draws.h"

namespace hilum {
namespace {

constexpr float kUnit = 1.0f / 65535.0f;

struct Grays {
  float contrast, brightness, exponent;

  explicit Grays(const GrayDraw& draw)
      : contrast(1 + static_cast<float>(draw.gain)),
        brightness(static_cast<float>(draw.brightness)),
        exponent(static_cast<float>(draw.exponent)) {}

  // Black stays black: it is outside the lungs or the image.
  float operator()(float x) const {
    if (x <= 0) return 0;
    const float moved = std::clamp(contrast * x + brightness, 0.0f, 1.0f);
    return exponent == 1 ? moved : std::pow(moved, exponent);
  }
};

}  // namespace

bool Augments(const v1::Augmentation& reach) {
  return reach.rotation_degrees() != 0 || reach.shift() != 0 ||
         reach.scale() != 0 || reach.intensity() != 0 || reach.gamma() != 0 ||
         reach.flip();
}

void AppendPlane(const Plane& plane, std::vector<float>& pixels) {
  for (uint16_t v : plane) pixels.push_back(v * kUnit);
}

void AppendAugmented(const Plane& plane, int size,
                     const v1::Augmentation& reach, Rng& rng,
                     std::vector<float>& pixels) {
  const PlaceDraw g(reach, size, rng);
  const Grays grays(GrayDraw(reach, rng));
  const float dy = static_cast<float>(g.dy), dx = static_cast<float>(g.dx);
  const float centre = (size - 1) * 0.5f;
  auto at = [&](int r, int c) {
    bool inside = r >= 0 && c >= 0 && r < size && c < size;
    return inside ? plane[static_cast<size_t>(r) * size + c] * kUnit : 0.0f;
  };
  for (int row = 0; row < size; ++row) {
    for (int i = 0; i < size; ++i) {
      const int column = g.flip ? size - 1 - i : i;
      float y = g.a * (row - centre) + g.b * (column - centre) + centre + dy;
      float x = g.a * (column - centre) - g.b * (row - centre) + centre + dx;
      int r = static_cast<int>(std::floor(y));
      int c = static_cast<int>(std::floor(x));
      float v = y - r, u = x - c;
      float value = (1 - v) * ((1 - u) * at(r, c) + u * at(r, c + 1)) +
                    v * ((1 - u) * at(r + 1, c) + u * at(r + 1, c + 1));
      pixels.push_back(grays(value));
    }
  }
}

}  // namespace hilum
