// SPDX-License-Identifier: Apache-2.0
#include "sim/phantoms/findings.h"

#include <algorithm>
#include <cmath>

#include "sim/phantoms/noise.h"

namespace hilum {
namespace {

constexpr Side kSides[] = {Side::kRight, Side::kLeft};

double Between(Rng& rng, double low, double high) {
  return low + (high - low) * rng.Uniform();
}

// Draws a patch near the chest wall, more often low than high.
Patch DrawPatch(const Anatomy& anatomy, Side side, double severity, Rng& rng) {
  const double y = 0.42 - 0.75 * rng.Uniform() * rng.Uniform();
  const double sign = side == Side::kRight ? -1 : 1;
  const double edge =
      0.42 + 0.06 * y + anatomy.lung_width[static_cast<int>(side)];
  return {.side = side,
          .centre = {sign * (edge - Between(rng, 0.06, 0.15)), y},
          .radius_x = Between(rng, 0.08, 0.14),
          .radius_y = Between(rng, 0.09, 0.17),
          .density = severity * Between(rng, 0.18, 0.28)};
}

double GroundGlass(const Findings& f, const Anatomy& a, Point p) {
  double sum = 0;
  for (const Patch& patch : f.patches) {
    const double lung = LungAt(a, patch.side, p);
    if (lung == 0) continue;
    const double u = (p.x - patch.centre.x) / patch.radius_x;
    const double v = (p.y - patch.centre.y) / patch.radius_y;
    const double ragged =
        u * u + v * v +
        1.1 * (FractalNoise(f.texture_seed, p.x * 9, p.y * 9, 3) - 0.5);
    sum = std::max(sum, patch.density * lung * SmoothStep(1.3, 0.2, ragged));
  }
  const double haze = FractalNoise(f.texture_seed + 5, p.x * 14, p.y * 14, 2);
  return sum * (0.75 + 0.5 * haze);
}

double Consolidation(const Findings& f, const Anatomy& a, Point p) {
  const double lung = LungAt(a, f.side, p);
  if (lung == 0) return 0;
  // The border is sharp at the fissure and ragged at the other end.
  const double tilt = f.fissure_slope * (std::abs(p.x) - 0.4);
  const double ragged =
      0.12 * (FractalNoise(f.texture_seed, p.x * 6, p.y * 6, 3) - 0.5);
  const double lobe =
      SmoothStep(f.lobe_top - 0.02, f.lobe_top + 0.02, p.y + tilt) *
      SmoothStep(f.lobe_bottom + 0.07, f.lobe_bottom - 0.07, p.y + ragged);
  const Point hilum = HilumOf(a, f.side);
  const double r = std::hypot(p.x - hilum.x, p.y - hilum.y);
  const double angle = std::atan2(p.y - hilum.y, p.x - hilum.x);
  const double bronchi =
      RidgeNoise(f.texture_seed + 3, angle * 3.2, 1.2 * r + 2) *
      SmoothStep(0.55, 0.2, r);
  return lung * lobe * f.severity * (0.34 - 0.20 * bronchi);
}

double Reticular(const Findings& f, const Anatomy& a, Point p) {
  double sum = 0;
  for (Side side : kSides) {
    const double lung = LungAt(a, side, p);
    if (lung == 0) continue;
    const double inner = 1 - 0.55 * std::min(1.0, Peripherality(a, side, p));
    const double net =
        std::max(RidgeNoise(f.texture_seed, p.x * 13, p.y * 13),
                 RidgeNoise(f.texture_seed + 11, p.x * 21, p.y * 21));
    sum += lung * inner * (0.15 * net + 0.045);
  }
  return f.severity * sum;
}

}  // namespace

Finding FindingOf(absl::string_view label) {
  if (label == "covid19") return Finding::kGroundGlass;
  if (label == "bacterial") return Finding::kLobarConsolidation;
  if (label == "viral") return Finding::kInterstitialReticular;
  return Finding::kNone;
}

Findings DrawFindings(Finding kind, const Anatomy& anatomy, Rng& rng) {
  Findings f;
  f.kind = kind;
  f.severity = Between(rng, 0.55, 1.0);
  f.texture_seed = rng.Next();
  if (kind == Finding::kGroundGlass) {
    for (Side side : kSides) {
      const int count = 2 + static_cast<int>(rng.Below(3));
      for (int i = 0; i < count; ++i) {
        f.patches.push_back(DrawPatch(anatomy, side, f.severity, rng));
      }
    }
  } else if (kind == Finding::kLobarConsolidation) {
    f.side = rng.Below(2) == 0 ? Side::kRight : Side::kLeft;
    const double tops[] = {-0.55, -0.12, 0.12};
    const int lobe = static_cast<int>(rng.Below(3));
    f.lobe_top = tops[lobe] + Between(rng, -0.04, 0.04);
    f.lobe_bottom = f.lobe_top + Between(rng, 0.32, 0.44);
    f.fissure_slope = Between(rng, -0.25, 0.25);
  }
  return f;
}

double OpacityAt(const Findings& findings, const Anatomy& anatomy, Point p) {
  switch (findings.kind) {
    case Finding::kNone:
      return 0;
    case Finding::kGroundGlass:
      return GroundGlass(findings, anatomy, p);
    case Finding::kLobarConsolidation:
      return Consolidation(findings, anatomy, p);
    case Finding::kInterstitialReticular:
      return Reticular(findings, anatomy, p);
  }
  return 0;
}

}  // namespace hilum
