// SPDX-License-Identifier: Apache-2.0
// Draws heat over a radiograph for people.
#ifndef HILUM_SITE_AGENT_IMAGING_PICTURES_HEAT_OVERLAY_H_
#define HILUM_SITE_AGENT_IMAGING_PICTURES_HEAT_OVERLAY_H_

#include <array>
#include <cstdint>

#include "absl/status/statusor.h"
#include "site_agent/imaging/image.h"
#include "site_agent/imaging/prepare.h"

namespace hilum {

// Returns sRGB red, green and blue for a heat of 0 to 1 (clamped): matplotlib's
// "plasma" (S. van der Walt, N. Smith 2015, CC0) at its ninths, linear between.
// Lightness rises evenly from dark blue to yellow, so that the order survives
// gray print and colour blindness; no colour of it is gray.
std::array<uint8_t, 3> HeatColour(float heat);

// Opacity of the colour at heat 1; the rest is the radiograph.
inline constexpr float kMostHeatOpacity = 0.6f;

struct OverlayOptions {
  // A bar in the lower right corner: heat 0 at the bottom to 1 at the top, with
  // the opacity of the overlay over mid gray.
  bool scale_bar = true;
};

// Draws `heat` over `image`, in the image's size and orientation. Each pixel is
// (1 - a) * gray + a * HeatColour(h) with a = kMostHeatOpacity * h, so that
// heat 0 leaves the gray. INVALID_ARGUMENT: another size than the image's, no
// pixels.
absl::StatusOr<RgbImage> OverlayHeat(const GrayImage& image,
                                     const GrayImage& heat,
                                     const OverlayOptions& options);

// Maps the heat [size * size] of a cut-out back to its image of rows x columns:
// bilinear within the box, 0 outside.
GrayImage SpreadHeat(const std::vector<float>& heat, int size, int rows,
                     int columns, const ImageBox& box);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_PICTURES_HEAT_OVERLAY_H_
