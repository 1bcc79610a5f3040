// SPDX-License-Identifier: Apache-2.0
// The chest of a phantom patient, as soft shapes in thorax coordinates: x
// from -1 (the patient's right, left on the film) to 1, y from -1 (neck) to
// 1 (abdomen). Densities are on a display scale: 0 air, 1 dense bone.
#ifndef HILUM_SIM_PHANTOMS_ANATOMY_H_
#define HILUM_SIM_PHANTOMS_ANATOMY_H_

#include <cstdint>

#include "common/base/rng.h"

namespace hilum {

struct Point {
  double x;
  double y;
};

enum class Side { kRight = 0, kLeft = 1 };

// Measures that differ from patient to patient.
struct Anatomy {
  double body_width;     // half width of the chest wall
  double lung_width[2];  // half widths at mid height, by Side
  double lung_height;    // half height
  double diaphragm[2];   // y of each dome's top
  double heart_size;
  double rib_spacing;
  double rib_phase;
  double rib_slope;
  uint64_t texture_seed;
};

Anatomy DrawAnatomy(Rng& rng);

// Returns 1 inside the lung, 0 outside, with soft edges; the lung behind the
// heart counts.
double LungAt(const Anatomy& anatomy, Side side, Point p);

// Returns the point where the lung's vessels enter.
Point HilumOf(const Anatomy& anatomy, Side side);

// Returns 0 at the hilum to about 1 at the chest wall.
double Peripherality(const Anatomy& anatomy, Side side, Point p);

// Returns the healthy chest's density.
double HealthyDensity(const Anatomy& anatomy, Point p);

}  // namespace hilum

#endif  // HILUM_SIM_PHANTOMS_ANATOMY_H_
