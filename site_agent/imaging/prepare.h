// SPDX-License-Identifier: Apache-2.0
// Prepares a decoded radiograph for a network.
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

// Resizes an image. Shrinking takes the mean of the covered input area,
// enlarging is bilinear; rows and columns separately.
GrayImage ResizeImage(const GrayImage& image, int rows, int columns);

// Returns the whole radiograph: grays stretched so that their 1st and 99th
// percentiles become 0 and 1, then resized to size x size. A flat image becomes
// black. INVALID_ARGUMENT: no pixels, a value that is not finite.
absl::StatusOr<Plane> PrepareWhole(const GrayImage& image, int size);

// Returns the lungs: grays stretched by the percentiles inside the mask (> 0.5;
// by nearest neighbour if its size differs), black outside it, cropped to its
// bounding box with 2 % of each side's length as margin, then resized.
// INVALID_ARGUMENT also: an empty mask, or one turned by 90 degrees against the
// image.
absl::StatusOr<Plane> PrepareSegmented(const GrayImage& image,
                                       const GrayImage& mask, int size);

// Part of an image: rows top .. bottom - 1, columns left .. right - 1.
struct ImageBox {
  int top, left, bottom, right;
};

// Returns the part of `image` in PrepareSegmented's plane. INVALID_ARGUMENT: no
// pixels, a value that is not finite, a mask that is empty or turned by 90
// degrees against the image.
absl::StatusOr<ImageBox> SegmentedBox(const GrayImage& image,
                                      const GrayImage& mask);

// The 1st and 99th percentile of an image's grays, by nearest rank.
struct GrayRange {
  float low = 0;
  float high = 0;
};

// Returns the range of an image that has grays[i] counts[i] times; at least one
// pixel in all.
GrayRange RangeOfCounts(absl::Span<const float> grays,
                        absl::Span<const uint32_t> counts);

// A plane of any size.
struct SizedPlane {
  int rows = 0;
  int columns = 0;
  Plane pixels;  // [rows * columns]
};

// Return the same planes for storage: in their own proportions, with a longer
// side of at most `max_side` pixels. Resized to size x size, they equal the
// planes above up to rounding, except where pixels cross a border. `range`: the
// image's, if known; null: computed.
absl::StatusOr<SizedPlane> PrepareWholeWithin(const GrayImage& image,
                                              int max_side,
                                              const GrayRange* range = nullptr);
absl::StatusOr<SizedPlane> PrepareSegmentedWithin(const GrayImage& image,
                                                  const GrayImage& mask,
                                                  int max_side);

// Returns a stored plane's grays, 0 to 1, at size x size; see ResizeImage.
GrayImage ResizeGrays(const SizedPlane& plane, int size);

// Returns the mask (> 0.5) by nearest neighbour at rows x columns, row-major,
// one bit a pixel, lowest bit first: [(rows * columns + 7) / 8].
std::string LungBits(const GrayImage& mask, int rows, int columns);
// Returns the number of set bits.
uint64_t CountBits(absl::string_view bits);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_PREPARE_H_
