// SPDX-License-Identifier: Apache-2.0
// From a decoded radiograph to what a network is fed.
#ifndef HILUM_SITE_AGENT_IMAGING_PREPARE_H_
#define HILUM_SITE_AGENT_IMAGING_PREPARE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
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
// INVALID_ARGUMENT also: an empty mask.
absl::StatusOr<Plane> PrepareSegmented(const GrayImage& image,
                                       const GrayImage& mask, int size);

// Part of an image: rows top .. bottom - 1, columns left .. right - 1.
struct ImageBox {
  int top, left, bottom, right;
};

// What PrepareSegmented keeps of `image`. INVALID_ARGUMENT: no pixels, a value
// that is not finite, an empty mask.
absl::StatusOr<ImageBox> SegmentedBox(const GrayImage& image,
                                      const GrayImage& mask);

// For each pixel of PrepareWhole's, or of PrepareSegmented's, which share of it
// the mask covers, 0 to 1: [size * size]. Only the size of `image` counts.
// INVALID_ARGUMENT: as SegmentedBox.
absl::StatusOr<std::vector<float>> PrepareWholeMask(const GrayImage& image,
                                                    const GrayImage& mask,
                                                    int size);
absl::StatusOr<std::vector<float>> PrepareSegmentedMask(const GrayImage& image,
                                                        const GrayImage& mask,
                                                        int size);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_PREPARE_H_
