// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_DECODE_DICOM_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_DECODE_DICOM_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/dicom/dicom_file.h"
#include "site_agent/imaging/dicom/dicom_pixels.h"
#include "site_agent/imaging/image.h"
#include "site_agent/imaging/prepare.h"

namespace hilum {

// The grays of a display from stored values, of one frame of MONOCHROME1 or 2
// and at most 16 bits stored, turned to the standard display of a frontal
// radiograph, with its size where it is known. A VOI LUT or window that would
// give all pixels one gray is left for the next one; the image's notes say so,
// and what else of the file could not be used. `range`, where given, becomes
// the image's. UNIMPLEMENTED: colours, several frames, more bits.
// INVALID_ARGUMENT: bits set outside the stored ones and the overlays. Else as
// ReadGrayRules and ReadOrientation.
absl::StatusOr<GrayImage> RenderDicom(const DicomElements& elements,
                                      const StoredPixels& pixels,
                                      GrayRange* range = nullptr);

// From a file's bytes. Errors as ReadDicomFile, DecodeStoredPixels and
// RenderDicom. Whether the image is a chest radiograph is SelectPcxr's matter.
// Thread-safe.
absl::StatusOr<GrayImage> DecodeDicom(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_DECODE_DICOM_H_
