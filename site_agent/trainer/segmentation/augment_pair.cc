// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/augment_pair.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "site_agent/trainer/data/augment_draws.h"

namespace hilum {
namespace {

constexpr float kPixelUnit = 1.0f / 65535.0f;

// Returns 1 / the value of a pixel that is all lung.
float UnitOf(const MaskPlane&) { return 1.0f / 255.0f; }
float UnitOf(const Plane&) { return kPixelUnit; }

// Moves a draw's origin from the centre to the corner.
struct Corner {
  float y, x;

  Corner(const PlaceDraw& g, int size) {
    const float centre = (size - 1) * 0.5f;
    y = static_cast<float>(centre + g.dy) - (g.a + g.b) * centre;
    x = static_cast<float>(centre + g.dx) - (g.a - g.b) * centre;
  }
};

// Four neighbours and their weights; skips those outside the image.
struct Sample {
  size_t at[4];
  float weight[4];
  int count = 0;

  Sample(float y, float x, int size) {
    const int r = static_cast<int>(std::floor(y));
    const int c = static_cast<int>(std::floor(x));
    const float v = y - r, u = x - c;
    for (int i = 0; i < 4; ++i) {
      const int row = r + i / 2, column = c + i % 2;
      if (row < 0 || column < 0 || row >= size || column >= size) continue;
      at[count] = static_cast<size_t>(row) * size + column;
      weight[count++] = (i / 2 ? v : 1 - v) * (i % 2 ? u : 1 - u);
    }
  }
  template <typename Values>
  float Of(const Values& values) const {
    float sum = 0;
    for (int i = 0; i < count; ++i) sum += weight[i] * values[at[i]];
    return sum;
  }
};

// Tabulates x -> clamp(contrast x + brightness) ^ exponent in 256 steps.
class Grays {
 public:
  explicit Grays(const GrayDraw& draw) {
    for (int i = 0; i <= kSteps; ++i) {
      const double moved = (1 + draw.gain) * i / kSteps + draw.brightness;
      table_[i] = static_cast<float>(
          std::pow(std::clamp(moved, 0.0, 1.0), draw.exponent));
    }
  }
  float operator()(float x) const {
    if (x <= 0) return 0;
    const float place = std::min(x, 1.0f) * kSteps;
    const int step = std::min(static_cast<int>(place), kSteps - 1);
    const float rest = place - step;
    return (1 - rest) * table_[step] + rest * table_[step + 1];
  }

 private:
  static constexpr int kSteps = 256;
  float table_[kSteps + 1];
};

// Adds strength * (1 - d^2 / radius^2)^2 within the radius.
struct Patch {
  float row, column, radius, strength;

  Patch(int size, Rng& rng) {
    row = static_cast<float>(rng.Uniform() * size);
    column = static_cast<float>(rng.Uniform() * size);
    radius = static_cast<float>((0.08 + 0.22 * rng.Uniform()) * size);
    strength = static_cast<float>(0.2 + 0.4 * rng.Uniform());
    if (rng.Uniform() < 0.5) strength = 0;
  }
  void AddTo(float* pixels, int size) const {
    if (strength == 0) return;
    const int top = std::max(0, static_cast<int>(row - radius));
    const int bottom = std::min(size - 1, static_cast<int>(row + radius));
    for (int r = top; r <= bottom; ++r) {
      for (int c = 0; c < size; ++c) {
        const float dy = r - row, dx = c - column;
        const float near = 1 - (dy * dy + dx * dx) / (radius * radius);
        float& pixel = pixels[static_cast<size_t>(r) * size + c];
        if (near <= 0 || pixel <= 0) continue;
        pixel = std::min(1.0f, pixel + strength * near * near);
      }
    }
  }
};

template <typename Mask>
void AppendAugmented(const Plane& plane, const Mask& mask, int size,
                     const v1::Augmentation& reach, Rng& rng,
                     std::vector<float>& pixels, std::vector<float>& masks) {
  const PlaceDraw g(reach, size, rng);
  const Grays grays(GrayDraw(reach, rng));
  const Corner corner(g, size);
  const Patch patch(size, rng);
  const float mask_unit = UnitOf(mask);
  const size_t start = pixels.size();
  for (int row = 0; row < size; ++row) {
    for (int i = 0; i < size; ++i) {
      const int column = g.flip ? size - 1 - i : i;
      const Sample sample(g.a * row + g.b * column + corner.y,
                          g.a * column - g.b * row + corner.x, size);
      pixels.push_back(grays(sample.Of(plane) * kPixelUnit));
      masks.push_back(sample.Of(mask) * mask_unit);
    }
  }
  patch.AddTo(pixels.data() + start, size);
}

template <typename Mask>
void Append(const Plane& plane, const Mask& mask, std::vector<float>& pixels,
            std::vector<float>& masks) {
  const float mask_unit = UnitOf(mask);
  for (uint16_t v : plane) pixels.push_back(v * kPixelUnit);
  for (auto v : mask) masks.push_back(v * mask_unit);
}

}  // namespace

v1::Augmentation SegmentAugmentation() {
  v1::Augmentation reach;
  reach.set_rotation_degrees(12);
  reach.set_shift(0.08);
  reach.set_scale(0.18);
  reach.set_intensity(0.2);
  reach.set_gamma(0.35);
  reach.set_flip(true);
  return reach;
}

void AppendAugmentedPair(const Plane& plane, const MaskPlane& mask, int size,
                         const v1::Augmentation& reach, Rng& rng,
                         std::vector<float>& pixels,
                         std::vector<float>& masks) {
  AppendAugmented(plane, mask, size, reach, rng, pixels, masks);
}

void AppendAugmentedPair(const Plane& plane, const Plane& lungs, int size,
                         const v1::Augmentation& reach, Rng& rng,
                         std::vector<float>& pixels,
                         std::vector<float>& masks) {
  AppendAugmented(plane, lungs, size, reach, rng, pixels, masks);
}

void AppendPair(const Plane& plane, const MaskPlane& mask,
                std::vector<float>& pixels, std::vector<float>& masks) {
  Append(plane, mask, pixels, masks);
}

void AppendPair(const Plane& plane, const Plane& lungs,
                std::vector<float>& pixels, std::vector<float>& masks) {
  Append(plane, lungs, pixels, masks);
}

}  // namespace hilum
