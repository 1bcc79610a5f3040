// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DECODE_DECODE_MASK_H_
#define HILUM_SITE_AGENT_IMAGING_DECODE_DECODE_MASK_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/image.h"

namespace hilum {

// Decodes a lung mask, > 0.5 where lungs are: a picture as DecodeImage takes
// it, read by ReadMaskLevels, or a DICOM segmentation as ReadLungSegmentation
// does, told by its SOP class. A PNG of one colour whose opacity differs has
// its lungs in the opacity. A mask whose levels leave doubt comes back empty;
// see WhyMaskIsDoubtful. Errors as theirs. Thread-safe.
absl::StatusOr<GrayImage> DecodeMask(absl::string_view bytes);

// Makes a mask's pixels 1 in the lungs and 0 outside where the levels that it
// uses leave no doubt:
//   0 and one other level (0 and 1, 127, 255 of 65535, a colour): the other;
//   0, 1 and 2 of 255 or of 65535: labels of the two lungs, both of them;
//   else, where some pixel is > 0.5: nothing changes, > 0.5 counts.
// Any other mask becomes empty, and its only note says which levels it has.
void ReadMaskLevels(GrayImage& mask);

// INVALID_ARGUMENT with the note of a mask of DecodeMask's that is empty for
// doubt, OK for any other.
absl::Status WhyMaskIsDoubtful(const GrayImage& mask);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DECODE_DECODE_MASK_H_
