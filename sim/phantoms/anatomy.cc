// SPDX-License-Identifier: Apache-2.0
#include "sim/phantoms/anatomy.h"

#include <algorithm>
#include <cmath>

#include "sim/phantoms/noise.h"

namespace hilum {
namespace {

double Between(Rng& rng, double low, double high) {
  return low + (high - low) * rng.Uniform();
}

double SignOf(Side side) { return side == Side::kRight ? -1 : 1; }

// The lungs lean outward toward the base.
double LungCentre(Side side, double y) {
  return SignOf(side) * (0.42 + 0.06 * y);
}

double LungWidth(const Anatomy& a, Side side, double y) {
  return a.lung_width[static_cast<int>(side)] * (1 + 0.16 * y);
}

double Body(const Anatomy& a, Point p) {
  const double shoulders = SmoothStep(-0.98, -0.62, p.y);
  const double width = 0.24 + (a.body_width - 0.24) * shoulders;
  return SmoothStep(width + 0.03, width - 0.05, std::abs(p.x));
}

double Heart(const Anatomy& a, Point p) {
  const double u = (p.x - 0.10) * 0.94 + (p.y - 0.26) * 0.34;
  const double v = -(p.x - 0.10) * 0.34 + (p.y - 0.26) * 0.94;
  const double f =
      std::hypot(u / (0.30 * a.heart_size), v / (0.235 * a.heart_size));
  return SmoothStep(1.08, 0.88, f);
}

double Spine(Point p) {
  const double vertebra = 0.75 + 0.25 * std::cos(p.y * 2 * M_PI / 0.155);
  return SmoothStep(0.115, 0.07, std::abs(p.x)) * vertebra;
}

double Trachea(Point p) {
  return SmoothStep(0.055, 0.03, std::abs(p.x - 0.01)) *
         SmoothStep(-0.12, -0.22, p.y);
}

// Posterior ribs fall outward from the spine, anterior ones inward.
double Ribs(const Anatomy& a, Point p) {
  const double reach = std::abs(p.x);
  const double cage =
      SmoothStep(a.body_width - 0.02, a.body_width - 0.1, reach) *
      SmoothStep(-0.86, -0.74, p.y) * SmoothStep(0.86, 0.62, p.y);
  const double fall = a.rib_slope * (reach - 0.7 * reach * reach);
  const auto band = [&](double y) {
    const double t = y / a.rib_spacing + a.rib_phase;
    const double phase = std::abs(t - std::floor(t) - 0.5) * 2;
    return SmoothStep(0.52, 0.80, phase) - 0.35 * SmoothStep(0.88, 1.0, phase);
  };
  return cage *
         (band(p.y + fall - 0.3 * reach) * SmoothStep(0.05, 0.12, reach) +
          0.45 * band(p.y - 1.1 * fall + 0.07) * SmoothStep(0.25, 0.45, reach));
}

double Clavicles(Point p) {
  const double reach = std::abs(p.x);
  const double line = -0.60 - 0.16 * (reach - 0.1);
  return SmoothStep(0.045, 0.022, std::abs(p.y - line)) *
         SmoothStep(0.06, 0.12, reach) * SmoothStep(0.80, 0.70, reach);
}

double Vessels(const Anatomy& a, Side side, Point p) {
  const Point hilum = HilumOf(a, side);
  const double r = std::hypot(p.x - hilum.x, (p.y - hilum.y) * 0.8);
  const double angle = std::atan2(p.y - hilum.y, p.x - hilum.x);
  // Branches fan out: in polar coordinates they are lines of equal angle.
  const double branches =
      RidgeNoise(a.texture_seed + 7, angle * 4.0, 1.6 * std::sqrt(r) + 3) *
          0.7 +
      RidgeNoise(a.texture_seed + 9, p.x * 8, p.y * 8) * 0.3;
  return branches * std::exp(-r / 0.30) + 0.8 * std::exp(-r * r / 0.008);
}

}  // namespace

Anatomy DrawAnatomy(Rng& rng) {
  Anatomy a;
  a.body_width = Between(rng, 0.84, 0.93);
  const double width = Between(rng, 0.285, 0.325);
  a.lung_width[0] = width * Between(rng, 1.0, 1.06);
  a.lung_width[1] = width * Between(rng, 0.95, 1.02);
  a.lung_height = Between(rng, 0.60, 0.68);
  const double base = Between(rng, 0.38, 0.50);
  a.diaphragm[0] = base - Between(rng, 0.02, 0.05);
  a.diaphragm[1] = base;
  a.heart_size = Between(rng, 0.88, 1.15);
  a.rib_spacing = Between(rng, 0.150, 0.175);
  a.rib_phase = rng.Uniform();
  a.rib_slope = Between(rng, 0.45, 0.65);
  a.texture_seed = rng.Next();
  return a;
}

double LungAt(const Anatomy& a, Side side, Point p) {
  const double u =
      std::abs(p.x - LungCentre(side, p.y)) / LungWidth(a, side, p.y);
  const double v = std::abs(p.y + 0.06) / a.lung_height;
  const double f = std::pow(u, 2.6) + std::pow(v, 2.2);
  const double across = (p.x - LungCentre(side, p.y)) / 0.3;
  const double dome =
      a.diaphragm[static_cast<int>(side)] + 0.10 * across * across;
  return SmoothStep(1.06, 0.90, f) * SmoothStep(0.015, -0.02, p.y - dome);
}

Point HilumOf(const Anatomy& a, Side side) {
  return {SignOf(side) * (side == Side::kRight ? 0.19 : 0.20),
          side == Side::kRight ? 0.0 : -0.04};
}

double Peripherality(const Anatomy& a, Side side, Point p) {
  const Point hilum = HilumOf(a, side);
  return std::hypot((p.x - hilum.x) / 0.52, (p.y - hilum.y) / 0.62);
}

double HealthyDensity(const Anatomy& a, Point p) {
  const double body = Body(a, p);
  const double right = LungAt(a, Side::kRight, p);
  const double left = LungAt(a, Side::kLeft, p);
  const double lung = std::max(right, left);
  const double tissue =
      0.60 + 0.10 * SmoothStep(0.1, 0.8, p.y) +
      0.05 * (FractalNoise(a.texture_seed, p.x * 3, p.y * 3, 3) - 0.5);
  double density = tissue - 0.40 * lung;
  const double heart = Heart(a, p);
  density = std::max(density, density + heart * (0.66 - density));
  density += 0.10 * Spine(p) + 0.075 * Ribs(a, p) + 0.09 * Clavicles(p);
  density -= 0.14 * Trachea(p);
  if (right > 0) density += 0.13 * right * Vessels(a, Side::kRight, p);
  if (left > 0) density += 0.13 * left * Vessels(a, Side::kLeft, p);
  return 0.02 + body * (density - 0.02);
}

}  // namespace hilum
