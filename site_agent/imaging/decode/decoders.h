// SPDX-License-Identifier: Apache-2.0
// One function a format; DecodeImage picks.
#ifndef HILUM_SITE_AGENT_IMAGING_DECODE_DECODERS_H_
#define HILUM_SITE_AGENT_IMAGING_DECODE_DECODERS_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// `alpha`, where given, becomes the file's opacity; without one it stays as it
// is.
absl::StatusOr<GrayImage> DecodePng(absl::string_view bytes,
                                    GrayImage* alpha = nullptr);
absl::StatusOr<GrayImage> DecodeJpeg(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DECODE_DECODERS_H_
