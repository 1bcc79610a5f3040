// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/augment.h"

#include <cmath>

namespace hilum {
namespace {

constexpr float kUnit = 1.0f / 65535.0f;

double Between(Rng& rng, double reach) {
  return (2 * rng.Uniform() - 1) * reach;
}

}  // namespace

void AppendPlane(const Plane& plane, std::vector<float>& pixels) {
  for (uint16_t v : plane) pixels.push_back(v * kUnit);
}

void AppendAugmented(const Plane& plane, int size, Rng& rng,
                     std::vector<float>& pixels) {
  const float dy = static_cast<float>(Between(rng, 0.04) * size);
  const float dx = static_cast<float>(Between(rng, 0.04) * size);
  const double scale = std::exp(Between(rng, 0.08));
  const double turn = Between(rng, 7.0 * 3.14159265358979 / 180.0);
  const float gamma = static_cast<float>(std::exp(Between(rng, 0.165)));
  const float a = static_cast<float>(std::cos(turn) * scale);
  const float b = static_cast<float>(std::sin(turn) * scale);
  const float centre = (size - 1) * 0.5f;
  auto at = [&](int r, int c) {
    bool inside = r >= 0 && c >= 0 && r < size && c < size;
    return inside ? plane[static_cast<size_t>(r) * size + c] * kUnit : 0.0f;
  };
  for (int row = 0; row < size; ++row) {
    for (int column = 0; column < size; ++column) {
      float y = a * (row - centre) + b * (column - centre) + centre + dy;
      float x = a * (column - centre) - b * (row - centre) + centre + dx;
      int r = static_cast<int>(std::floor(y));
      int c = static_cast<int>(std::floor(x));
      float v = y - r, u = x - c;
      float value = (1 - v) * ((1 - u) * at(r, c) + u * at(r, c + 1)) +
                    v * ((1 - u) * at(r + 1, c) + u * at(r + 1, c + 1));
      pixels.push_back(std::pow(value, gamma));
    }
  }
}

}  // namespace hilum
