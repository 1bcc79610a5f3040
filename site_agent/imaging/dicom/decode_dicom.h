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

// Renders stored values to the grays of a display, with the image's size in mm
// if known: one frame of MONOCHROME1 or 2 with at most 16 bits stored, turned
// to the standard display of a frontal radiograph. Skips a VOI LUT or window
// that would give all pixels one gray; the image's notes list it and everything
// else in the file that could not be used. Stores the image's percentiles in
// `range` if given. UNIMPLEMENTED: colours, several frames, more bits.
// INVALID_ARGUMENT: bits set outside the stored ones and the overlays.
// Otherwise errors as ReadGrayRules and ReadOrientation.
absl::StatusOr<GrayImage> RenderDicom(const DicomElements& elements,
                                      const StoredPixels& pixels,
                                      GrayRange* range = nullptr);

// Decodes a file's bytes. Does not check whether the image is a chest
// radiograph; SelectPcxr does. Errors as ReadDicomFile, DecodeStoredPixels and
// RenderDicom. Thread-safe.
absl::StatusOr<GrayImage> DecodeDicom(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_DECODE_DICOM_H_
