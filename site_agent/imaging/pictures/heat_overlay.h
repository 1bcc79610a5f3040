// SPDX-License-Identifier: Apache-2.0
// Heat over a radiograph, for people to look at.
#ifndef HILUM_SITE_AGENT_IMAGING_PICTURES_HEAT_OVERLAY_H_
#define HILUM_SITE_AGENT_IMAGING_PICTURES_HEAT_OVERLAY_H_

#include <array>
#include <cstdint>

#include "absl/status/statusor.h"
#include "site_agent/imaging/image.h"
#include "site_agent/imaging/prepare.h"

namespace hilum {

// Red, green and blue of sRGB for a heat of 0 to 1 (beyond: the ends):
// matplotlib's "plasma" (S. van der Walt, N. Smith 2015, CC0) at its ninths,
// straight lines between. Lightness rises evenly from dark blue to yellow, so
// order survives gray print and colour blindness; no colour of it is gray.
std::array<uint8_t, 3> HeatColour(float heat);

// How much of a pixel its colour takes; the rest is radiograph.
inline constexpr float kMostHeatOpacity = 0.6f;

struct OverlayOptions {
  // Heat 0 below to 1 above, within the lower right corner, as opaque as heat
  // is there over mid gray.
  bool scale_bar = true;
};

// `image` with `heat` over it, as large and turned as `image`: each pixel
// (1 - a) * gray + a * HeatColour(h) with a = kMostHeatOpacity * h, so that
// nothing is tinted where there is no heat. INVALID_ARGUMENT: another size
// than the image's, no pixels.
absl::StatusOr<RgbImage> OverlayHeat(const GrayImage& image,
                                     const GrayImage& heat,
                                     const OverlayOptions& options);

// A heat map [size * size] of what was cut out of an image of rows x columns,
// brought back to the image: bilinear within the box, 0 outside it.
GrayImage SpreadHeat(const std::vector<float>& heat, int size, int rows,
                     int columns, const ImageBox& box);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_PICTURES_HEAT_OVERLAY_H_
