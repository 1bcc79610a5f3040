// SPDX-License-Identifier: Apache-2.0
// Decodes image files into gray planes.
#ifndef HILUM_SITE_AGENT_IMAGING_DECODE_DECODE_H_
#define HILUM_SITE_AGENT_IMAGING_DECODE_DECODE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// Decodes PNG (1 to 16 bits; gray, RGB or palette, with or without alpha, which
// is ignored; interlaced or not), JPEG (8 bits, gray or colour) or DICOM (see
// DecodeDicom); the first bytes tell which. Colours become Rec. 601 luma. A
// gray sample v of b bits becomes v / (2^b - 1), without gamma; DICOM has its
// own rules. Turns and mirrors a JPEG or PNG by its EXIF Orientation.
// Thread-safe. INVALID_ARGUMENT: not such a file, damaged, or truncated, with
// the decoder's reason, or a JPEG of more than 100 scans. RESOURCE_EXHAUSTED:
// over a limit of image.h; checked before allocating memory. From DICOM also
// UNIMPLEMENTED and FAILED_PRECONDITION.
absl::StatusOr<GrayImage> DecodeImage(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DECODE_DECODE_H_
