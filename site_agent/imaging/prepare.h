// SPDX-License-Identifier: Apache-2.0
// From a decoded radiograph to what a network is fed.
#ifndef HILUM_SITE_AGENT_IMAGING_PREPARE_H_
#define HILUM_SITE_AGENT_IMAGING_PREPARE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// [size * size], row-major; 0 black, 65535 white.
using Plane = std::vector<uint16_t>;

// Each output pixel is the mean of the input area it covers where the image
// shrinks, bilinear where it grows; row and column separately.
GrayImage ResizeImage(const GrayImage& image, int rows, int columns);

// The whole radiograph: grays stretched so that their 1st and 99th
// percentiles become 0 and 1, then resized to size x size. A flat image
// becomes black. INVALID_ARGUMENT: no pixels, a value that is not finite.
absl::StatusOr<Plane> PrepareWhole(const GrayImage& image, int size);

// The lungs: grays stretched by the percentiles inside the mask (> 0.5; taken
// by nearest neighbour if its size differs), black outside it, cropped to its
// bounding box with 2 % of each side's length as margin, then resized.
// INVALID_ARGUMENT also: an empty mask, or one that lies across the image.
absl::StatusOr<Plane> PrepareSegmented(const GrayImage& image,
                                       const GrayImage& mask, int size);

// Part of an image: rows top .. bottom - 1, columns left .. right - 1.
struct ImageBox {
  int top, left, bottom, right;
};

// What PrepareSegmented keeps of `image`. INVALID_ARGUMENT: no pixels, a value
// that is not finite, a mask that is empty or lies across the image.
absl::StatusOr<ImageBox> SegmentedBox(const GrayImage& image,
                                      const GrayImage& mask);

// The 1st and 99th percentile of an image's grays, by nearest rank.
struct GrayRange {
  float low = 0;
  float high = 0;
};

// Of the image that has grays[i] counts[i] times, once at least in all.
GrayRange RangeOfCounts(absl::Span<const float> grays,
                        absl::Span<const uint32_t> counts);

// Of any size.
struct SizedPlane {
  int rows = 0;
  int columns = 0;
  Plane pixels;  // [rows * columns]
};

// The same planes as they are kept for later: in their own proportions, the
// longer side `max_side` pixels, or as it is where it is not longer. Resized to
// size x size they are what the functions above give, but for rounding and
// where pixels straddle. `range`: the image's, where it is known; null: found.
absl::StatusOr<SizedPlane> PrepareWholeWithin(const GrayImage& image,
                                              int max_side,
                                              const GrayRange* range = nullptr);
absl::StatusOr<SizedPlane> PrepareSegmentedWithin(const GrayImage& image,
                                                  const GrayImage& mask,
                                                  int max_side);

// Such a plane's grays, 0 to 1, at size x size, by the rule of ResizeImage.
GrayImage ResizeGrays(const SizedPlane& plane, int size);

// The mask (> 0.5) by nearest neighbour at rows x columns, row-major, one bit a
// pixel, the first in the lowest: [(rows * columns + 7) / 8].
std::string LungBits(const GrayImage& mask, int rows, int columns);
// How many are set.
uint64_t CountBits(absl::string_view bits);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_PREPARE_H_
