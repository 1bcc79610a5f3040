// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_FRAMES_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_FRAMES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/dicom/dicom_pixels.h"

namespace hilum {

// Encapsulated fragments (PS3.5 A.4), the offset table first, joined to
// frames: all to one if there is one frame, else by the offset table, or one
// to each where it is empty. INVALID_ARGUMENT: none of these.
absl::StatusOr<std::vector<std::string>> JoinFragments(
    const std::vector<absl::string_view>& items, int frames);

// Native pixel data (PS3.5 section 8) as StoredPixels has it.
// Zeros behind the pixels are padding and dropped. INVALID_ARGUMENT: more or
// fewer bytes than the format asks for. UNIMPLEMENTED: subsampled colours, 32
// bits big-endian.
absl::StatusOr<std::string> UnpackNative(const DicomElement& pixels,
                                         DicomEncoding encoding,
                                         const PixelFormat& format);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_FRAMES_H_
