// SPDX-License-Identifier: Apache-2.0
// One function a format; DecodeImage picks.
#ifndef HILUM_SITE_AGENT_IMAGING_DECODERS_H_
#define HILUM_SITE_AGENT_IMAGING_DECODERS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/image.h"

namespace hilum {

absl::StatusOr<GrayImage> DecodePng(absl::string_view bytes);
absl::StatusOr<GrayImage> DecodeJpeg(absl::string_view bytes);

// RESOURCE_EXHAUSTED over kMaxImagePixels, INVALID_ARGUMENT if empty.
absl::Status CheckImageSize(uint64_t rows, uint64_t columns);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DECODERS_H_
