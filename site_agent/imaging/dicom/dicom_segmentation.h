// SPDX-License-Identifier: Apache-2.0
// Reads lung masks from DICOM segmentations of radiographs (PS3.3 A.51,
// C.8.20).
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_SEGMENTATION_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_SEGMENTATION_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/dicom/dicom_file.h"
#include "site_agent/imaging/image.h"

namespace hilum {

inline constexpr char kSegmentationClass[] = "1.2.840.10008.5.1.4.1.1.66.4";

bool IsSegmentation(const DicomFile& file);

// Returns the union of the lung segments, chosen by their property type (SNOMED
// CT or SRT: lung, left lung, right lung), else by a label of such words.
// Binary segments give 0 and 1, fractional ones their share of the maximum.
// Turned to the standard display by the segmentation's own Patient Orientation.
// INVALID_ARGUMENT: not a segmentation; no lung segment; a segment with no
// frame, or several as in volumes; a frame without a segment number; otherwise
// as ReadPixelFormat, DecodeStoredPixels and ReadOrientation. UNIMPLEMENTED:
// labelmaps; fractions not of 8 bits. Messages never quote labels.
absl::StatusOr<GrayImage> ReadLungSegmentation(const DicomFile& file);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_SEGMENTATION_H_
