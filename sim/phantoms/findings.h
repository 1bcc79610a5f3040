// SPDX-License-Identifier: Apache-2.0
// Opacities whose place and texture depend on the class.
#ifndef HILUM_SIM_PHANTOMS_FINDINGS_H_
#define HILUM_SIM_PHANTOMS_FINDINGS_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/rng.h"
#include "sim/phantoms/anatomy.h"

namespace hilum {

enum class Finding {
  kNone,                   // normal
  kGroundGlass,            // covid19: patches, both sides, outer and lower
  kLobarConsolidation,     // bacterial: one dense lobe, air bronchograms
  kInterstitialReticular,  // viral: fine net, both sides, from the hila
};

// Returns the finding for a label; kNone for a label without a meaning here.
Finding FindingOf(absl::string_view label);

struct Patch {
  Side side;
  Point centre;
  double radius_x;
  double radius_y;
  double density;
};

// The findings of one radiograph.
struct Findings {
  Finding kind = Finding::kNone;
  double severity = 0;         // about 0.3 to 1
  std::vector<Patch> patches;  // kGroundGlass
  Side side = Side::kRight;    // kLobarConsolidation
  double lobe_top = 0;         // its y range
  double lobe_bottom = 0;
  double fissure_slope = 0;
  uint64_t texture_seed = 0;
};

Findings DrawFindings(Finding kind, const Anatomy& anatomy, Rng& rng);

// Returns the density to add to the healthy chest's.
double OpacityAt(const Findings& findings, const Anatomy& anatomy, Point p);

}  // namespace hilum

#endif  // HILUM_SIM_PHANTOMS_FINDINGS_H_
