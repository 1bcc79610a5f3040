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
  std::string algorithm;  // what made it; at most 64 printable characters
  // Any bytes that tell sources apart; counts where the source has no UIDs.
  std::string source_key;
};

// The bytes of a DICOM segmentation (PS3.3 A.51): binary, explicit
// little-endian, a segment and a frame for each lung that is not empty, as
// SplitLungs has them, by SNOMED CT.
// `mask` lies on the image as it is displayed; the frames on the source's
// stored pixels, to which they are turned back. Patient and study are copied
// from the source, and it is referred to, so that viewers lay one on the
// other; what it lacks, and PS3.3 wants, is empty. Null: no DICOM source.
// UIDs are UUIDs below 2.25 made by SHA-256 of source, notes and mask: the same
// input gives the same bytes. Content date and time are the source's study's,
// or 1970-01-01: no clock is read.
// INVALID_ARGUMENT: an empty mask, a side over 65535, another size than the
// source's rows and columns, an element to copy of over 1024 bytes; as
// ReadOrientation. INTERNAL: DCMTK.
absl::StatusOr<std::string> EncodeLungSegmentation(
    const BinaryMask& mask, const SegmentationNotes& notes,
    const DicomFile* source);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_WRITE_WRITE_DICOM_SEGMENTATION_H_
