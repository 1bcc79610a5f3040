// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/orientation/negatives.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "site_agent/imaging/upright/orientation_network.h"

namespace hilum {
namespace {

constexpr int kSide = kOrientationSide;
constexpr double kPi = 3.14159265358979;

double Between(Rng& rng, double low, double high) {
  return low + (high - low) * rng.Uniform();
}

// Draws from `low` to `high`, uniformly in the logarithm.
double Scale(Rng& rng, double low, double high) {
  return low * std::pow(high / low, rng.Uniform());
}

class Picture {
 public:
  void AddNoise(Rng& rng, double strength) {
    for (double& v : values_) v += strength * rng.Normal();
  }
  void AddBlocks(Rng& rng, double strength) {
    const int size = static_cast<int>(Scale(rng, 2, 33));
    const int across = (kSide + size - 1) / size;
    std::vector<double> grays(static_cast<size_t>(across) * across);
    for (double& gray : grays) gray = rng.Uniform();
    Add(strength, [&](int row, int column) {
      return grays[static_cast<size_t>(row / size) * across + column / size];
    });
  }
  // Adds sine, square or sawtooth waves; in one direction, or two crossed.
  void AddWaves(Rng& rng, double strength) {
    const double angle = Between(rng, 0, 2 * kPi), phase = Between(rng, 0, 7);
    const double waves = Scale(rng, 0.4, 30) * 2 * kPi / kSide;
    const bool straight = rng.Below(3) == 0;
    const double down = waves * (straight ? 1.0 : std::sin(angle));
    const double along = waves * (straight ? 0.0 : std::cos(angle));
    const double other = Scale(rng, 0.2, 10) * 2 * kPi / kSide;
    const uint64_t shape = rng.Below(4);
    const bool swap = rng.Below(2) == 0;
    Add(strength, [&](int row, int column) {
      if (swap) std::swap(row, column);
      const double t = row * down + column * along + phase;
      if (shape == 0) return std::sin(t);
      if (shape == 1) return std::sin(t) > 0 ? 1.0 : 0.0;
      if (shape == 2) return t / (2 * kPi) - std::floor(t / (2 * kPi));
      return std::sin(t) * std::cos((column - kSide / 2) * other);
    });
  }
  void AddSlope(Rng& rng, double strength) {
    const double angle = rng.Below(2) == 0
                             ? Between(rng, 0, 2 * kPi)
                             : static_cast<double>(rng.Below(4)) * kPi / 2;
    const double power = Scale(rng, 0.5, 2);
    Add(strength, [&](int row, int column) {
      const double t = (row * std::sin(angle) + column * std::cos(angle));
      return std::pow(std::clamp(t / (2 * kSide) + 0.5, 0.0, 1.0), power);
    });
  }
  void AddShapes(Rng& rng, double strength) {
    for (uint64_t more = rng.Below(4) + 1; more > 0; --more) {
      const double top = Between(rng, -8, kSide),
                   left = Between(rng, -8, kSide);
      const double high = Scale(rng, 4, kSide), wide = Scale(rng, 4, kSide);
      const double sign = rng.Below(2) == 0 ? strength : -strength;
      const uint64_t shape = rng.Below(3);
      Add(sign, [&](int row, int column) {
        const double y = (row - top) / high, x = (column - left) / wide;
        if (shape == 0) return y > 0 && y < 1 && x > 0 && x < 1 ? 1.0 : 0.0;
        if (shape == 1) return y * y + x * x < 0.25 ? 1.0 : 0.0;
        return std::exp(-4 * (y * y + x * x));
      });
    }
  }
  void AppendTo(std::vector<float>& pixels) const {
    const auto [low, high] =
        std::minmax_element(values_.begin(), values_.end());
    const double range = *high - *low;
    for (double v : values_) {
      pixels.push_back(range > 0 ? static_cast<float>((v - *low) / range)
                                 : 0.0f);
    }
  }

 private:
  template <typename Gray>
  void Add(double strength, Gray gray) {
    for (int row = 0; row < kSide; ++row) {
      for (int column = 0; column < kSide; ++column) {
        values_[static_cast<size_t>(row) * kSide + column] +=
            strength * gray(row, column);
      }
    }
  }

  std::vector<double> values_ =
      std::vector<double>(static_cast<size_t>(kSide) * kSide);
};

}  // namespace

void AppendNegative(Rng& rng, std::vector<float>& pixels) {
  Picture picture;
  const bool flat = rng.Below(30) == 0;
  for (uint64_t layers = flat ? 0 : rng.Below(3) + 1; layers > 0; --layers) {
    const double strength = Scale(rng, 0.05, 1);
    switch (rng.Below(6)) {
      case 0:
        picture.AddNoise(rng, strength);
        break;
      case 1:
        picture.AddBlocks(rng, strength);
        break;
      case 2:
        picture.AddSlope(rng, strength);
        break;
      case 3:
        picture.AddShapes(rng, strength);
        break;
      default:
        picture.AddWaves(rng, strength);
    }
  }
  picture.AppendTo(pixels);
}

}  // namespace hilum
