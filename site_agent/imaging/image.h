// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_IMAGE_H_
#define HILUM_SITE_AGENT_IMAGING_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace hilum {

// Limits of an image file's bytes and an image's pixels.
inline constexpr uint64_t kMaxImageFileBytes = 256ull << 20;
inline constexpr uint64_t kMaxImagePixels = 64ull << 20;

// A gray image: row-major float32 in [0, 1], 0 black; [rows * columns].
struct GrayImage {
  int rows = 0;
  int columns = 0;
  std::vector<float> pixels;
  // Distance of rows, and of columns, in mm; 0: not known.
  double row_mm = 0;
  double column_mm = 0;
  // For people: display settings in the file that could not be used, and what
  // was done instead. Quotes no text of the file.
  std::vector<std::string> notes;

  float at(int row, int column) const {
    return pixels[static_cast<size_t>(row) * columns + column];
  }
  float& at(int row, int column) {
    return pixels[static_cast<size_t>(row) * columns + column];
  }
};

// A colour image: row-major sRGB, red first; [rows * columns * 3].
struct RgbImage {
  int rows = 0;
  int columns = 0;
  std::vector<uint8_t> pixels;
};

// RESOURCE_EXHAUSTED: over kMaxImagePixels. INVALID_ARGUMENT: no pixels.
absl::Status CheckImageSize(uint64_t rows, uint64_t columns);

// Refuses an image whose pixels all have one value, as after a failed export or
// exposure: INVALID_ARGUMENT. Stops at the first pixel that differs.
absl::Status CheckShowsSomething(const GrayImage& image);

// Returns SHA-256 over the image's size and its grays in 16 bits, 32 raw bytes.
// Another file, container, bit depth or lossless compression of the same
// picture gives the same digest.
std::string PixelDigest(const GrayImage& image);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_IMAGE_H_
