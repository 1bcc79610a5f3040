// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DECODE_DECODE_MASK_H_
#define HILUM_SITE_AGENT_IMAGING_DECODE_DECODE_MASK_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// Decodes a lung mask, > 0.5 in the lungs: a picture (DecodeImage, then
// ReadMaskLevels) or a DICOM segmentation (ReadLungSegmentation), told by its
// SOP class. In a PNG of one colour with varying opacity, the opacity is the
// mask. A mask with ambiguous levels comes back empty; see WhyMaskIsDoubtful.
// Errors as these functions. Thread-safe.
absl::StatusOr<GrayImage> DecodeMask(absl::string_view bytes);

// Makes a mask's pixels 1 in the lungs and 0 outside, if its levels are
// unambiguous:
//   0 and one other level (0 and 1, 127, 255 of 65535, a colour): lung is the
//     other;
//   0, 1 and 2 of 255 or of 65535: labels of the two lungs, both are lung;
//   else, if some pixel is > 0.5: nothing changes, > 0.5 is lung.
// Any other mask becomes empty, and its only note lists its levels.
void ReadMaskLevels(GrayImage& mask);

// Returns INVALID_ARGUMENT with the note if DecodeMask emptied the mask as
// ambiguous; else OK.
absl::Status WhyMaskIsDoubtful(const GrayImage& mask);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DECODE_DECODE_MASK_H_
