// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_LOCALIZATION_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_LOCALIZATION_H_

#include <optional>

#include "absl/types/span.h"

namespace hilum {

// How much of a heat map lies in the lungs. heat_in_lungs above lung_share
// means more heat there than an even map has. Source: the energy-based pointing
// game of Wang et al. 2020 (Score-CAM, section 4.4), with a mask instead of a
// box.
struct Localization {
  double heat_in_lungs;  // share of the map's sum, 0 to 1
  double lung_share;     // share of the image, 0 to 1
};

// Compares `heat` [pixels], at least 0, with `lungs` [pixels], the share of
// each pixel that the mask covers (PrepareWholeMask, PrepareSegmentedMask).
// nullopt: no heat at all, or lengths that differ.
std::optional<Localization> LocalizationOf(absl::Span<const float> heat,
                                           absl::Span<const float> lungs);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_LOCALIZATION_H_
