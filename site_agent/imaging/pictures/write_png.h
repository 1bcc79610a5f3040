// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_PICTURES_WRITE_PNG_H_
#define HILUM_SITE_AGENT_IMAGING_PICTURES_WRITE_PNG_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace hilum {

// Return the bytes of a PNG file of 16 or 8 bits. `pixels` is row-major, [rows
// * columns]; of colours [rows * columns * 3], red first. INVALID_ARGUMENT: an
// empty image, or a wrong number of pixels. RESOURCE_EXHAUSTED: out of memory.
// The same pixels give the same bytes: no time or software name is written.
absl::StatusOr<std::string> EncodePng16(int rows, int columns,
                                        absl::Span<const uint16_t> pixels);
absl::StatusOr<std::string> EncodePng8(int rows, int columns,
                                       absl::Span<const uint8_t> pixels);
absl::StatusOr<std::string> EncodePngRgb8(int rows, int columns,
                                          absl::Span<const uint8_t> pixels);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_PICTURES_WRITE_PNG_H_
