// SPDX-License-Identifier: Apache-2.0
#include "sim/phantoms/phantom.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/base/rng.h"
#include "sim/phantoms/anatomy.h"
#include "sim/phantoms/findings.h"
#include "sim/phantoms/noise.h"

namespace hilum {
namespace {

// Position of the patient on the film.
struct Placement {
  double scale;
  double cosine;
  double sine;
  Point shift;

  Point ToThorax(Point film) const {
    const double x = (film.x - shift.x) * scale;
    const double y = (film.y - shift.y) * scale;
    return {x * cosine + y * sine, -x * sine + y * cosine};
  }
};

Placement DrawPlacement(Rng& rng) {
  const double angle = 0.05 * rng.Normal();
  Placement placement;
  placement.scale = 1.04 + 0.05 * rng.Normal();
  placement.cosine = std::cos(angle);
  placement.sine = std::sin(angle);
  placement.shift = {0.03 * rng.Normal(), 0.03 * rng.Normal()};
  return placement;
}

uint16_t ToPixel(double density, const Acquisition& acquisition, double noise) {
  const double film = acquisition.offset +
                      acquisition.gain * std::pow(std::clamp(density, 0.0, 1.0),
                                                  acquisition.gamma);
  const double grain =
      acquisition.noise * noise * std::sqrt(0.3 + 1.4 * std::max(0.0, film));
  return static_cast<uint16_t>(
      std::lround(std::clamp(film + grain, 0.0, 1.0) * 65535));
}

}  // namespace

Acquisition AcquisitionOf(int site) {
  static constexpr Acquisition kMachines[] = {
      {.gamma = 1.00, .gain = 0.95, .offset = 0.02, .noise = 0.018},
      {.gamma = 0.80, .gain = 0.90, .offset = 0.06, .noise = 0.026},
      {.gamma = 1.25, .gain = 1.05, .offset = 0.00, .noise = 0.022},
  };
  return kMachines[site % 3];
}

Phantom DrawPhantom(const PhantomRequest& request) {
  Rng patient(request.seed, absl::StrCat("anatomy/", request.patient));
  const Anatomy anatomy = DrawAnatomy(patient);
  Rng film(request.seed,
           absl::StrCat("film/", request.patient, "/", request.exposure));
  const Placement placement = DrawPlacement(film);
  Acquisition acquisition = AcquisitionOf(request.site);
  acquisition.gamma *= 1 + 0.06 * film.Normal();
  const Findings findings =
      DrawFindings(FindingOf(request.label), anatomy, film);

  const int size = request.size;
  Phantom phantom{.size = size};
  phantom.pixels.reserve(static_cast<size_t>(size) * size);
  phantom.mask.reserve(static_cast<size_t>(size) * size);
  for (int row = 0; row < size; ++row) {
    for (int column = 0; column < size; ++column) {
      const Point p = placement.ToThorax(
          {(column + 0.5) * 2 / size - 1, (row + 0.5) * 2 / size - 1});
      const double healthy = HealthyDensity(anatomy, p);
      // An opacity replaces air: over the heart it adds nearly nothing.
      const double air = std::clamp((0.68 - healthy) / 0.36, 0.0, 1.0);
      const double density = healthy + air * OpacityAt(findings, anatomy, p);
      phantom.pixels.push_back(ToPixel(density, acquisition, film.Normal()));
      const double lung = std::max(LungAt(anatomy, Side::kRight, p),
                                   LungAt(anatomy, Side::kLeft, p));
      phantom.mask.push_back(lung > 0.5 ? 255 : 0);
    }
  }
  return phantom;
}

}  // namespace hilum
