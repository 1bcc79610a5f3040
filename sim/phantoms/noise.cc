// SPDX-License-Identifier: Apache-2.0
#include "sim/phantoms/noise.h"

#include <algorithm>
#include <cmath>

namespace hilum {
namespace {

// Returns one lattice point's value, by the mixing steps of SplitMix64.
double LatticeValue(uint64_t seed, int64_t x, int64_t y) {
  uint64_t z = seed + 0x9e3779b97f4a7c15ull * static_cast<uint64_t>(x) +
               0xc2b2ae3d27d4eb4full * static_cast<uint64_t>(y);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1p-53;
}

double Mix(double a, double b, double t) { return a + (b - a) * t; }

}  // namespace

double ValueNoise(uint64_t seed, double x, double y) {
  const double floor_x = std::floor(x);
  const double floor_y = std::floor(y);
  const int64_t i = static_cast<int64_t>(floor_x);
  const int64_t j = static_cast<int64_t>(floor_y);
  const double tx = SmoothStep(0, 1, x - floor_x);
  const double ty = SmoothStep(0, 1, y - floor_y);
  return Mix(
      Mix(LatticeValue(seed, i, j), LatticeValue(seed, i + 1, j), tx),
      Mix(LatticeValue(seed, i, j + 1), LatticeValue(seed, i + 1, j + 1), tx),
      ty);
}

double FractalNoise(uint64_t seed, double x, double y, int octaves) {
  double sum = 0, strength = 0.5, total = 0;
  for (int octave = 0; octave < octaves; ++octave) {
    sum += strength * ValueNoise(seed + octave, x, y);
    total += strength;
    strength /= 2;
    x *= 2;
    y *= 2;
  }
  return sum / total;
}

double RidgeNoise(uint64_t seed, double x, double y) {
  const double distance = std::abs(FractalNoise(seed, x, y, 2) - 0.5);
  const double ridge = 1 - std::min(1.0, distance * 12);
  return ridge * ridge;
}

double SmoothStep(double low, double high, double value) {
  const double t = std::clamp((value - low) / (high - low), 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

}  // namespace hilum
