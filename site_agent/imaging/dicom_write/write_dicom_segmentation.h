// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_WRITE_WRITE_DICOM_SEGMENTATION_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_WRITE_WRITE_DICOM_SEGMENTATION_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/imaging/dicom/dicom_file.h"
#include "site_agent/imaging/lungs/lung_mask.h"

namespace hilum {

struct SegmentationNotes {
  std::string algorithm;  // that made the mask; at most 64 printable characters
  // Bytes that tell sources apart; used if the source has no UIDs.
  std::string source_key;
};

// Returns the bytes of a DICOM segmentation (PS3.3 A.51): binary, explicit
// little-endian, with a segment and a frame for each lung of SplitLungs that is
// not empty, coded in SNOMED CT. `mask` lies on the displayed image; the frames
// are turned back to the source's stored pixels. Patient and study are copied
// from the source, and the source is referenced, so that viewers can overlay
// both; values that PS3.3 requires and the source lacks are empty. `source`
// null: no DICOM source. UIDs are UUIDs below 2.25 made from SHA-256 of source,
// notes and mask: the same input gives the same bytes. Content date and time
// are the study's, or 1970-01-01: no clock is read. INVALID_ARGUMENT: an empty
// mask, a side over 65535, another size than the source's rows and columns, an
// element to copy of over 1024 bytes; also as ReadOrientation. INTERNAL: DCMTK.
absl::StatusOr<std::string> EncodeLungSegmentation(
    const BinaryMask& mask, const SegmentationNotes& notes,
    const DicomFile* source);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_WRITE_WRITE_DICOM_SEGMENTATION_H_
