// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_LOCALIZATION_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_LOCALIZATION_H_

#include <optional>

#include "absl/types/span.h"

namespace hilum {

// How much of a heat map lies in the lungs. heat_in_lungs above lung_share:
// more than of heat spread evenly. Source: the energy-based pointing game of
// Wang et al. 2020 (Score-CAM, section 4.4), with a mask for its box.
struct Localization {
  double heat_in_lungs;  // of the map's sum, 0 to 1
  double lung_share;     // of the image, 0 to 1
};

// `heat` [pixels], at least 0; `lungs` [pixels], the share of each pixel that
// the mask covers, as PrepareWholeMask or PrepareSegmentedMask gives it.
// nullopt: no heat at all, other lengths.
std::optional<Localization> LocalizationOf(absl::Span<const float> heat,
                                           absl::Span<const float> lungs);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_LOCALIZATION_H_
