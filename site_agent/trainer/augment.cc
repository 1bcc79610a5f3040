// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/augment.h"

#include <algorithm>
#include <cmath>

namespace hilum {
namespace {

constexpr float kUnit = 1.0f / 65535.0f;
constexpr double kRadiansPerDegree = 3.14159265358979 / 180.0;

// Even over [-reach, reach]; draws also where nothing is drawn from, so that
// one setting leaves the others' draws alone.
double Between(Rng& rng, double reach) {
  return (2 * rng.Uniform() - 1) * reach;
}

// A version's place in its plane: output (row, column) is taken at
// (a * row' + b * column' + dy, ...), both from the centre.
struct Geometry {
  float a, b, dy, dx;
  bool flip;

  Geometry(const v1::Augmentation& reach, int size, Rng& rng) {
    dy = static_cast<float>(Between(rng, reach.shift()) * size);
    dx = static_cast<float>(Between(rng, reach.shift()) * size);
    const double scale = std::exp(Between(rng, reach.scale()));
    const double turn =
        Between(rng, reach.rotation_degrees() * kRadiansPerDegree);
    a = static_cast<float>(std::cos(turn) * scale);
    b = static_cast<float>(std::sin(turn) * scale);
    flip = rng.Uniform() < 0.5 && reach.flip();
  }
};

struct Grays {
  float contrast, brightness, exponent;

  Grays(const v1::Augmentation& reach, Rng& rng)
      : contrast(1 + static_cast<float>(Between(rng, reach.intensity()))),
        brightness(static_cast<float>(Between(rng, reach.intensity()))),
        exponent(static_cast<float>(std::exp(Between(rng, reach.gamma())))) {}

  // Black stays black: what lies outside lungs and borders.
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
  const Geometry g(reach, size, rng);
  const Grays grays(reach, rng);
  const float centre = (size - 1) * 0.5f;
  auto at = [&](int r, int c) {
    bool inside = r >= 0 && c >= 0 && r < size && c < size;
    return inside ? plane[static_cast<size_t>(r) * size + c] * kUnit : 0.0f;
  };
  for (int row = 0; row < size; ++row) {
    for (int i = 0; i < size; ++i) {
      const int column = g.flip ? size - 1 - i : i;
      float y =
          g.a * (row - centre) + g.b * (column - centre) + centre + g.dy;
      float x =
          g.a * (column - centre) - g.b * (row - centre) + centre + g.dx;
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
