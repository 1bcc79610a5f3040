// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DECODE_DECODE_MASK_H_
#define HILUM_SITE_AGENT_IMAGING_DECODE_DECODE_MASK_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// A lung mask, > 0.5 where lungs are: a picture as DecodeImage takes it, or a
// DICOM segmentation as ReadLungSegmentation does, told by its SOP class.
// Errors as theirs. Thread-safe.
absl::StatusOr<GrayImage> DecodeMask(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DECODE_DECODE_MASK_H_
