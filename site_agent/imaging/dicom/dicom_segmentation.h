// SPDX-License-Identifier: Apache-2.0
// Lung masks as DICOM segmentations (PS3.3 A.51, C.8.20), of radiographs.
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_SEGMENTATION_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_SEGMENTATION_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/dicom/dicom_file.h"
#include "site_agent/imaging/image.h"

namespace hilum {

inline constexpr char kSegmentationClass[] = "1.2.840.10008.5.1.4.1.1.66.4";

bool IsSegmentation(const DicomFile& file);

// The union of the segments that are lungs, by their property type (SNOMED CT
// or SRT: lung, left lung, right lung), else by a label of such words; binary
// ones as 0 and 1, fractional ones as their share of the maximum. Turned to
// the standard display by the segmentation's own Patient Orientation.
// INVALID_ARGUMENT: not a segmentation; no segment of lungs; no frame of one,
// or several, as in volumes; a frame that does not say its segment; else as
// ReadPixelFormat, DecodeStoredPixels and ReadOrientation. UNIMPLEMENTED:
// labelmaps; fractions of other than 8 bits. Reasons never quote labels.
absl::StatusOr<GrayImage> ReadLungSegmentation(const DicomFile& file);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_DICOM_SEGMENTATION_H_
