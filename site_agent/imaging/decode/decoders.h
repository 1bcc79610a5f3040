// SPDX-License-Identifier: Apache-2.0
// The decoders of single formats, for DecodeImage.
#ifndef HILUM_SITE_AGENT_IMAGING_DECODE_DECODERS_H_
#define HILUM_SITE_AGENT_IMAGING_DECODE_DECODERS_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// If `alpha` is given, stores the file's opacity there; leaves it unchanged if
// the file has none.
absl::StatusOr<GrayImage> DecodePng(absl::string_view bytes,
                                    GrayImage* alpha = nullptr);
absl::StatusOr<GrayImage> DecodeJpeg(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DECODE_DECODERS_H_
