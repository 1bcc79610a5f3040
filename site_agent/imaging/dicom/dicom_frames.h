// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_FRAMES_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_FRAMES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/dicom/dicom_pixels.h"

namespace hilum {

// Joins encapsulated fragments (PS3.5 A.4), the offset table first, into
// frames. One frame takes all fragments; several use the offset table or, if it
// is empty, one fragment each. INVALID_ARGUMENT: none of these fits.
absl::StatusOr<std::vector<std::string>> JoinFragments(
    const std::vector<absl::string_view>& items, int frames);

// Returns native pixel data (PS3.5 section 8) in the layout of StoredPixels.
// Drops zeros behind the pixels as padding. INVALID_ARGUMENT: more or fewer
// bytes than the format needs. UNIMPLEMENTED: subsampled colours, 32 bits
// big-endian.
absl::StatusOr<std::string> UnpackNative(const DicomElement& pixels,
                                         DicomEncoding encoding,
                                         const PixelFormat& format);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_FRAMES_H_
